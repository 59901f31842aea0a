// expect: call to unsafe function
// The tables get a change only from code that has exchanged the words, or they would name cells that do not run.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use replacement::Prepared;

pub fn enter(mut prepared: Prepared) {
    prepared.commit(); //~ wrong
    drop(prepared); //~ right
}
