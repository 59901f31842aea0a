// expect: the trait bound `Everything: mapping::rights::sealed::Sealed` is not satisfied
// The set of rights is closed: no cell can add one, for instance to write and to execute.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use mapping::Rights;

#[derive(Clone, Copy)]
pub struct Everything;

impl mapping::Permission for Everything { //~ wrong
impl Everything { //~ right
    const RIGHTS: Rights = Rights::Executable;
}
