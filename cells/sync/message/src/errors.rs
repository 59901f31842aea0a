//! Why a message did not pass.

use core::fmt;

/// A message that was not sent.
#[derive(PartialEq, Eq)]
pub enum SendError<T> {
    /// No receiver is left.
    Disconnected(T),
    /// It would have had to wait, for room or for a receiver, longer than it was to.
    WouldWait(T),
}

impl<T> SendError<T> {
    /// The message.
    pub fn into_message(self) -> T {
        match self {
            Self::Disconnected(message) | Self::WouldWait(message) => message,
        }
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disconnected(_) => "Disconnected",
            Self::WouldWait(_) => "WouldWait",
        })
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disconnected(_) => "the channel has no receiver any more",
            Self::WouldWait(_) => "the channel had no room, or no receiver, in time",
        })
    }
}

impl<T> core::error::Error for SendError<T> {}

/// Why nothing was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiveError {
    /// No sender is left, nor any message.
    Disconnected,
    /// There is no message, or there was none until the deadline.
    Empty,
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disconnected => "the channel has no sender any more",
            Self::Empty => "the channel has no message",
        })
    }
}

impl core::error::Error for ReceiveError {}
