// expect: cannot be shared between threads safely
// What recovery knows about a task is in cells that only the task and what interrupts it may use.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

pub fn report() -> Result<(), task::SpawnError> {
    let Some(context) = fault_context::current() else { return Ok(()) };
    task::spawn("reports", move || context.is_unwinding())?.detach(); //~ wrong
    let unwinding = context.is_unwinding();
    task::spawn("reports", move || unwinding)?.detach(); //~ right
    Ok(())
}
