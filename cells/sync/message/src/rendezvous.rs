//! A channel without a buffer: a message is either still the sender's or already the receiver's.

use crate::Endpoints;

/// The state of a rendezvous channel. Offers are numbered, so that a sender knows its own.
#[derive(Debug)]
pub struct Rendezvous {
    /// The endpoints that exist.
    pub endpoints: Endpoints,
    /// Whether the latest offer waits to be taken.
    offered: bool,
    /// The number of the latest offer.
    number: u64,
    /// The number of the latest offer that was taken.
    taken: u64,
}

/// What became of an attempt to offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// The message is on offer under this number.
    Made(u64),
    /// Another message is on offer.
    Busy,
    /// There is no receiver.
    Disconnected,
}

/// What became of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// It was taken.
    Taken,
    /// It was not taken yet.
    Pending,
    /// No receiver is left: it is withdrawn, and the message is the sender's again.
    Withdrawn,
}

/// What became of an attempt to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// The message on offer, which has this number, is the receiver's now.
    Taken(u64),
    /// Nothing is on offer.
    Empty,
    /// Nothing is on offer and there is no sender.
    Disconnected,
}

impl Rendezvous {
    /// A channel with one endpoint of each kind and nothing on offer.
    pub const fn new() -> Self {
        Self { endpoints: Endpoints::PAIR, offered: false, number: 0, taken: 0 }
    }

    /// Whether a message waits to be taken.
    #[cfg(test)]
    pub(crate) const fn is_offered(&self) -> bool {
        self.offered
    }

    /// Puts a message on offer if none is.
    #[inline]
    pub fn offer(&mut self) -> Offer {
        if self.endpoints.receivers == 0 {
            return Offer::Disconnected;
        }
        if self.offered {
            return Offer::Busy;
        }
        self.offered = true;
        self.number += 1;
        Offer::Made(self.number)
    }

    /// Asks after the offer `number`.
    #[inline]
    pub fn complete(&mut self, number: u64) -> Completion {
        if self.taken >= number {
            Completion::Taken
        } else if self.endpoints.receivers == 0 {
            self.offered = false;
            Completion::Withdrawn
        } else {
            Completion::Pending
        }
    }

    /// Takes the offer `number` back if it was not taken; whether the message is the sender's again.
    pub fn withdraw(&mut self, number: u64) -> bool {
        if self.taken >= number {
            return false;
        }
        self.offered = false;
        true
    }

    /// Takes the message on offer.
    #[inline]
    pub fn take(&mut self) -> Take {
        if self.offered {
            self.offered = false;
            self.taken = self.number;
            Take::Taken(self.number)
        } else if self.endpoints.senders == 0 {
            Take::Disconnected
        } else {
            Take::Empty
        }
    }
}

impl Default for Rendezvous {
    fn default() -> Self {
        Self::new()
    }
}
