//! One record as one line of text.

use core::fmt::{self, Write};
use core::time::Duration;

use log::Record;

/// Bytes in the longest line, with its line feed; a quarter of this is usual.
pub const LINE: usize = 512;

/// Stands at the end of a line that was cut.
const CUT: &[u8] = b"...\n";

pub(crate) struct Line {
    bytes: [u8; LINE],
    length: usize,
}

impl Line {
    /// Formats a record.
    pub(crate) fn of(time: Duration, cpu: u32, record: &Record) -> Self {
        let mut line = Self { bytes: [0; LINE], length: 0 };
        let cell = record.target().split("::").next().unwrap_or_default();
        // Only a full line makes this fail, and then it ends in the mark for that.
        let _cut = write!(
            line,
            "[{}.{:06} cpu{cpu} {:<5} {cell}] {}",
            time.as_secs(),
            time.subsec_micros(),
            record.level(),
            record.args()
        );
        line.end();
        line
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
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
    /// Line feeds inside a record become spaces: a line is a line.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            let place = self.bytes.get_mut(self.length).ok_or(fmt::Error)?;
            *place = if byte == b'\n' || byte == b'\r' { b' ' } else { byte };
            self.length += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use log::Level;

    fn text(arguments: fmt::Arguments) -> String {
        let record = Record::builder().level(Level::Warn).target("frames::buddy").args(arguments).build();
        String::from_utf8(Line::of(Duration::from_micros(12_000_345), 3, &record).bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_line_says_when_where_and_who() {
        assert_eq!(text(format_args!("{} frames\nleft", 7)), "[12.000345 cpu3 WARN  frames] 7 frames left\n");
    }

    #[test]
    fn a_long_line_is_cut_visibly() {
        let line = text(format_args!("{:600}", "x"));
        assert_eq!(line.len(), LINE);
        assert!(line.ends_with("...\n"));
    }
}
