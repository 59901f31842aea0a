//! From characters to words and operators.
use crate::{Operator, ParseError};
use alloc::string::String;
use core::iter::Peekable;
use core::str::Chars;

pub(crate) enum Token {
    Word(String),
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

    fn word(&mut self) -> Result<String, ParseError> {
        let ends = |character: &char| character.is_whitespace() || "|&;<>".contains(*character);
        let mut word = String::new();
        while let Some(character) = self.characters.next_if(|character| !ends(character)) {
            match character {
                '\'' | '"' => self.quoted(character, &mut word)?,
                '\\' => word.push(self.characters.next().ok_or(ParseError::TrailingBackslash)?),
                _ => word.push(character),
            }
        }
        Ok(word)
    }

    fn quoted(&mut self, quote: char, word: &mut String) -> Result<(), ParseError> {
        loop {
            match self.characters.next().ok_or(ParseError::UnclosedQuote(quote))? {
                character if character == quote => return Ok(()),
                '\\' if quote == '"' => {
                    let kept = self.characters.next_if(|next| matches!(next, '"' | '\\'));
                    word.push(kept.unwrap_or('\\'));
                }
                character => word.push(character),
            }
        }
    }
}
