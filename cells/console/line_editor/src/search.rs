//! Looking for a line that was typed before, letter by letter (Ctrl-R).
use crate::history::History;
use alloc::format;
use alloc::string::String;

/// A search under way.
#[derive(Default)]
pub(crate) struct Search {
    /// The part that the line is to have.
    part: String,
    /// How many lines back the search has come.
    back: usize,
    /// No line has the part: the line of before is shown.
    missed: bool,
    /// The text that was typed before.
    original: String,
}

impl Search {
    pub(crate) fn new(original: &str) -> Self {
        Self { original: String::from(original), ..Self::default() }
    }

    /// The text that was typed before the search.
    pub(crate) fn into_original(self) -> String {
        self.original
    }

    /// The prompt while the search goes on.
    pub(crate) fn prompt(&self) -> String {
        let found = if self.missed { "no such line" } else { "search" };
        format!("({found}) '{}': ", self.part)
    }

    /// One more letter.
    pub(crate) fn extend(&mut self, letter: char, history: &History) -> Option<String> {
        self.part.push(letter);
        self.go_on(self.back, history)
    }

    /// One letter less: the search begins anew.
    pub(crate) fn shorten(&mut self, history: &History) -> Option<String> {
        self.part.pop();
        self.go_on(0, history)
    }

    /// The next older line.
    pub(crate) fn older(&mut self, history: &History) -> Option<String> {
        self.go_on(self.back + usize::from(!self.missed), history)
    }

    fn go_on(&mut self, back: usize, history: &History) -> Option<String> {
        if self.part.is_empty() {
            return None;
        }
        let found = history.find(&self.part, back);
        self.missed = found.is_none();
        let (back, line) = found?;
        self.back = back;
        Some(String::from(line))
    }
}
