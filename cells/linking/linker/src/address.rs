//! Addresses in the loader's tables.

use core::fmt;

/// An address as the loader's tables keep it: inverted. A conservative scan for references to a replaced cell goes over the
/// whole heap, the tables included; their notes about the cell must not look like references to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Address(u64);

impl Address {
    /// Conceals `address`.
    #[must_use]
    pub const fn new(address: u64) -> Self {
        Self(!address)
    }

    /// The address.
    #[must_use]
    pub const fn get(self) -> u64 {
        !self.0
    }
}

impl Default for Address {
    fn default() -> Self {
        Self::new(0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.get())
    }
}
