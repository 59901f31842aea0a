//! Options before the arguments: single letters, some of them with a value.
use crate::{Failure, Usage};
use alloc::string::String;

/// An option that an application knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A letter, such as `-f`.
    Flag(char),
    /// A letter with a value, such as `-n 5` or `-n5`.
    Value(char),
    /// A number instead of a letter, such as `-5`; it stands for `-n 5`, say, if the letter is `n`.
    Number(char),
}

/// The chosen options, and the words behind them. Letters may stand together, as in `-lw`; `--` ends the options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options<'a> {
    chosen: alloc::vec::Vec<(char, &'a str)>,
    arguments: &'a [String],
}

impl<'a> Options<'a> {
    /// Reads the options in front of `words`.
    ///
    /// # Errors
    /// [`Failure::UnknownOption`], [`Failure::NoValue`].
    pub fn read(words: &'a [String], choices: &[Choice], usage: Usage) -> Result<Self, Failure> {
        let mut options = Self { chosen: alloc::vec::Vec::new(), arguments: words };
        while let [word, rest @ ..] = options.arguments {
            let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else { break };
            options.arguments = rest;
            if letters == "-" {
                break;
            }
            options.read_word(letters, choices, usage)?;
        }
        Ok(options)
    }

    fn read_word(&mut self, word: &'a str, choices: &[Choice], usage: Usage) -> Result<(), Failure> {
        let number = choices.iter().find_map(|choice| match choice {
            Choice::Number(letter) => Some(*letter),
            _ => None,
        });
        if let Some(letter) = number
            && word.bytes().all(|byte| byte.is_ascii_digit())
        {
            self.chosen.push((letter, word));
            return Ok(());
        }
        let mut letters = word.chars();
        while let Some(letter) = letters.next() {
            if choices.contains(&Choice::Flag(letter)) {
                self.chosen.push((letter, ""));
            } else if choices.contains(&Choice::Value(letter)) {
                let value = match (letters.as_str(), self.arguments) {
                    ("", [value, rest @ ..]) => {
                        self.arguments = rest;
                        value
                    }
                    ("", []) => return Err(Failure::NoValue { letter, usage }),
                    (value, _) => value,
                };
                self.chosen.push((letter, value));
                return Ok(());
            } else {
                return Err(Failure::UnknownOption { letter, usage });
            }
        }
        Ok(())
    }

    /// The words behind the options.
    pub const fn arguments(&self) -> &'a [String] {
        self.arguments
    }

    /// Whether the letter was given.
    pub fn has(&self, letter: char) -> bool {
        self.value(letter).is_some()
    }

    /// The value that was given with the letter last.
    pub fn value(&self, letter: char) -> Option<&'a str> {
        self.chosen.iter().rev().find(|(given, _)| *given == letter).map(|(_, value)| *value)
    }
}
