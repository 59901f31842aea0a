// expect: mismatched types
// The core of a channel moves bytes; its endpoints know what they are.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use rendezvous::Sender;

pub fn report(sender: &Sender<u32>) -> bool {
    let sent = sender.send("text"); //~ wrong
    let sent = sender.send(7); //~ right
    sent.is_ok()
}
