// expect: call to unsafe function
// The function of a hook is called for as long as the system runs, and an application can be unloaded.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

pub fn hooked() -> usize {
    0
}

pub fn set() -> usize {
    frames::SPARE_FRAMES.set(hook::HookCap::new(), hooked); //~ wrong
    frames::SPARE_FRAMES.get()()
}
