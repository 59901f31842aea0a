// expect: use of moved value
// The right to join is used up by joining: a result is taken once.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

pub fn twice() -> Result<(), task::SpawnError> {
    let child = task::spawn("worker", || 42)?;
    let _first = child.join();
    let _second = child.join(); //~ wrong
    Ok(())
}
