//! All loaded cells.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use archive::Archive;
use linker::{CellId, Index};
use spin_lock::PreemptLock;

use crate::{LoadError, cell::Cell, replace::ReplaceError, stubs::StubTable};

/// What the namespace knows. Whoever changes it has the lock all the while, so that nobody sees half a change.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) archive: Archive<&'static [u8]>,
    pub(crate) cells: BTreeMap<CellId, Cell>,
    /// Replaced cells: out of the namespace, but stacks may still stand in their text, whose calls are kept up to date.
    pub(crate) zombies: BTreeMap<CellId, Cell>,
    pub(crate) index: Index,
    pub(crate) stubs: StubTable,
    pub(crate) next: u32,
    /// A replacement is being prepared or carried out: no cell comes or goes.
    replacing: bool,
    /// Cells that went meanwhile; they are taken out when the replacement is over.
    deferred: Vec<CellId>,
}

static STATE: PreemptLock<Option<State>> = PreemptLock::new(None);

impl State {
    pub(crate) fn new(archive: Archive<&'static [u8]>) -> Self {
        Self {
            archive,
            cells: BTreeMap::new(),
            zombies: BTreeMap::new(),
            index: Index::new(),
            stubs: StubTable::default(),
            next: 0,
            replacing: false,
            deferred: Vec::new(),
        }
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

    /// Takes `cell` out of the namespace, or says that it is to be taken out when the replacement is over. The caller
    /// drops the result, and with it the cell's memory, without the lock.
    pub(crate) fn detach(&mut self, id: CellId) -> Option<Cell> {
        if self.replacing {
            self.deferred.push(id);
            return None;
        }
        self.stubs.remove(id);
        let cell = self.cells.remove(&id)?;
        for used in crate::load::used_cells(&cell.references) {
            if let Some(used) = self.cells.get_mut(&used) {
                used.users.remove(&id);
            }
        }
        Some(cell)
    }

    /// Lets cells come and go again; returns those that went meanwhile.
    pub(crate) fn end_replacement(&mut self) -> Vec<Cell> {
        self.replacing = false;
        let deferred = core::mem::take(&mut self.deferred);
        deferred.into_iter().filter_map(|id| self.detach(id)).collect()
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

/// Runs `work`, which brings cells, on the namespace.
///
/// # Errors
/// [`LoadError::NoArchive`] before there is one, [`LoadError::Replacing`] while cells are being replaced.
pub(crate) fn with<R>(work: impl FnOnce(&mut State) -> Result<R, LoadError>) -> Result<R, LoadError> {
    match &mut *STATE.lock() {
        Some(state) if state.replacing => Err(LoadError::Replacing),
        Some(state) => work(state),
        None => Err(LoadError::NoArchive),
    }
}

/// Runs `work` on the namespace, whether or not cells are being replaced; `None` before there is one.
pub(crate) fn with_locked<R>(work: impl FnOnce(&mut State) -> R) -> Option<R> {
    STATE.lock().as_mut().map(work)
}

/// Runs `prepare`; if it succeeds, no cell comes or goes until [`State::end_replacement`].
///
/// # Errors
/// [`ReplaceError::Busy`] if a replacement is under way; else what `prepare` says.
pub(crate) fn with_replace<R>(prepare: impl FnOnce(&mut State) -> Result<R, ReplaceError>) -> Result<R, ReplaceError> {
    match &mut *STATE.lock() {
        Some(state) if state.replacing => Err(ReplaceError::Busy),
        Some(state) => {
            let prepared = prepare(state)?;
            state.replacing = true;
            Ok(prepared)
        }
        None => Err(ReplaceError::from(LoadError::NoArchive)),
    }
}

/// Runs `look` on the namespace; `None` before there is one.
pub(crate) fn look<R>(look: impl FnOnce(&State) -> R) -> Option<R> {
    STATE.lock().as_ref().map(look)
}

/// Turns for which [`try_look`] waits: some ten milliseconds, longer than anybody holds the namespace.
const PATIENCE: u32 = 1_000_000;

/// As [`look`], but `None` also if the namespace cannot be had: for recovery, which may come from whoever has it. Another
/// CPU that has it is given time to finish, but not with interrupts off, for it may be waiting for this one.
pub(crate) fn try_look<R>(look: impl FnOnce(&State) -> R) -> Option<R> {
    let mine = || STATE.holder() == Some(cpu_local::owner());
    let mut patience = if cpu_local::interrupts_enabled() && !mine() { PATIENCE } else { 1 };
    while patience > 0 {
        if let Some(state) = STATE.try_lock() {
            return state.as_ref().map(look);
        }
        patience -= 1;
        core::hint::spin_loop();
    }
    None
}
