// expect: cannot be sent between threads safely
// A guard that keeps preemption off counts on its own CPU.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use cpu_local::PreemptGuard;

fn send<T: Send>(_value: T) {}

pub fn state_transfer() {
    let guard = PreemptGuard::new();
    send(guard); //~ wrong
    drop(guard); //~ right
}
