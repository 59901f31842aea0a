// expect: the feature `allow_internal_unsafe` is not in the list of allowed features
// A macro of the application's own would hide an unsafe block from the lint.

#![no_std]
#![forbid(unsafe_code)]
#![feature(allow_internal_unsafe)] //~ wrong

#[allow_internal_unsafe] //~ wrong
macro_rules! read {
    ($address:expr) => {
        $address
    };
}

pub fn run() -> usize {
    read!(7)
}
