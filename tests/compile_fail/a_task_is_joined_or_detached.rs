// expect: unused `Joinable` that must be used
// A task is joined or detached. A program that does neither does not compile.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

pub fn start() -> Result<(), task::SpawnError> {
    task::spawn("worker", || ())?; //~ wrong
    task::spawn("worker", || ())?.detach(); //~ right
    Ok(())
}
