//! Regular expressions, as far as a search through lines needs them.
//!
//! ```text
//! .          any character            [a-z_]  one of these        [^a-z]  any but these
//! \d \w \s   a digit, a character of a word, a blank; \D \W \S: any other; \ before a sign takes its meaning away
//! a* a+ a?   any number of times, at least once, at most once    a|b  one or the other    (ab)  together
//! ^ $        the beginning and the end of the line
//! ```
//! To `grep`: [`Pattern::is_match`] takes time in proportion to the pattern and to the line, for every pattern and line: all
//! ways through the pattern are followed at once, one character at a time. A pattern without meaning is refused with a
//! [`PatternError`]. The complete crates of this kind need `std`, or bring half a megabyte of code into every machine.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod class;
mod parse;

use alloc::vec;
use alloc::vec::Vec;
use class::Class;
use core::fmt;

/// Why a pattern is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// A group or a class is not closed.
    Unclosed(char),
    /// A group is closed that is not open.
    Unopened,
    /// There is nothing before this sign to be repeated.
    NothingToRepeat(char),
    /// A range of characters ends before it begins.
    EmptyRange(char, char),
    /// The pattern ends in a lone backslash.
    TrailingBackslash,
    /// Groups are nested too deeply.
    TooDeep,
}

impl fmt::Display for PatternError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unclosed(sign) => write!(formatter, "the pattern has a '{sign}' that is not closed"),
            Self::Unopened => formatter.write_str("the pattern has a ')' without a '('"),
            Self::NothingToRepeat(sign) => write!(formatter, "the pattern has nothing before '{sign}' to repeat"),
            Self::EmptyRange(first, last) => write!(formatter, "the pattern has the empty range '{first}-{last}'"),
            Self::TrailingBackslash => formatter.write_str("the pattern ends in a backslash"),
            Self::TooDeep => formatter.write_str("the pattern has too many groups in each other"),
        }
    }
}

impl core::error::Error for PatternError {}

/// One step of a way through the pattern. Distances count steps from this one.
#[derive(Clone, Debug)]
enum Step {
    /// A character of the class.
    Take(Class),
    /// The beginning of the line.
    Start,
    /// The end of the line.
    End,
    /// Two ways.
    Split(isize, isize),
    /// One way.
    Jump(isize),
}

/// A regular expression that can be searched for.
#[derive(Clone, Debug)]
pub struct Pattern {
    steps: Vec<Step>,
    ignore_case: bool,
}

impl Pattern {
    /// Understands a pattern. With `ignore_case`, capitals are like small letters.
    ///
    /// # Errors
    /// The pattern has no meaning.
    pub fn new(pattern: &str, ignore_case: bool) -> Result<Self, PatternError> {
        Ok(Self { steps: parse::parse(pattern)?, ignore_case })
    }

    /// Whether the pattern is found somewhere in the line.
    pub fn is_match(&self, line: &str) -> bool {
        let mut now = Ways::new(self.steps.len());
        let mut characters = line.chars().peekable();
        let mut at_start = true;
        loop {
            let next = characters.next();
            now.follow(self, 0, at_start, next.is_none());
            if now.is_through {
                return true;
            }
            let Some(character) = next else { return false };
            let at_end = characters.peek().is_none();
            let mut after = Ways::new(self.steps.len());
            for place in now.places {
                if let Some(Step::Take(class)) = self.steps.get(place)
                    && class.has(character, self.ignore_case)
                {
                    after.follow(self, place + 1, false, at_end);
                }
            }
            (now, at_start) = (after, false);
        }
    }
}

/// The places in the pattern that some way has come to.
struct Ways {
    /// The steps that take the next character.
    places: Vec<usize>,
    /// The steps that were looked at.
    seen: Vec<bool>,
    /// A way has come through the whole pattern.
    is_through: bool,
}

impl Ways {
    fn new(steps: usize) -> Self {
        Self { places: Vec::new(), seen: vec![false; steps], is_through: false }
    }

    /// Goes on from a step as far as no character is needed.
    fn follow(&mut self, pattern: &Pattern, from: usize, at_start: bool, at_end: bool) {
        let mut open = vec![from];
        while let Some(place) = open.pop() {
            let Some(seen) = self.seen.get_mut(place) else {
                self.is_through = true;
                continue;
            };
            if core::mem::replace(seen, true) {
                continue;
            }
            let to = |distance| place.checked_add_signed(distance);
            match pattern.steps.get(place) {
                Some(Step::Take(_)) => self.places.push(place),
                Some(Step::Start) if at_start => open.push(place + 1),
                Some(Step::End) if at_end => open.push(place + 1),
                Some(Step::Split(one, other)) => open.extend(to(*one).into_iter().chain(to(*other))),
                Some(Step::Jump(distance)) => open.extend(to(*distance)),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
