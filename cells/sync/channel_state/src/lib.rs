//! What a channel may do next: the bookkeeping of the rendezvous and of the bounded channel, without data or waiting.
//!
//! Guarantees, to the channel cells, which call this under a lock: a message that was accepted is given out exactly
//! once or, in a rendezvous, exactly once given back; messages of a bounded channel come out in the order in which
//! they went in; a side is told that the other is gone only when nothing is left for it. Nothing here can fail.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod rendezvous;
mod ring;

pub use rendezvous::{Completion, Offer, Rendezvous, Take};
pub use ring::{Ring, Step};

/// How many endpoints of each kind there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoints {
    /// Sending ones.
    pub senders: u32,
    /// Receiving ones.
    pub receivers: u32,
}

impl Endpoints {
    /// One of each: a new channel.
    pub const PAIR: Self = Self { senders: 1, receivers: 1 };
}

#[cfg(test)]
mod tests;
