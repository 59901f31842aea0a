// expect: lifetime may not live long enough
// A message that enters a channel lives at least as long as the other endpoint's type says.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use rendezvous::Sender;

pub fn shortened<'short>(sender: Sender<&'static u32>) -> Sender<&'short u32> { //~ wrong
pub fn shortened<'short>(sender: Sender<&'short u32>) -> Sender<&'short u32> { //~ right
    sender
}
