// expect: no method named `join` found
// The right to observe a task is no claim on its result.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use task::TaskRef;

pub fn result(observer: TaskRef) -> bool {
    let _result = observer.join(); //~ wrong
    observer.ended().is_some()
}
