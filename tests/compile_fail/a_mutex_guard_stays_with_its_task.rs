// expect: cannot be sent between threads safely
// A mutex names its holder, so a guard cannot move to another task.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use mutex::Mutex;

static COUNT: Mutex<u32> = Mutex::new(0);

pub fn state_transfer() -> Result<(), task::SpawnError> {
    let Ok(guard) = COUNT.lock() else { return Ok(()) };
    task::spawn("unlocks", move || drop(guard))?.detach(); //~ wrong
    drop(guard); //~ right
    Ok(())
}
