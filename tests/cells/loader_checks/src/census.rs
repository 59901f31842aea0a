//! The state that must be the same after an object was refused.

use alloc::string::{String, ToString};
use core::time::Duration;

use frames::Purpose;
use namespace::{LoadError, Scope};
use pages::Region;
use self_check::{CheckError, Outcome};

use crate::Unexpected;

/// The numbers by which a trace of a cell would be seen.
type Census = [(&'static str, u64); 9];

/// How often, and after which pause each, memory is looked at again: memory that a slow CPU may still remember is freed
/// late.
const TIMEOUT: (usize, Duration) = (2000, Duration::from_millis(1));

/// Bytes of the heap by which the rest of the system may have grown during a check.
const HEAP_SLACK: usize = 4096;

fn census() -> Census {
    let frames = frames::statistics();
    let held = |purpose| frames.held(purpose) as u64;
    let (stubs, names) = namespace::sizes();
    [
        ("the namespace", namespace::fingerprint()),
        ("stubs", stubs as u64),
        ("names", names as u64),
        ("frame tables", unwind_table::registered() as u64),
        ("bytes of thread locals", thread_local_image::size() as u64),
        ("frames of text", held(Purpose::CellText)),
        ("frames of constants", held(Purpose::CellConstants)),
        ("frames of data", held(Purpose::CellData)),
        ("free pages for cells", Region::Cells.free_pages() as u64),
    ]
}

fn difference(before: &Census) -> Outcome {
    for (&(what, before), (_, after)) in before.iter().zip(census()) {
        if before != after {
            return Err(Unexpected::Changed { what, before, after }.into());
        }
    }
    Ok(())
}

/// Repeats `look` until it is content, for some time.
fn settle(look: impl Fn() -> Outcome) -> Outcome {
    for _ in 0..TIMEOUT.0 {
        if look().is_ok() {
            return Ok(());
        }
        mapping::retry_quarantine();
        task::sleep(TIMEOUT.1);
    }
    look()
}

/// The state that every attempt must leave as it is.
pub(crate) struct Watch {
    before: Census,
    heap: usize,
}

impl Watch {
    /// The state now. The memory of the check itself must be the same in the end, so sound objects are taken before.
    pub(crate) fn new() -> Self {
        Self { before: census(), heap: heap::statistics().used }
    }

    /// Hands `file` to the loader and looks whether anything is left of it.
    ///
    /// # Errors
    /// Only if something was left; the loader's answer is inside.
    pub(crate) fn attempt(&self, cell: &str, file: &[u8], scope: Scope) -> Result<Result<(), LoadError>, CheckError> {
        let answer = namespace::check_object(cell, file, scope);
        settle(|| difference(&self.before))?;
        Ok(answer)
    }

    /// As [`Watch::attempt`], for an object that must be refused with an error of the kind that `fits` knows and with
    /// all of `words` in its message.
    pub(crate) fn refused(
        &self,
        damage: &str,
        (cell, file, scope): (&str, &[u8], Scope),
        fits: impl Fn(&LoadError) -> bool,
        words: &[&str],
    ) -> Outcome {
        match self.attempt(cell, file, scope)? {
            Ok(()) => Err(Unexpected::Accepted { damage: damage.to_string() }.into()),
            Err(error) if fits(&error) => says(&error, words),
            Err(error) => Err(Unexpected::Refused { damage: damage.to_string(), reason: error.to_string() }.into()),
        }
    }

    /// Looks at everything again after the last attempt, the heap too.
    pub(crate) fn finish(self) -> Outcome {
        settle(|| difference(&self.before))?;
        settle(|| {
            let after = heap::statistics().used;
            let grown = after > self.heap + HEAP_SLACK;
            let (before, after) = (self.heap as u64, after as u64);
            if grown { Err(Unexpected::Changed { what: "bytes of the heap", before, after }.into()) } else { Ok(()) }
        })
    }
}

/// Fails unless the error's message has all of `words`.
pub(crate) fn says(error: &LoadError, words: &[&str]) -> Outcome {
    let message = error.to_string();
    match words.iter().find(|&&word| !message.contains(word)) {
        Some(&word) => Err(Unexpected::Unnamed { word: String::from(word), message }.into()),
        None => Ok(()),
    }
}
