//! All loaded cells.

use alloc::{boxed::Box, collections::TryReserveError, string::String, sync::Arc, vec::Vec};

use archive::Archive;
use linker::{CellId, Function, Index};
use manifest::CellEntry;
use spin_lock::PreemptLock;

use crate::{
    LoadError,
    cell::{Cell, PendingCell},
    stubs::StubTable,
    table::Table,
};

/// All that the namespace knows. It is locked with preemption off: long work is done outside, and a change is made under one
/// hold of the lock, so that no other CPU sees half of it.
///
/// Other crates reach it through a [`Transaction`](crate::parts::Transaction) only.
#[derive(Debug)]
pub struct State {
    /// Shared, so that objects can be read from it without the lock.
    pub archive: Arc<Archive<&'static [u8]>>,
    /// Number of the archive's alternate that the system is; `None` for the base.
    pub build: Option<usize>,
    /// The cells of the namespace.
    pub cells: Table,
    /// Replaced cells: out of the namespace, but stacks may still stand in their text. The calls in this text are kept
    /// up to date.
    pub retired_cells: Table,
    /// The names that cells see.
    pub index: Index,
    /// The permanent stubs.
    pub stubs: StubTable,
    next: u32,
    /// A replacement is prepared or carried out: no cell comes or goes.
    replacing: Option<Replacing>,
    /// How many replacements have begun.
    replacements: u64,
}

/// A replacement under way.
#[derive(Debug)]
struct Replacing {
    /// No other replacement has it.
    number: u64,
    /// The functions for which it made stubs.
    stubs: Vec<Function>,
    /// Its new cells, when they are all prepared.
    pending_cells: Vec<PendingCell>,
}

static STATE: PreemptLock<Option<State>> = PreemptLock::new(None);

impl State {
    pub(crate) fn new(archive: Archive<&'static [u8]>) -> Self {
        Self {
            archive: Arc::new(archive),
            build: None,
            cells: Table::default(),
            retired_cells: Table::default(),
            index: Index::new(),
            stubs: StubTable::default(),
            next: 0,
            replacing: None,
            replacements: 0,
        }
    }

    /// The cell called `name` in the build that the system is, loaded or not.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&CellEntry> {
        let manifest = self.archive.manifest();
        manifest.cell_of(self.build.and_then(|build| manifest.alternates.get(build)), name)
    }

    /// The number of the loaded cell called `name`.
    pub(crate) fn id_of(&self, name: &str) -> Option<CellId> {
        self.cells.values().find(|cell| cell.entry.name == name).map(|cell| cell.id)
    }

    /// The loaded cell called `name`.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Cell> {
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

    /// Takes a replaced cell that nothing refers to out of the tables, as [`detach`](Self::detach) does with others.
    pub(crate) fn detach_retired_cell(&mut self, id: CellId) -> Option<Box<Cell>> {
        if self.replacing.is_some() {
            self.retired_cells.get_mut(id)?.leaving = true;
            return None;
        }
        self.stubs.remove(id);
        self.retired_cells.remove(id)
    }

    /// Takes a cell out of the tables of cells and users, but leaves its stubs. Takes no memory.
    pub fn take_out(&mut self, id: CellId) -> Option<Box<Cell>> {
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
        let leaving = |table: &Table| table.values().find(|cell| cell.leaving).map(|cell| cell.id);
        match leaving(&self.cells) {
            Some(id) => self.detach(id),
            None => self.detach_retired_cell(leaving(&self.retired_cells)?),
        }
    }

    /// From now on no cell comes or goes, until the replacement of the number that is returned is completed or given up.
    /// `None` if another one is under way.
    pub(crate) fn begin_replacement(&mut self) -> Option<u64> {
        if self.replacing.is_some() {
            return None;
        }
        let number = self.replacements;
        self.replacements += 1;
        self.replacing = Some(Replacing { number, stubs: Vec::new(), pending_cells: Vec::new() });
        Some(number)
    }

    /// Number of the replacement that is under way.
    pub(crate) fn replacement(&self) -> Option<u64> {
        self.replacing.as_ref().map(|replacing| replacing.number)
    }

    /// Notes functions for which the replacement has made stubs.
    ///
    /// # Errors
    /// There is no memory for the note; the functions then have no stubs.
    pub fn note_stubs(&mut self, made: Vec<Function>) -> Result<(), TryReserveError> {
        let Some(replacing) = &mut self.replacing else { return Ok(()) };
        if let Err(error) = replacing.stubs.try_reserve(made.len()) {
            self.stubs.take_back(&made);
            return Err(error);
        }
        replacing.stubs.extend(made);
        Ok(())
    }

    /// Gives the names of the new cells, for the case that code of one of them runs and fails before the replacement is complete.
    pub fn announce(&mut self, pending_cells: Vec<PendingCell>) {
        if let Some(replacing) = &mut self.replacing {
            replacing.pending_cells = pending_cells;
        }
    }

    /// The new cells of a replacement that is prepared.
    pub(crate) fn pending_cells(&self) -> &[PendingCell] {
        self.replacing.as_ref().map_or(&[], |replacing| &replacing.pending_cells)
    }

    /// The change that was prepared has taken effect: its new cells are cells like others, and cells come and go again.
    pub fn complete_replacement(&mut self) {
        self.replacing = None;
    }

    /// The change that was prepared, or was to be, is given up: its stubs are gone, and cells come and go again.
    pub(crate) fn abandon_replacement(&mut self) {
        if let Some(replacing) = self.replacing.take() {
            self.stubs.take_back(&replacing.stubs);
        }
    }

    /// A number that no cell has had.
    pub fn take_id(&mut self) -> CellId {
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

/// Runs `look` on the namespace; `None` before there is one.
pub(crate) fn look<R>(look: impl FnOnce(&State) -> R) -> Option<R> {
    STATE.lock().as_ref().map(look)
}

/// How often [`try_look`] tries: for some ten milliseconds. A step takes less; a load, in which CPUs must forget pages, may
/// take longer where those are busy.
const TIMEOUT: u32 = 1_000_000;

/// As [`look`], but `None` also if the lock cannot be had: for recovery, because the fault may be in the code that holds the
/// lock. Another CPU that holds it is given time to finish, but not with interrupts off, because it may be waiting for this one.
pub(crate) fn try_look<R>(look: impl FnOnce(&State) -> R) -> Option<R> {
    let mine = || STATE.holder() == Some(cpu_local::owner());
    let mut tries = if cpu_local::interrupts_enabled() && !mine() { TIMEOUT } else { 1 };
    while tries > 0 {
        if let Some(state) = STATE.try_lock() {
            return state.as_ref().map(look);
        }
        tries -= 1;
        core::hint::spin_loop();
    }
    None
}
