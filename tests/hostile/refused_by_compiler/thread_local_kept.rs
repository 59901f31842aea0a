// expect: lifetime may not live long enough
// A reference to a thread local is kept after the end of its task.

#![no_std]
#![forbid(unsafe_code)]
#![feature(thread_local)]

use core::cell::Cell;

thread_locals::thread_local! {
    static VALUE: Cell<u32> = Cell::new(0);
}

pub fn run() -> u32 {
    let kept: &Cell<u32> = VALUE.with(|value| value); //~ wrong
    let kept = Cell::new(VALUE.with(Cell::get)); //~ right
    kept.get()
}
