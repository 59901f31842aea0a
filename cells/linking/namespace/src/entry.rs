//! Functions that are called by a name in the manifest.

use alloc::{boxed::Box, string::String};

use entry_point::Expected;
use manifest::{CellEntry, Signature};

use crate::{
    error::{EntryType, LoadError},
    state,
};

/// The address of a function that the manifest names, with the type that its cell's debug information gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryPoint {
    cell: String,
    address: u64,
    /// None, if the name is that of something else than a function.
    signature: Option<Signature>,
}

impl EntryPoint {
    /// The function `symbol` of `cell`, which is at `address`.
    ///
    /// # Safety
    /// The cell that was made of the object which `cell` describes has the symbol at that address.
    #[must_use]
    pub unsafe fn new(cell: &CellEntry, symbol: &str, address: u64) -> Self {
        Self { cell: cell.name.clone(), address, signature: cell.entry_point(symbol).cloned() }
    }

    /// The function itself, if it has the type that `expected` states. It may be called as long as its cell is loaded.
    ///
    /// # Safety
    /// The caller keeps the function's cell loaded for as long as the result can be called.
    ///
    /// # Errors
    /// [`LoadError::EntryType`] with both types.
    #[expect(clippy::cast_possible_truncation, reason = "an address of this machine is a usize")]
    pub unsafe fn function<F: Copy>(&self, expected: &'static Expected<F>) -> Result<F, LoadError> {
        let path = expected.path();
        let caller = path.split("::").next().unwrap_or_default();
        let stated = state::look(|state| state.named(caller)?.entry.expectation(path).cloned()).flatten();
        let fits = |(stated, found): (&Signature, &Signature)| stated.digest == found.digest;
        if !stated.as_ref().zip(self.signature.as_ref()).is_some_and(fits) {
            let text = |signature: Option<Signature>| signature.map_or_else(|| "no function".into(), |one| one.text);
            return Err(LoadError::EntryType(Box::new(EntryType {
                cell: self.cell.clone(),
                found: text(self.signature.clone()),
                caller: caller.into(),
                expected: text(stated),
            })));
        }
        // SAFETY: the digests say that the function at this address has the type for which the static stands. The build has
        // let the compiler compare what digests do not cover. The caller keeps the cell loaded.
        Ok(unsafe { expected.function(self.address as usize) })
    }
}
