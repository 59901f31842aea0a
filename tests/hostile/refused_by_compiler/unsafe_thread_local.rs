// expect: usage of an `unsafe` block
// The initialiser of a thread local stands in a macro that may use unsafe, which does not make its text safe.

#![no_std]
#![forbid(unsafe_code)]
#![feature(thread_local)]

thread_locals::thread_local! {
    static VALUE: u32 = unsafe { *(0x1000 as *const u32) }; //~ wrong
    static VALUE: u32 = 7; //~ right
}

pub fn run() -> u32 {
    VALUE.get()
}
