// expect: takes 2 arguments but 1 argument was supplied
// An essential task cannot be ended, so only entitled cells can make one.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use task::{Builder, SpawnError};

fn work() {}

pub fn start() -> Result<(), SpawnError> {
    Builder::new().name("immortal").spawn_essential(work) //~ wrong
    Builder::new().name("mortal").spawn(work).map(|task| drop(task.detach())) //~ right
}
