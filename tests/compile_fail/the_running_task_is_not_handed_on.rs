// expect: cannot be sent between threads safely
// The running task's own view of itself lasts as long as it runs; others are given a reference that counts.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

pub fn watch() -> Result<(), task::SpawnError> {
    let Some(current) = task::current() else { return Ok(()) };
    task::spawn("watches", move || current.id())?.detach(); //~ wrong
    let shared = current.share();
    task::spawn("watches", move || shared.id())?.detach(); //~ right
    Ok(())
}
