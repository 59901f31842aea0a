// expect: cannot be sent between threads safely
// Forbidding preemption concerns the task that does it: the guard cannot go where there is a switch in between.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use cpu_local::PreemptGuard;

pub fn state_transfer() -> Result<(), task::SpawnError> {
    let guard = PreemptGuard::new();
    task::spawn("allows", move || drop(guard))?.detach(); //~ wrong
    drop(guard); //~ right
    Ok(())
}
