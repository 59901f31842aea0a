// expect: cannot be sent between threads safely
// A channel leads to another task, so what must stay with its task does not fit in.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

extern crate alloc;

pub fn shared() -> bool {
    let made = async_channel::channel::<alloc::rc::Rc<u32>>(4); //~ wrong
    let made = async_channel::channel::<alloc::sync::Arc<u32>>(4); //~ right
    made.is_ok()
}
