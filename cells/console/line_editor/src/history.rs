//! Lines typed before.
use alloc::collections::VecDeque;
use alloc::string::String;

/// More lines than a user walks back through; keeps the history within a few KiB.
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

    /// All lines, oldest first.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// The newest line with `part` in it, among those that are at least `back` lines back; and how far back it is.
    pub(crate) fn find(&self, part: &str, back: usize) -> Option<(usize, &str)> {
        let lines = self.lines.iter().rev().map(String::as_str).enumerate().skip(back);
        lines.into_iter().find(|(_, line)| line.contains(part))
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
