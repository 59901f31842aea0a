//! Lines typed before.
use alloc::collections::VecDeque;
use alloc::string::String;

/// More lines than anybody walks back through; keeps the history within a few KiB.
const CAPACITY: usize = 100;

/// The last lines, oldest first, and how far back the user has walked from the line that is being typed.
#[derive(Default)]
pub(crate) struct History {
    lines: VecDeque<String>,
    back: usize,
    draft: String,
}

impl History {
    /// Remembers a line, unless it is blank or repeats the last one.
    pub(crate) fn push(&mut self, line: &str) {
        self.back = 0;
        self.draft.clear();
        if line.trim().is_empty() || self.lines.back().is_some_and(|last| last == line) {
            return;
        }
        if self.lines.len() == CAPACITY {
            self.lines.pop_front();
        }
        self.lines.push_back(String::from(line));
    }

    /// One line further back; `current` is kept when the walk begins.
    pub(crate) fn previous(&mut self, current: &str) -> Option<String> {
        let index = self.lines.len().checked_sub(self.back + 1)?;
        if self.back == 0 {
            self.draft = String::from(current);
        }
        self.back += 1;
        self.lines.get(index).cloned()
    }

    /// One line nearer; at the end the line that was being typed.
    pub(crate) fn next(&mut self) -> Option<String> {
        self.back = self.back.checked_sub(1)?;
        if self.back == 0 {
            return Some(core::mem::take(&mut self.draft));
        }
        self.lines.get(self.lines.len() - self.back).cloned()
    }
}
