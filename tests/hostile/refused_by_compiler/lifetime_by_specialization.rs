// expect: the feature `specialization` is not in the list of allowed features
// Specialization chooses an implementation by a lifetime, which lends a value for longer than it lives.

#![no_std]
#![forbid(unsafe_code)]
#![allow(incomplete_features)]
#![feature(specialization)] //~ wrong

pub trait Lend<T> {
    fn lend(self, value: T) -> T;
}

impl<T, U> Lend<T> for U {
    fn lend(self, value: T) -> T {
        value
    }
}
