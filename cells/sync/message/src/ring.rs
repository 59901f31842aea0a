//! A channel with a bounded buffer: which place is next to be filled, and which to be emptied.

use crate::Endpoints;

/// The state of a bounded channel.
#[derive(Debug)]
pub struct Ring {
    /// The endpoints that exist.
    pub endpoints: Endpoints,
    capacity: usize,
    first: usize,
    length: usize,
}

/// What an attempt to send or to receive may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The message goes to, or comes from, this place.
    Place(usize),
    /// There is no room, or no message.
    Wait,
    /// No endpoint is left on the other side, and no message of it.
    Disconnected,
}

impl Ring {
    /// An empty channel with one endpoint of each kind and room for `capacity` messages.
    pub const fn new(capacity: usize) -> Self {
        Self { endpoints: Endpoints::PAIR, capacity, first: 0, length: 0 }
    }

    /// Messages in flight.
    #[inline]
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether none is in flight.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// How many can be in flight.
    #[inline]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// The place for a new message.
    #[inline]
    pub fn push(&mut self) -> Step {
        if self.endpoints.receivers == 0 {
            return Step::Disconnected;
        }
        if self.length == self.capacity {
            return Step::Wait;
        }
        let end = self.first + self.length;
        self.length += 1;
        Step::Place(if end >= self.capacity { end - self.capacity } else { end })
    }

    /// The place of the oldest message, which is free afterwards.
    #[inline]
    pub fn pop(&mut self) -> Step {
        if self.length == 0 {
            return if self.endpoints.senders == 0 { Step::Disconnected } else { Step::Wait };
        }
        let place = self.first;
        self.first = if place + 1 == self.capacity { 0 } else { place + 1 };
        self.length -= 1;
        Step::Place(place)
    }
}
