// expect: cannot be sent between threads safely
// What is counted without atomics stays with one task.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

extern crate alloc;

use alloc::{rc::Rc, sync::Arc};

pub fn share() -> Result<(), task::SpawnError> {
    let (mine, everybodys) = (Rc::new(7), Arc::new(7));
    task::spawn("reads", move || *mine + 1)?.detach(); //~ wrong
    task::spawn("reads", move || *everybodys + 1)?.detach(); //~ right
    Ok(())
}
