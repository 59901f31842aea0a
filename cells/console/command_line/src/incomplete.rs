//! A line that is still being typed, up to the cursor: for completion.
use crate::lexer::ends_word;
use alloc::string::String;
use alloc::vec::Vec;

/// The end of the line: the command that the cursor stands in, and the word that is to be completed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Incomplete {
    /// The words of the command before the cursor, without the one that is being typed.
    pub before: Vec<String>,
    /// The meaning of the word so far.
    pub word: String,
    /// The bytes of the line that the word takes.
    pub typed: usize,
    /// The quote that is open.
    pub quote: Option<char>,
    /// Whether the word is the file of a redirection.
    pub is_file: bool,
}

impl Incomplete {
    /// Understands the line as far as it goes. Variables stand for themselves.
    pub fn of(line: &str) -> Self {
        let mut found = Self::default();
        let mut protected = false;
        for (index, character) in line.char_indices() {
            let take = match (found.quote, character) {
                _ if core::mem::take(&mut protected) => true,
                (Some(quote), _) if character == quote => {
                    found.quote = None;
                    false
                }
                (None, '\'' | '"') => {
                    found.quote = Some(character);
                    false
                }
                (None | Some('"'), '\\') => {
                    protected = true;
                    false
                }
                (None, _) if ends_word(character) => {
                    found.end_word(character);
                    continue;
                }
                _ => true,
            };
            if found.typed == 0 {
                found.typed = line.len() - index;
            }
            if take {
                found.word.push(character);
            }
        }
        found
    }

    /// The word ends at `by`.
    fn end_word(&mut self, by: char) {
        let word = core::mem::take(&mut self.word);
        if self.typed > 0 && !core::mem::take(&mut self.is_file) {
            self.before.push(word);
        }
        self.typed = 0;
        match by {
            '|' | '&' | ';' => self.before.clear(),
            '<' | '>' => self.is_file = true,
            _ => {}
        }
    }

    /// A word that continues the one that is typed, as it is to be typed: with blanks and operators protected.
    pub fn typed_like(&self, line: &str, candidate: &str) -> Option<String> {
        let addition = candidate.strip_prefix(self.word.as_str())?;
        let mut text = String::from(line.get(line.len() - self.typed..)?);
        for character in addition.chars() {
            if self.quote.is_none() && (ends_word(character) || "'\"\\$#".contains(character)) {
                text.push('\\');
            }
            text.push(character);
        }
        Some(text)
    }
}
