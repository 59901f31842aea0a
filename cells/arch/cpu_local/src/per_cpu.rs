//! One value per CPU.

use core::ops::Index;

use crate::{CpuId, MAX_CPUS, PreemptGuard, cpu_id};

/// A value for each CPU, for use in a `static`, found by the CPU and by no other number.
///
/// `T` is shared between the tasks of its CPU, interrupt handlers there and other CPUs that look, so a static of it wants a
/// `T` that is `Sync`: atomics, or something locked.
#[derive(Debug)]
pub struct PerCpu<T>([T; MAX_CPUS]);

impl<T> PerCpu<T> {
    /// These values, in the order of the CPUs' numbers.
    pub const fn new(values: [T; MAX_CPUS]) -> Self {
        Self(values)
    }

    /// This CPU's value, for as long as the caller stays on the CPU.
    #[inline]
    pub fn here<'a>(&'a self, _stay: &'a PreemptGuard) -> &'a T {
        &self[cpu_id()]
    }

    /// All values, in the order of the CPUs' numbers.
    pub fn iter(&self) -> impl Iterator<Item = (CpuId, &T)> {
        (0..).map_while(CpuId::new).zip(&self.0)
    }
}

impl<T> Index<CpuId> for PerCpu<T> {
    type Output = T;

    /// The value of `cpu`, which may be another one, or be left by the caller at any time.
    #[inline]
    fn index(&self, cpu: CpuId) -> &T {
        &self.0[cpu.index()]
    }
}
