//! One record as one line of text.

use core::fmt::{self, Write};
use core::time::Duration;

use log::{Level, Record};

/// Bytes in the longest line, with its line feed; a quarter of this is usual.
pub const LINE: usize = 512;

/// Stands at the end of a line that was cut.
const CUT: &[u8] = b"...\n";

/// The sequences that begin and end a colour (ECMA-48, 8.3.117).
const RED: &[u8] = b"\x1b[31m";
const YELLOW: &[u8] = b"\x1b[33m";
const DIM: &[u8] = b"\x1b[2m";
const NORMAL: &[u8] = b"\x1b[0m";
/// The longest two of them.
const COLOUR: usize = RED.len() + NORMAL.len();

pub(crate) struct Line {
    bytes: [u8; LINE],
    length: usize,
    /// The length of the part before the text.
    head: usize,
}

/// A line with its colour.
pub(crate) struct Coloured {
    bytes: [u8; LINE + COLOUR],
    length: usize,
}

impl Coloured {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn push(&mut self, part: &[u8]) {
        self.bytes[self.length..self.length + part.len()].copy_from_slice(part);
        self.length += part.len();
    }
}

impl Line {
    /// Formats a record.
    pub(crate) fn of(time: Duration, cpu: u32, record: &Record) -> Self {
        let mut line = Self { bytes: [0; LINE], length: 0, head: 0 };
        let cell = record.target().split("::").next().unwrap_or_default();
        // Only a full line makes this fail, and then it ends in the mark for that.
        let _cut =
            write!(line, "[{}.{:06} cpu{cpu} {:<5} {cell}] ", time.as_secs(), time.subsec_micros(), record.level(),);
        line.head = line.length;
        let _cut = line.write_fmt(*record.args());
        line.end();
        line
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The line as a terminal with colours shows it: errors and warnings as a whole, the head of information, and details.
    pub(crate) fn coloured(&self, level: Level) -> Coloured {
        let (text, end) = self.bytes().split_at(self.length - 1);
        let (colour, until) = match level {
            Level::Error => (RED, text.len()),
            Level::Warn => (YELLOW, text.len()),
            Level::Info => (DIM, self.head.min(text.len())),
            Level::Debug | Level::Trace => (DIM, text.len()),
        };
        let mut coloured = Coloured { bytes: [0; LINE + COLOUR], length: 0 };
        for part in [colour, &text[..until], NORMAL, &text[until..], end] {
            coloured.push(part);
        }
        coloured
    }

    fn end(&mut self) {
        if self.length < LINE {
            self.bytes[self.length] = b'\n';
            self.length += 1;
        } else {
            self.bytes[LINE - CUT.len()..].copy_from_slice(CUT);
        }
    }
}

impl Write for Line {
    /// Control characters inside a record become spaces: a line is a line, and no terminal obeys what it tells.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            let place = self.bytes.get_mut(self.length).ok_or(fmt::Error)?;
            *place = if byte.is_ascii_control() { b' ' } else { byte };
            self.length += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(arguments: fmt::Arguments) -> String {
        let record = Record::builder().level(Level::Warn).target("frames::buddy").args(arguments).build();
        String::from_utf8(Line::of(Duration::from_micros(12_000_345), 3, &record).bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_line_says_when_where_and_who() {
        assert_eq!(text(format_args!("{} frames\nleft", 7)), "[12.000345 cpu3 WARN  frames] 7 frames left\n");
    }

    #[test]
    fn a_line_has_the_colour_of_its_level() {
        let shown = |level, text: &str| {
            let arguments = format_args!("{text}");
            let line =
                Line::of(Duration::ZERO, 0, &Record::builder().level(level).target("frames").args(arguments).build());
            String::from_utf8(line.coloured(level).bytes().to_vec()).unwrap()
        };
        assert_eq!(shown(Level::Info, "x"), "\x1b[2m[0.000000 cpu0 INFO  frames] \x1b[0mx\n");
        assert_eq!(shown(Level::Warn, "x"), "\x1b[33m[0.000000 cpu0 WARN  frames] x\x1b[0m\n");
        assert_eq!(shown(Level::Error, "x"), "\x1b[31m[0.000000 cpu0 ERROR frames] x\x1b[0m\n");
        assert!(shown(Level::Error, &"x".repeat(600)).ends_with("...\x1b[0m\n"));
    }

    #[test]
    fn a_long_line_is_cut_visibly() {
        let line = text(format_args!("{:600}", "x"));
        assert_eq!(line.len(), LINE);
        assert!(line.ends_with("...\n"));
    }
}
