// expect: unused `Joinable` that must be used
// A task that nobody joins or lets go is a mistake, and found as one.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

pub fn start() -> Result<(), task::SpawnError> {
    task::spawn("worker", || ())?; //~ wrong
    task::spawn("worker", || ())?.detach(); //~ right
    Ok(())
}
