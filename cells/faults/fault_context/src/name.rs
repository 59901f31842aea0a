//! A short name that needs no memory of its own.

use core::fmt;
use core::str;

/// A name of at most 31 bytes, kept in place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name {
    length: u8,
    bytes: [u8; Self::CAPACITY],
}

impl Name {
    /// Bytes that a name can have.
    pub const CAPACITY: usize = 31;
    /// The empty name.
    pub const EMPTY: Self = Self { length: 0, bytes: [0; Self::CAPACITY] };

    /// The name, cut at the last character that fits. Characters that a terminal obeys become `?`: a name is one word of a line
    /// that others read.
    #[allow(clippy::cast_possible_truncation, reason = "the capacity is far below 256")]
    pub fn new(name: &str) -> Self {
        let length = name.floor_char_boundary(Self::CAPACITY);
        let mut bytes = [0; Self::CAPACITY];
        for (byte, &given) in bytes.iter_mut().zip(&name.as_bytes()[..length]) {
            *byte = if given.is_ascii_control() { b'?' } else { given };
        }
        Self { length: length as u8, bytes }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or("?")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
