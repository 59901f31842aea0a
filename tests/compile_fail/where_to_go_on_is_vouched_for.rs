// expect: call to unsafe function
// The unwinder goes where the record says: whoever sets it vouches for it.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

pub fn forget() {
    let Some(context) = fault_context::current() else { return };
    context.catch_top.set(core::ptr::null()); //~ wrong
    let _nothing = context.catch_top.get().is_null(); //~ right
}
