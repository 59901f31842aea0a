// expect: lifetime may not live long enough
// A reference to a thread local ends with the closure that it is given to.

#![no_std]
#![forbid(unsafe_code)]
#![feature(thread_local)]
#![deny(unused_must_use)]

thread_locals::thread_local! {
    static DEPTH: u32 = 0;
}

pub fn depth() -> u32 {
    let depth: &'static u32 = DEPTH.with(|depth| depth); //~ wrong
    let depth: &u32 = &DEPTH.with(|depth| *depth); //~ right
    *depth
}
