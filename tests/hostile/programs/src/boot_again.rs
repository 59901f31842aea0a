//! Repeats the work of the boot: starts the clock, the real-time clock and a CPU.
//!
//! Ends: panics. A started device stays as it is, so the clock goes on from where it was; a CPU that runs tasks is not
//! started.

use core::time::Duration;

use application::{Environment, Failure};
use task::CpuId;

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let (rate, boot) = (clock::ticks_per_second(), clock::boot_instant());
    let before = clock::since_boot();
    clock::init(clock::now());
    crate::expect(clock::boot_instant() == boot && clock::ticks_per_second() == rate, "the clock was started anew")?;
    let date = real_time_clock::now().map(|date| date.seconds_since_1970());
    let _again = real_time_clock::init();
    let now = real_time_clock::now().map(|date| date.seconds_since_1970());
    let near = date.zip(now).is_some_and(|(before, now)| now.abs_diff(before) < 60);
    crate::expect(near && clock::since_boot() - before < Duration::from_secs(60), "the date has jumped")?;
    crate::harmless(environment, "the clocks are as they were")?;
    environment.output().flush()?;
    task::start_cpu(CpuId::BOOT)
}
