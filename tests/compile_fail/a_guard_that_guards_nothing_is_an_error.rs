// expect: unused
// A guard that is dropped at once keeps nothing away.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use cpu_local::PreemptGuard;

pub fn critical() {
    PreemptGuard::new(); //~ wrong
    let _guard = PreemptGuard::new(); //~ right
}
