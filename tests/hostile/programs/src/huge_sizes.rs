//! Asks for sizes and times at the edge of a number's range.
//!
//! Ends: returns. Each is refused with an error, or kept within bounds.

use alloc::vec::Vec;
use core::time::Duration;

use application::{Environment, Failure};
use task::{Builder, CpuSet};

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    for capacity in [usize::MAX, usize::MAX / 2, 1 << 48] {
        crate::expect(async_channel::channel::<u64>(capacity).is_err(), "a channel is larger than memory")?;
        crate::expect(async_channel::channel::<[u8; 4096]>(capacity).is_err(), "a channel is larger than memory")?;
    }
    for size in [usize::MAX, usize::MAX - 4095, 1 << 47, 1 << 40] {
        let task = Builder::new().stack_size(size).spawn(|| ());
        if let Ok(task) = task {
            task.detach();
            crate::expect(false, format_args!("there is a stack of {size} bytes"))?;
        }
        crate::expect(Vec::<u8>::new().try_reserve(size).is_err(), "a vector is larger than memory")?;
    }
    if let Ok(task) = Builder::new().affinity(CpuSet::EMPTY).spawn(|| ()) {
        task.detach();
        crate::expect(false, "a task runs on no CPU")?;
    }
    let sleeper = task::spawn("hostile_sleeper", || task::sleep(Duration::MAX)).map_err(Failure::refused)?;
    task::sleep(Duration::from_millis(20));
    crate::expect(!sleeper.has_ended(), "the longest sleep is short")?;
    sleeper.kill_capability().kill();
    crate::expect(sleeper.join().is_err(), "a sleeper was not ended")?;
    crate::harmless(environment, "every size was refused")
}
