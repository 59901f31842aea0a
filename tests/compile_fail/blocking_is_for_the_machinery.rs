// expect: this function takes 1 argument but 0 arguments were supplied
// What a task does before it gives up its CPU is one half of blocking; who does only that half keeps interrupts off.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

pub fn ask() {
    let _irq_off = scheduler::begin_to_block(); //~ wrong
    scheduler::assert_may_block(); //~ right
}
