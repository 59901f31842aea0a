//! Where the entries of the tables are found in virtual memory.
//!
//! Entry 510 of the top table points to the top table itself. An address that begins with that index takes one step on
//! the spot, so that the walk ends one level early: at a table instead of a page. A top table that is not in use yet is
//! reached in the same way through any other entry of the active one: only the first index differs.

use addresses::{Page, VirtAddr};

/// The entry of every top table that points to the table itself.
pub const RECURSIVE_SLOT: u64 = 510;

/// Levels above a page: 1 is the table that has pages as its entries, 4 the top table.
pub(crate) const LEVELS: u32 = 4;
const INDEX_BITS: u32 = 9;

/// The view of one set of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    first_slot: u64,
}

impl Window {
    /// The tables in use.
    pub const ACTIVE: Self = Self { first_slot: RECURSIVE_SLOT };

    /// The tables below a top table that hangs in entry `slot` of the active one; their own recursive slot is set.
    pub const fn through(slot: u64) -> Self {
        Self { first_slot: slot % (1 << INDEX_BITS) }
    }

    /// Where the entry of `level` (1 to 4) that leads to `page` is.
    #[inline]
    pub const fn entry(self, level: u32, page: Page) -> VirtAddr {
        const VIRTUAL_BITS: u32 = INDEX_BITS * LEVELS;
        // The page's indices, less those below `level`, slide down; recursive indices take their place from the top.
        let below = INDEX_BITS * (level - 1);
        let mut number = (page.number() & ((1 << VIRTUAL_BITS) - 1)) >> below;
        let mut step = 1;
        while step < level {
            number |= RECURSIVE_SLOT << (VIRTUAL_BITS - INDEX_BITS * step);
            step += 1;
        }
        // The processor's walk ends at the table; the lowest index now selects one of its entries of 8 bytes.
        VirtAddr::new_truncate((self.first_slot << VIRTUAL_BITS | number) << 3)
    }

    /// The page in which the table holding `page`'s entry of `level` is seen.
    #[inline]
    pub const fn table(self, level: u32, page: Page) -> Page {
        Page::containing(self.entry(level, page))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(indices: [u64; 4]) -> Page {
        let number = indices.iter().fold(0, |sum, index| sum << INDEX_BITS | index);
        Page::containing(VirtAddr::new_truncate(number << 12))
    }

    #[test]
    fn entries_are_where_the_recursion_puts_them() {
        let page = page([1, 2, 3, 4]);
        assert_eq!(Window::ACTIVE.table(1, page), self::page([510, 1, 2, 3]));
        assert_eq!(Window::ACTIVE.table(2, page), self::page([510, 510, 1, 2]));
        assert_eq!(Window::ACTIVE.table(3, page), self::page([510, 510, 510, 1]));
        assert_eq!(Window::ACTIVE.table(4, page), self::page([510, 510, 510, 510]));
        for (level, index) in [(1, 4), (2, 3), (3, 2), (4, 1)] {
            assert_eq!(Window::ACTIVE.entry(level, page).as_u64() % 4096, index * 8);
        }
    }

    #[test]
    fn foreign_tables_differ_in_the_first_index_alone() {
        let page = page([400, 2, 3, 4]);
        assert_eq!(Window::through(509).table(1, page), self::page([509, 400, 2, 3]));
        assert_eq!(Window::through(509).table(4, page), self::page([509, 510, 510, 510]));
    }
}
