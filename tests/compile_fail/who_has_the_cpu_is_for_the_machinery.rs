// expect: this function takes 2 arguments but 1 argument was supplied
// Giving up the CPU without having said what for loses the task: that is for the cells that vouch for the rules.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use cpu_local::InterruptGuard;

pub fn give_way() {
    scheduler::switch_away(&InterruptGuard::new()); //~ wrong
    scheduler::yield_now(); //~ right
    let _guard = InterruptGuard::new();
}
