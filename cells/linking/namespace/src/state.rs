//! All loaded cells.

use alloc::{boxed::Box, string::String};

use archive::Archive;
use linker::{CellId, Index};
use manifest::CellEntry;
use spin_lock::PreemptLock;

use crate::{LoadError, cell::Cell, replace::ReplaceError, stubs::StubTable, table::Table};

/// What the namespace knows. Whoever changes it has the lock all the while, so that nobody sees half a change.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) archive: Archive<&'static [u8]>,
    /// Which of the archive's alternates the system is; `None` for the base.
    pub(crate) build: Option<usize>,
    pub(crate) cells: Table,
    /// Replaced cells: out of the namespace, but stacks may still stand in their text, whose calls are kept up to date.
    pub(crate) zombies: Table,
    pub(crate) index: Index,
    pub(crate) stubs: StubTable,
    pub(crate) next: u32,
    /// A replacement is prepared or carried out: no cell comes or goes. Its new cells have this number or a higher one.
    replacing: Option<CellId>,
}

static STATE: PreemptLock<Option<State>> = PreemptLock::new(None);

impl State {
    pub(crate) fn new(archive: Archive<&'static [u8]>) -> Self {
        Self {
            archive,
            build: None,
            cells: Table::default(),
            zombies: Table::default(),
            index: Index::new(),
            stubs: StubTable::default(),
            next: 0,
            replacing: None,
        }
    }

    /// The cell called `name` in the build that the system is, loaded or not.
    pub(crate) fn entry(&self, name: &str) -> Option<&CellEntry> {
        let manifest = self.archive.manifest();
        manifest.cell_of(self.build.and_then(|build| manifest.alternates.get(build)), name)
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
        self.cells.get(id).map_or_else(String::new, |cell| cell.entry.name.clone())
    }

    /// Takes `cell` out of the namespace, or says that it is to be taken out when the replacement is over. The caller
    /// drops the result, and with it the cell's memory, without the lock.
    pub(crate) fn detach(&mut self, id: CellId) -> Option<Box<Cell>> {
        if self.replacing.is_some() {
            self.cells.get_mut(id)?.leaving = true;
            return None;
        }
        self.stubs.remove(id);
        self.take_out(id)
    }

    /// Takes `cell` out of the namespace's books, but for its stubs. Takes no memory.
    pub(crate) fn take_out(&mut self, id: CellId) -> Option<Box<Cell>> {
        let cell = self.cells.remove(id)?;
        for reference in &cell.references {
            if let Some(used) = self.cells.get_mut(reference.cell) {
                used.remove_user(id);
            }
        }
        Some(cell)
    }

    /// One of the cells that went while a replacement was under way, which is over.
    pub(crate) fn take_leaving(&mut self) -> Option<Box<Cell>> {
        let id = self.cells.values().find(|cell| cell.leaving)?.id;
        self.detach(id)
    }

    /// The change that was prepared has taken effect: its new cells are cells like others, and cells come and go again.
    pub(crate) fn complete_replacement(&mut self) {
        self.replacing = None;
    }

    /// The change that was prepared, or was to be, is given up: its stubs are gone, and cells come and go again.
    pub(crate) fn abandon_replacement(&mut self) {
        if let Some(first) = self.replacing.take() {
            self.stubs.remove_since(first);
        }
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
        Some(state) if state.replacing.is_some() => Err(LoadError::Replacing),
        Some(state) => work(state),
        None => Err(LoadError::NoArchive),
    }
}

/// Runs `work` on the namespace, whether or not cells are being replaced; `None` before there is one.
pub(crate) fn with_locked<R>(work: impl FnOnce(&mut State) -> R) -> Option<R> {
    STATE.lock().as_mut().map(work)
}

/// Runs `prepare`; if it succeeds, no cell comes or goes until [`State::complete_replacement`] or
/// [`State::abandon_replacement`]. If it fails, or panics, its stubs are gone.
///
/// # Errors
/// [`ReplaceError::Busy`] if a replacement is under way; else what `prepare` says.
pub(crate) fn with_replace<R>(prepare: impl FnOnce(&mut State) -> Result<R, ReplaceError>) -> Result<R, ReplaceError> {
    match &mut *STATE.lock() {
        Some(state) if state.replacing.is_some() => Err(ReplaceError::Busy),
        Some(state) => {
            let attempt = Attempt::new(state);
            let prepared = prepare(attempt.state)?;
            attempt.succeed();
            Ok(prepared)
        }
        None => Err(ReplaceError::from(LoadError::NoArchive)),
    }
}

/// An attempt to prepare a replacement. However it ends, unless it succeeds nothing is left of it.
struct Attempt<'a> {
    state: &'a mut State,
}

impl<'a> Attempt<'a> {
    fn new(state: &'a mut State) -> Self {
        state.replacing = Some(CellId(state.next));
        Self { state }
    }

    fn succeed(self) {
        core::mem::forget(self);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.state.abandon_replacement();
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
