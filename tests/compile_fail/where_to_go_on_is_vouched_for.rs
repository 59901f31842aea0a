// expect: call to unsafe function
// The unwinder jumps to the address in the record, so setting it is unsafe.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

pub fn forget() {
    let Some(context) = fault_context::current() else { return };
    context.catch_top.set(core::ptr::null()); //~ wrong
    let _nothing = context.catch_top.get().is_null(); //~ right
}
