//! From characters to words and operators.
use crate::word::{Part, Word, begins_variable, in_variable};
use crate::{Operator, ParseError};
use alloc::string::String;
use core::iter::Peekable;
use core::str::Chars;

pub(crate) enum Token {
    Word(Word),
    Operator(Operator),
}

pub(crate) struct Lexer<'a> {
    characters: Peekable<Chars<'a>>,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(line: &'a str) -> Self {
        Self { characters: line.chars().peekable() }
    }

    /// The next token; `None` at the end of the line or at a comment.
    pub(crate) fn next_token(&mut self) -> Result<Option<Token>, ParseError> {
        while self.characters.next_if(|character| character.is_whitespace()).is_some() {}
        match self.characters.peek() {
            None | Some('#') => Ok(None),
            Some(_) => match self.operator() {
                Some(operator) => Ok(Some(Token::Operator(operator))),
                None => self.word().map(|word| Some(Token::Word(word))),
            },
        }
    }

    fn operator(&mut self) -> Option<Operator> {
        let operator = match self.characters.peek()? {
            '|' => Operator::Pipe,
            '&' => Operator::Background,
            ';' => Operator::Sequence,
            '<' => Operator::Input,
            '>' => Operator::Output,
            _ => return None,
        };
        self.characters.next();
        if operator == Operator::Output && self.characters.next_if_eq(&'>').is_some() {
            return Some(Operator::Append);
        }
        Some(operator)
    }

    fn word(&mut self) -> Result<Word, ParseError> {
        let mut word = Word::default();
        while let Some(character) = self.characters.next_if(|character| !ends_word(*character)) {
            match character {
                '\'' | '"' => self.quoted(character, &mut word)?,
                '\\' => {
                    let kept = self.characters.next().ok_or(ParseError::TrailingBackslash)?;
                    word.push_quoted(kept.encode_utf8(&mut [0; 4]));
                }
                '$' => match self.variable()? {
                    Some(name) => word.parts.push(Part::Variable(name)),
                    None => word.push('$'),
                },
                _ => word.push(character),
            }
        }
        Ok(word)
    }

    fn quoted(&mut self, quote: char, word: &mut Word) -> Result<(), ParseError> {
        word.push_quoted("");
        loop {
            let character = match self.characters.next().ok_or(ParseError::UnclosedQuote(quote))? {
                character if character == quote => return Ok(()),
                '\\' if quote == '"' => {
                    self.characters.next_if(|next| matches!(next, '"' | '\\' | '$')).unwrap_or('\\')
                }
                '$' if quote == '"' => match self.variable()? {
                    Some(name) => {
                        word.parts.push(Part::Variable(name));
                        continue;
                    }
                    None => '$',
                },
                character => character,
            };
            word.push_quoted(character.encode_utf8(&mut [0; 4]));
        }
    }

    /// The name behind a `$`, in braces or not; `None` if the `$` stands for itself.
    fn variable(&mut self) -> Result<Option<String>, ParseError> {
        let braced = self.characters.next_if_eq(&'{').is_some();
        let mut name = String::new();
        if let Some(first) = self.characters.next_if(|character| begins_variable(*character)) {
            name.push(first);
            while let Some(next) = self.characters.next_if(|character| in_variable(*character)) {
                name.push(next);
            }
        }
        if braced && (name.is_empty() || self.characters.next_if_eq(&'}').is_none()) {
            return Err(ParseError::BadVariable);
        }
        Ok((!name.is_empty()).then_some(name))
    }
}

/// Whether a character that is not protected ends a word.
pub(crate) fn ends_word(character: char) -> bool {
    character.is_whitespace() || "|&;<>".contains(character)
}
