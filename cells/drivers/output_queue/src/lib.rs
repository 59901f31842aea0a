//! The bytes on their way to the terminal, and the state of the line that the user is typing while other tasks write.
//!
//! To the console: bytes leave in the order they came, each group in one piece. The edited line is in one of three states:
//! not there, on the screen, or erased. Output that comes while it is on the screen erases it first, in the same piece; then
//! its editor alone draws it again, once for any number of outputs. An editor that did not notice yet cannot draw a part of it
//! by mistake. It neither allocates nor waits, so it serves inside a lock that an interrupt handler takes.
#![no_std]
#![forbid(unsafe_code)]

use byte_queue::ByteQueue;

/// To the start of the row, and nothing to its right.
const ERASE: &[u8] = b"\r\x1b[K";
const NEXT_ROW: &[u8] = b"\r\n";

/// Where the edited line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// There is none, or nothing of it is shown.
    Absent,
    /// On the screen, the cursor in it.
    Shown,
    /// It was, until another task wrote.
    Erased,
}

/// The fate of a group of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// All of them are on their way.
    Taken,
    /// So they are, and the edited line was erased for them: its editor is to be told.
    TakenAndErased,
    /// None is: there is no room now.
    NoRoom,
    /// None is: they change a line that was erased, so it must be drawn whole.
    Outdated,
}

/// A queue of `N` bytes and the state of the edited line behind them.
pub struct Outgoing<const N: usize> {
    queue: ByteQueue<N>,
    line: Line,
    /// Text that did not come through the queue left the cursor at the start of a row.
    bypassed: bool,
}

impl<const N: usize> Outgoing<N> {
    /// Nothing on its way, no line, and the cursor at the start of a row.
    pub const fn new() -> Self {
        Self { queue: ByteQueue::new(), line: Line::Absent, bypassed: false }
    }

    /// Whether nothing waits.
    pub const fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether the edited line is to be drawn again.
    pub fn is_erased(&self) -> bool {
        self.line == Line::Erased
    }

    /// Whether the row with the cursor is the edited line, and nothing waits that would change that.
    pub fn is_line_shown(&self) -> bool {
        self.line == Line::Shown && self.queue.is_empty()
    }

    /// Takes note of text that went to the terminal past the queue, on rows of its own: an edited line is not on the
    /// screen any more. True if its editor is to be told.
    pub fn bypass(&mut self) -> bool {
        self.bypassed = self.queue.is_empty();
        let shown = self.line == Line::Shown;
        if shown {
            self.line = Line::Erased;
        }
        shown
    }

    /// Takes the output of all but the editor; with `fresh`, it begins a row.
    pub fn write(&mut self, bytes: &[u8], fresh: bool) -> Outcome {
        let shown = self.line == Line::Shown && !bytes.is_empty();
        let before = match (shown, fresh && !self.is_at_start()) {
            (true, _) => ERASE,
            (false, true) => NEXT_ROW,
            (false, false) => &[],
        };
        let taken = self.push(before, bytes);
        if taken == Outcome::Taken && shown {
            self.line = Line::Erased;
            return Outcome::TakenAndErased;
        }
        taken
    }

    /// Takes a whole edited line, with its prompt: it begins a row, so output without an end of line stays.
    pub fn draw(&mut self, bytes: &[u8]) -> Outcome {
        let beside = self.line != Line::Shown && !self.is_at_start();
        self.edit_as(Line::Shown, if beside { NEXT_ROW } else { &[] }, bytes)
    }

    /// Takes a change of the edited line, unless that was erased.
    pub fn change(&mut self, bytes: &[u8]) -> Outcome {
        if self.is_erased() { Outcome::Outdated } else { self.edit_as(Line::Shown, &[], bytes) }
    }

    /// Takes the last of a line, unless that was erased. From then on there is none.
    pub fn finish(&mut self, bytes: &[u8]) -> Outcome {
        if self.is_erased() { Outcome::Outdated } else { self.edit_as(Line::Absent, &[], bytes) }
    }

    /// Takes the last word about a line that is given up, wherever it is.
    pub fn give_up(&mut self, bytes: &[u8]) -> Outcome {
        self.edit_as(Line::Absent, &[], bytes)
    }

    /// Moves the oldest bytes into `buffer`, up to a line feed; how many there were.
    pub fn pop_line(&mut self, buffer: &mut [u8]) -> usize {
        self.queue.pop_line(buffer)
    }

    fn edit_as(&mut self, line: Line, before: &[u8], bytes: &[u8]) -> Outcome {
        let outcome = self.push(before, bytes);
        if outcome == Outcome::Taken {
            self.line = line;
        }
        outcome
    }

    fn push(&mut self, before: &[u8], bytes: &[u8]) -> Outcome {
        // Both or neither.
        let fits = before.len() + bytes.len() <= self.queue.room();
        if fits && self.queue.push_all(before) && self.queue.push_all(bytes) {
            self.bypassed &= before.is_empty() && bytes.is_empty();
            Outcome::Taken
        } else {
            Outcome::NoRoom
        }
    }

    /// Whether the cursor is at the start of a row, or will be.
    fn is_at_start(&self) -> bool {
        self.bypassed || self.queue.last().is_none_or(|last| last == b'\n')
    }
}

impl<const N: usize> Default for Outgoing<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
