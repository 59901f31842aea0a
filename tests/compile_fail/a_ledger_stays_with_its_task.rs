// expect: cannot be shared between threads safely
// The ledger of a task's locks goes with the task: a reference to it does not leave for another one.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

fn travels(_what: impl Send) {}

pub fn leave() -> u64 {
    let ledger = cpu_local::ledger();
    travels(ledger); //~ wrong
    travels(ledger.owner()); //~ right
    ledger.owner()
}
