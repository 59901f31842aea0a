// expect: no method named `kill` found
// To observe a task and to end it are two rights.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use task::{KillCapability, TaskRef};

pub fn end(observer: &TaskRef, owner: &KillCapability) -> bool {
    let _name = observer.name();
    let _killed = observer.kill(); //~ wrong
    owner.kill()
}
