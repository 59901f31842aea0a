// expect: cannot be shared between threads safely
// A static is seen by all CPUs: an unlocked cell cannot be one.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use core::cell::Cell;
use spin_lock::SpinLock;

static COUNT: Cell<u32> = Cell::new(0); //~ wrong
static COUNT: SpinLock<Cell<u32>> = SpinLock::new(Cell::new(0)); //~ right

pub fn address() -> *const () {
    (&raw const COUNT).cast()
}
