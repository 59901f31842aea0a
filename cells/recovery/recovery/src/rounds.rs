//! The loop of the supervisor's task: restarts, and looks for deadlocks.

use core::time::Duration;

use task::{Builder, Priority, SpawnError};

use crate::ESSENTIAL;

/// How soon after a notice to look for the end that it announced; the pause doubles until it is as long as that between
/// two looks for deadlocks. A prompt end is found promptly, and a destructor that takes its time costs little.
const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// Starts the task. It is essential: a fault costs it one round, and it cannot be ended.
pub(crate) fn start() -> Result<(), SpawnError> {
    // Above the children: a failed one is to be restarted even if others keep the CPUs busy.
    let priority = Priority::new(Priority::NORMAL.level() + 1).unwrap_or(Priority::NORMAL);
    Builder::new().name("supervisor").priority(priority).spawn_essential(ESSENTIAL, run)?;
    Ok(())
}

fn run() {
    let mut pause = watchdog::LOOK_INTERVAL;
    let mut next_watch = clock::now();
    loop {
        pause = if supervisor::take_notice() { FIRST_PAUSE } else { (pause * 2).min(watchdog::LOOK_INTERVAL) };
        let next_start = supervisor::round();
        let now = clock::now();
        if now >= next_watch {
            watchdog::look_for_deadlocks();
            next_watch = now + watchdog::LOOK_INTERVAL;
        }
        let next_look = next_watch.min(now + pause);
        supervisor::wait_for_notice(next_start.map_or(next_look, |start| start.min(next_look)));
    }
}
