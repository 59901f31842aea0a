// expect: cannot be sent between threads safely
// A guard is given to another task, which then lets go of a lock that the first one holds.

#![no_std]
#![forbid(unsafe_code)]

use mutex::Mutex;

static LOCK: Mutex<u32> = Mutex::new(0);

pub fn run() {
    let guard = LOCK.lock();
    let give = move || drop(guard); //~ wrong
    let give = move || drop(LOCK.lock()); //~ right
    if let Ok(task) = task::spawn("other", give) { //~ wrong
    if let Ok(task) = task::spawn("other", give) { //~ right
        task.detach();
    }
}
