//! Asks for the highest priority for tasks that compute on all CPUs.
//!
//! Ends: returns. A task of an application has at most the normal priority, so the system's tasks get their turn.

use alloc::vec::Vec;
use core::hint::black_box;
use core::time::Duration;

use application::{Environment, Failure};
use task::{Builder, Priority};

const TASKS: usize = 16;
const LENGTH: Duration = Duration::from_secs(3);

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let end = clock::now() + LENGTH;
    let compute = move || {
        while clock::now() < end {
            black_box(end);
        }
        task::current().map(|task| task.share().priority())
    };
    let mut tasks = Vec::new();
    for _ in 0..TASKS {
        let builder = Builder::new().name("hostile_urgent").priority(Priority::HIGHEST);
        tasks.push(builder.spawn(compute).map_err(Failure::refused)?);
    }
    for task in tasks {
        let priority = task.join().ok().flatten();
        crate::expect(priority <= Some(Priority::NORMAL), format_args!("a task had the priority {priority:?}"))?;
    }
    crate::harmless(environment, format_args!("{TASKS} tasks computed"))
}
