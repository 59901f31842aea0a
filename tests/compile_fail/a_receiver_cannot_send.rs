// expect: no method named `send` found
// Each end of a channel does one thing.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use async_channel::Receiver;

pub fn answer(receiver: &Receiver<u32>) -> bool {
    let _sent = receiver.send(1); //~ wrong
    receiver.try_receive().is_ok()
}
