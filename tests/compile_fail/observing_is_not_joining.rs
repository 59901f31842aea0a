// expect: no method named `join` found
// Who may look at a task has no claim on its result.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use task::TaskRef;

pub fn result(observer: TaskRef) -> bool {
    let _result = observer.join(); //~ wrong
    observer.ended().is_some()
}
