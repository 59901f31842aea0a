//! One value per CPU.

use core::mem::{ManuallyDrop, MaybeUninit};

use spin::Once;

use crate::{CpuId, InterruptGuard, MAX_CPUS, PreemptGuard, cpu_id};

/// A value for each CPU, for use in a `static`. The values are made when they are first used, each by the function
/// given, with interrupts off (so it must be short and must not use this value).
///
/// `T` is shared between the task that uses it, interrupt handlers on the same CPU and other CPUs that look, so it
/// must be `Sync`: atomics, or something locked.
#[derive(Debug)]
pub struct PerCpu<T> {
    values: [Once<T>; MAX_CPUS],
    make: Option<fn(CpuId) -> T>,
}

impl<T> PerCpu<T> {
    /// Values that are there from the start.
    pub const fn new(initial: [T; MAX_CPUS]) -> Self {
        let initial = ManuallyDrop::new(initial);
        let source = (&raw const initial).cast::<T>();
        let mut values = MaybeUninit::<[Once<T>; MAX_CPUS]>::uninit();
        let target = values.as_mut_ptr().cast::<Once<T>>();
        let mut cpu = 0;
        while cpu < MAX_CPUS {
            // SAFETY: both arrays have this element; each is read once and written once, and the array that was read
            // from is never dropped.
            unsafe { target.add(cpu).write(Once::initialized(source.add(cpu).read())) };
            cpu += 1;
        }
        // SAFETY: the loop wrote every element.
        let values = unsafe { values.assume_init() };
        Self { values, make: None }
    }

    /// Values that `make` gives when each is first used.
    pub const fn new_with(make: fn(CpuId) -> T) -> Self {
        Self { values: [const { Once::new() }; MAX_CPUS], make: Some(make) }
    }

    /// Uses this CPU's value; the caller stays on the CPU meanwhile.
    #[inline]
    pub fn with<R>(&self, work: impl FnOnce(&T) -> R) -> R {
        let _stay = PreemptGuard::new();
        work(self.value(cpu_id()))
    }

    /// The value of another CPU (or of this one, without staying on it).
    #[inline]
    pub fn get_remote(&self, cpu: CpuId) -> &T
    where
        T: Sync,
    {
        self.value(cpu)
    }

    #[inline]
    fn value(&self, cpu: CpuId) -> &T {
        let place = &self.values[cpu.index()];
        match place.get() {
            Some(value) => value,
            None => self.make(cpu, place),
        }
    }

    #[cold]
    fn make<'a>(&self, cpu: CpuId, place: &'a Once<T>) -> &'a T {
        // An interrupt handler that waited for the task it interrupted would wait for ever.
        let _undisturbed = InterruptGuard::new();
        place.call_once(|| match self.make {
            Some(make) => make(cpu),
            // `new` fills all places and nothing empties them.
            None => unreachable!("a value given at construction is missing"),
        })
    }
}
