// expect: cannot be sent between threads safely
// A guard that keeps interrupts off belongs to its own CPU.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use cpu_local::InterruptGuard;

fn send<T: Send>(_value: T) {}

pub fn state_transfer() {
    let guard = InterruptGuard::new();
    send(guard); //~ wrong
    drop(guard); //~ right
}
