//! All loaded cells.

use alloc::{collections::BTreeMap, string::String};

use archive::Archive;
use linker::{CellId, Index};
use spin_lock::PreemptLock;

use crate::{LoadError, cell::Cell, stubs::StubTable};

/// What the namespace knows. Whoever changes it has the lock all the while, so that nobody sees half a change.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) archive: Archive<&'static [u8]>,
    pub(crate) cells: BTreeMap<CellId, Cell>,
    pub(crate) index: Index,
    pub(crate) stubs: StubTable,
    pub(crate) next: u32,
}

static STATE: PreemptLock<Option<State>> = PreemptLock::new(None);

impl State {
    pub(crate) fn new(archive: Archive<&'static [u8]>) -> Self {
        Self { archive, cells: BTreeMap::new(), index: Index::new(), stubs: StubTable::default(), next: 0 }
    }

    /// The number of the loaded cell called `name`.
    pub(crate) fn id_of(&self, name: &str) -> Option<CellId> {
        self.cells.values().find(|cell| cell.entry.name == name).map(|cell| cell.id)
    }

    /// The loaded cell called `name`.
    pub(crate) fn named(&self, name: &str) -> Option<&Cell> {
        self.cells.values().find(|cell| cell.entry.name == name)
    }

    /// Name of the cell with this number.
    pub(crate) fn name_of(&self, id: CellId) -> String {
        self.cells.get(&id).map_or_else(String::new, |cell| cell.entry.name.clone())
    }

    pub(crate) fn take_id(&mut self) -> CellId {
        let id = CellId(self.next);
        self.next += 1;
        id
    }
}

/// Makes `state` the namespace.
pub(crate) fn install(state: State) {
    *STATE.lock() = Some(state);
}

/// Runs `work` on the namespace.
///
/// # Errors
/// [`LoadError::NoArchive`] before there is one.
pub(crate) fn with<R>(work: impl FnOnce(&mut State) -> Result<R, LoadError>) -> Result<R, LoadError> {
    match &mut *STATE.lock() {
        Some(state) => work(state),
        None => Err(LoadError::NoArchive),
    }
}

/// Runs `look` on the namespace; `None` before there is one.
pub(crate) fn look<R>(look: impl FnOnce(&State) -> R) -> Option<R> {
    STATE.lock().as_ref().map(look)
}

/// As [`look`], but `None` also if somebody is changing the namespace: for those who must not wait.
pub(crate) fn try_look<R>(look: impl FnOnce(&State) -> R) -> Option<R> {
    STATE.try_lock()?.as_ref().map(look)
}
