// expect: this function takes 1 argument but 0 arguments were supplied
// A task blocks in two halves. A program that could do the first half alone would keep interrupts off.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

pub fn ask() {
    let _irq_off = scheduler::begin_to_block(); //~ wrong
    scheduler::assert_may_block(); //~ right
}
