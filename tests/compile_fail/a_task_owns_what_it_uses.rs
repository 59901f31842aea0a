// expect: may outlive the current function
// A task can outlive the function that made it, so it borrows nothing from there.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

pub fn count() -> Result<(), task::SpawnError> {
    let number = 7;
    task::spawn("reads", || number + 1)?.detach(); //~ wrong
    task::spawn("reads", move || number + 1)?.detach(); //~ right
    Ok(())
}
