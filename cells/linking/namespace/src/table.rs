//! Cells by number.

use alloc::{boxed::Box, collections::TryReserveError, vec::Vec};
use core::ops::Index;

use linker::CellId;

use crate::cell::Cell;

/// Cells, sorted by number. Where room was made before ([`Table::try_reserve`]) a cell comes without memory being taken.
/// Each lies in a block of the heap of its own, which is known ([`Table::holds`]).
#[derive(Debug, Default)]
pub struct Table {
    #[expect(clippy::vec_box, reason = "a cell must come and go without moving the others")]
    cells: Vec<Box<Cell>>,
}

impl Table {
    fn find(&self, id: CellId) -> Result<usize, usize> {
        self.cells.binary_search_by_key(&id, |cell| cell.id)
    }

    /// The cell with this number.
    #[must_use]
    pub fn get(&self, id: CellId) -> Option<&Cell> {
        Some(&self.cells[self.find(id).ok()?])
    }

    /// The cell with this number.
    pub fn get_mut(&mut self, id: CellId) -> Option<&mut Cell> {
        let place = self.find(id).ok()?;
        Some(&mut self.cells[place])
    }

    /// All cells, in the order of their numbers.
    pub fn values(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().map(|cell| &**cell)
    }

    /// All cells, in the order of their numbers.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Cell> {
        self.cells.iter_mut().map(|cell| &mut **cell)
    }

    /// Makes room for `more` cells.
    ///
    /// # Errors
    /// There is no memory.
    pub fn try_reserve(&mut self, more: usize) -> Result<(), TryReserveError> {
        self.cells.try_reserve(more)
    }

    /// Adds a cell. No other cell has its number.
    pub fn insert(&mut self, cell: Box<Cell>) {
        let (Ok(place) | Err(place)) = self.find(cell.id);
        self.cells.insert(place, cell);
    }

    /// Takes a cell out.
    pub(crate) fn remove(&mut self, id: CellId) -> Option<Box<Cell>> {
        let place = self.find(id).ok()?;
        Some(self.cells.remove(place))
    }

    /// Whether `address` lies in the record of a cell.
    pub(crate) fn holds(&self, address: u64) -> bool {
        self.values().any(|cell| {
            let start = core::ptr::from_ref(cell).addr() as u64;
            (start..start + size_of::<Cell>() as u64).contains(&address)
        })
    }
}

impl Index<CellId> for Table {
    type Output = Cell;

    fn index(&self, id: CellId) -> &Cell {
        self.get(id).unwrap_or_else(|| panic!("cell {} is in the table", id.0))
    }
}
