// expect: access to union field is unsafe
// A union shows the bytes of a number as a reference.

#![no_std]
#![forbid(unsafe_code)]

pub union Both {
    pub number: usize,
    pub reference: &'static u64,
}

pub fn run(both: Both) -> u64 {
    *both.reference //~ wrong
    both_number(both) //~ right
}

const fn both_number(_both: Both) -> u64 {
    7
}
