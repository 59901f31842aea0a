//! The numbers of CPUs, and sets of them.

use core::fmt;

/// The most CPUs that the system starts: the width of [`CpuSet`] and of arrays with an entry for each CPU.
pub const MAX_CPUS: usize = LIMIT as usize;
/// The same as a number of a CPU.
pub(crate) const LIMIT: u32 = 32;

/// A CPU, numbered from 0 (the boot CPU) in the order in which the CPUs were started.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CpuId(u32);

impl CpuId {
    /// The CPU with the number that stands in its own block.
    #[inline]
    pub(crate) const fn of_this_block(number: u32) -> Self {
        Self(number)
    }

    /// The CPU that the firmware started.
    pub const BOOT: Self = Self(0);

    /// The CPU with this number, if it is below [`MAX_CPUS`].
    pub const fn new(number: u32) -> Option<Self> {
        if (number as usize) < MAX_CPUS { Some(Self(number)) } else { None }
    }

    /// The number, below [`MAX_CPUS`].
    #[inline]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The number as an index into arrays of [`MAX_CPUS`].
    #[inline]
    pub const fn index(self) -> usize {
        // The mask changes nothing; it spares the bounds check of the array.
        self.0 as usize & (MAX_CPUS - 1)
    }
}

impl fmt::Display for CpuId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A set of CPUs.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct CpuSet(u32);

impl CpuSet {
    /// No CPU.
    pub const EMPTY: Self = Self(0);

    /// The set that has member *n* if bit *n* is set.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// Bit *n* is member *n*.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether `cpu` is a member.
    pub const fn contains(self, cpu: CpuId) -> bool {
        self.0 & 1 << cpu.0 != 0
    }

    /// This set and `cpu`.
    #[must_use]
    pub const fn with(self, cpu: CpuId) -> Self {
        Self(self.0 | 1 << cpu.0)
    }

    /// This set without `cpu`.
    #[must_use]
    pub const fn without(self, cpu: CpuId) -> Self {
        Self(self.0 & !(1 << cpu.0))
    }

    /// How many members.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether there is no member.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members in ascending order.
    pub fn iter(self) -> impl Iterator<Item = CpuId> {
        (0..LIMIT).map(CpuId).filter(move |&cpu| self.contains(cpu))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        let (one, last) = (CpuId::new(1).unwrap(), CpuId::new(31).unwrap());
        let set = CpuSet::EMPTY.with(one).with(last);
        assert_eq!(set.iter().collect::<Vec<_>>(), vec![one, last]);
        assert_eq!(set.without(one).len(), 1);
        assert!(set.contains(last) && !set.contains(CpuId::BOOT));
    }

    #[test]
    fn numbers_stop_at_the_limit() {
        assert!(CpuId::new(MAX_CPUS as u32).is_none());
    }
}
