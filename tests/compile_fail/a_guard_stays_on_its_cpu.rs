// expect: cannot be sent between threads safely
// A spin lock guard keeps interrupts off on this CPU: it cannot move to another task.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use spin_lock::SpinLock;


static COUNT: SpinLock<u32> = SpinLock::new(0);

fn send<T: Send>(_value: T) {}

pub fn state_transfer() {
    let guard = COUNT.lock();
    send(guard); //~ wrong
    send(*guard); //~ right
}
