//! A source, line by line.
use crate::Source;
use alloc::vec::Vec;
use application::{Environment, Failure};

/// Bytes that are read at once.
const PIECE: usize = 1024;

/// The lines of a source. The last one may lack its end.
#[derive(Default)]
pub struct Lines {
    bytes: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    ended: bool,
}

impl Lines {
    /// Lines of which none has been read.
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), start: 0, ended: false }
    }

    /// The next line of `source` without its end; `None` behind the last one.
    ///
    /// # Errors
    /// The source cannot be read.
    pub fn next(&mut self, environment: &mut Environment, source: &mut Source) -> Result<Option<&[u8]>, Failure> {
        let mut searched = self.start;
        loop {
            let rest = self.bytes.get(searched..).unwrap_or_default();
            if let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
                let line = self.start..searched + length;
                self.start = line.end + 1;
                return Ok(self.bytes.get(line));
            }
            if self.ended {
                let line = self.start..self.bytes.len();
                self.start = line.end;
                return Ok(self.bytes.get(line).filter(|line| !line.is_empty()));
            }
            self.bytes.drain(..self.start);
            self.start = 0;
            searched = self.bytes.len();
            let mut piece = [0; PIECE];
            let count = source.read(environment, &mut piece)?;
            self.ended = count == 0;
            self.bytes.extend_from_slice(piece.get(..count).unwrap_or_default());
        }
    }
}
