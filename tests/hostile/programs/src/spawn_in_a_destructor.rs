//! Makes tasks in a destructor that runs because of a panic, and in that of a thread local at the end of its task.
//!
//! Ends: panics. The new tasks run, and their code stays loaded until they have ended.

use core::time::Duration;

use application::{Environment, Failure};

struct Spawns;

impl Drop for Spawns {
    fn drop(&mut self) {
        let late = || task::sleep(Duration::from_millis(100));
        if let Ok(task) = task::spawn("hostile_late", late) {
            task.detach();
        }
    }
}

thread_locals::thread_local! {
    static AT_THE_END: Spawns = Spawns;
}

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    AT_THE_END.with(|_| ());
    let _spawns = Spawns;
    crate::harmless(environment, "about to panic")?;
    panic!("with a destructor that makes a task");
}
