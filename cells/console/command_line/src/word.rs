//! Words, before and after their variables are replaced.
use alloc::string::String;
use alloc::vec::Vec;

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Characters as they were typed.
    Plain(String),
    /// Characters that a quote or a backslash protected.
    Quoted(String),
    /// The name of a variable.
    Variable(String),
}

/// A word as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    pub(crate) parts: Vec<Part>,
}

impl Word {
    /// Adds a character that was typed.
    pub(crate) fn push(&mut self, character: char) {
        match self.parts.last_mut() {
            Some(Part::Plain(text)) => text.push(character),
            _ => self.parts.push(Part::Plain(String::from(character))),
        }
    }

    /// Adds protected characters, perhaps none: a quote makes a word, even an empty one.
    pub(crate) fn push_quoted(&mut self, text: &str) {
        match self.parts.last_mut() {
            Some(Part::Quoted(before)) => before.push_str(text),
            _ => self.parts.push(Part::Quoted(String::from(text))),
        }
    }

    /// Takes `NAME=` off a word that begins with it.
    pub(crate) fn assignment(&self) -> Option<(String, Self)> {
        let (first, others) = self.parts.split_first()?;
        let Part::Plain(first) = first else { return None };
        let (name, value) = first.split_once('=')?;
        if !is_variable(name) {
            return None;
        }
        let value = (!value.is_empty()).then(|| Part::Plain(String::from(value)));
        Some((String::from(name), Self { parts: value.into_iter().chain(others.iter().cloned()).collect() }))
    }

    /// The text, with the values of variables; one without a value is empty. `None` if the word consists of variables
    /// only, and all are empty: then it is no word.
    pub(crate) fn expand<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Plain(part) | Part::Quoted(part) => text.push_str(part),
                Part::Variable(name) => text.push_str(value(name).unwrap_or_default()),
            }
        }
        let optional = self.parts.iter().all(|part| matches!(part, Part::Variable(_)));
        (!text.is_empty() || !optional).then_some(text)
    }
}

/// Whether a name can be a variable's: letters, digits and `_`, and no digit first.
fn is_variable(name: &str) -> bool {
    name.chars().all(in_variable) && name.chars().next().is_some_and(begins_variable)
}

/// Whether a variable's name can begin with the character.
pub(crate) const fn begins_variable(character: char) -> bool {
    character == '_' || character.is_ascii_alphabetic()
}

/// Whether a variable's name can go on with the character.
pub(crate) const fn in_variable(character: char) -> bool {
    begins_variable(character) || character.is_ascii_digit()
}
