//! Makes many tasks and forgets the right to join each.
//!
//! Ends: returns. All places are free again when its last task has ended.

use core::mem;
use core::time::Duration;

use application::{Environment, Failure};
use task::Builder;

/// A third of the places in the table of tasks, and a third of the memory of the usual machine.
const TASKS: usize = 1400;
/// Bytes of each stack: few, so that there can be many.
const STACK: usize = 16 * 1024;

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let mut made = 0;
    while made < TASKS {
        match Builder::new().name("hostile_lost").stack_size(STACK).spawn(|| ()) {
            Ok(task) => mem::forget(task),
            Err(_) => break,
        }
        made += 1;
    }
    task::sleep(Duration::from_millis(200));
    crate::harmless(environment, format_args!("{made} tasks were forgotten"))
}
