// expect: lifetime may not live long enough
// What lies in a channel is dropped with the last endpoint, so none may outlive what its messages borrow.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use async_channel::Sender;

pub fn lengthened<'short>(sender: Sender<&'short u32>) -> Sender<&'static u32> { //~ wrong
pub fn lengthened<'short>(sender: Sender<&'short u32>) -> Sender<&'short u32> { //~ right
    sender
}
