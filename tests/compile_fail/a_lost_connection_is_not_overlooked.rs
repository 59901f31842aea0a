// expect: unused `Result` that must be used
// A message without a receiver comes back, and the sender must look.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use async_channel::Sender;

pub fn report(sender: &Sender<u32>) -> bool {
    sender.send(1); //~ wrong
    sender.send(1).is_ok()
}
