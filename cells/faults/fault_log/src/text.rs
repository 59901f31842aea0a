//! Text of limited length, in place.

use core::fmt::{self, Write};
use core::str;

/// At most 127 bytes of text; a longer text is cut off.
#[derive(Clone, Copy)]
pub struct Text {
    length: u8,
    bytes: [u8; Self::CAPACITY],
}

impl Text {
    /// Bytes that fit.
    pub const CAPACITY: usize = 127;
    /// No text.
    pub const EMPTY: Self = Self { length: 0, bytes: [0; Self::CAPACITY] };

    /// The text that formatting gives.
    pub fn of(arguments: fmt::Arguments<'_>) -> Self {
        let mut text = Self::EMPTY;
        // A text that is cut off is reported as an error of formatting; here that is no error.
        let _ = text.write_fmt(arguments);
        text
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or("?")
    }
}

impl Write for Text {
    #[allow(clippy::cast_possible_truncation, reason = "the capacity is far below 256")]
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let start = usize::from(self.length);
        let fits = more.floor_char_boundary(Self::CAPACITY - start);
        self.bytes[start..start + fits].copy_from_slice(&more.as_bytes()[..fits]);
        self.length += fits as u8;
        if fits == more.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
