// expect: lifetime may not live long enough
// Nobody may put a message into a channel that does not live as long as another endpoint says.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use rendezvous::Sender;

pub fn shortened<'short>(sender: Sender<&'static u32>) -> Sender<&'short u32> { //~ wrong
pub fn shortened<'short>(sender: Sender<&'short u32>) -> Sender<&'short u32> { //~ right
    sender
}
