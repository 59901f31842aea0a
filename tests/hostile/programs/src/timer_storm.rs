//! Has hundreds of tasks wait for moments that are all the same, all different, past, or never.
//!
//! Ends: returns. Each timer goes off; those that never do are ended.

use alloc::vec::Vec;
use core::time::Duration;

use application::{Environment, Failure};
use task::Builder;

const TASKS: u32 = 300;

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let same = clock::now() + Duration::from_millis(300);
    let mut tasks = Vec::new();
    for number in 0..TASKS {
        let wait = move || match number % 4 {
            0 => task::sleep_until(same),
            1 => task::sleep(Duration::from_micros(u64::from(number) * 997)),
            2 => task::sleep(Duration::ZERO),
            _ => task::sleep(Duration::MAX),
        };
        tasks.push((
            number,
            Builder::new().name("hostile_timer").stack_size(8192).spawn(wait).map_err(Failure::refused)?,
        ));
    }
    for (number, task) in tasks {
        let never = number % 4 == 3;
        if never {
            task.kill_capability().kill();
        }
        crate::expect(task.join().is_err() == never, format_args!("task {number} ended otherwise"))?;
    }
    crate::harmless(environment, format_args!("{TASKS} tasks waited"))
}
