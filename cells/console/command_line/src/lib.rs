//! The grammar of the shell: what one typed line asks for.
//!
//! ```text
//! line     = [ pipeline { ( "&" | ";" ) pipeline } [ "&" | ";" ] ]
//! pipeline = command { "|" command }
//! command  = ( word | "<" word | ">" word | ">>" word ) ...
//! ```
//! Words end at blanks and operators. `'...'` keeps everything, `"..."` keeps all but `\"` and `\\`, a backslash
//! outside quotes keeps the next character, `#` at the start of a word begins a comment.
//! A line is understood whole or refused whole, with a [`ParseError`] that says which part.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod lexer;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use lexer::{Lexer, Token};

/// Commands connected by pipes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// At least one, in the order the bytes flow.
    pub commands: Vec<Command>,
    /// Whether the shell goes on without waiting (`&`).
    pub background: bool,
}

/// One application with its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The application.
    pub name: String,
    /// The words after the name.
    pub arguments: Vec<String>,
    /// A file to read from (`<`).
    pub input: Option<String>,
    /// A file to write to (`>`, `>>`).
    pub output: Option<Redirection>,
}

/// Where the output of a command goes instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirection {
    /// The file.
    pub path: String,
    /// Whether what is there stays (`>>`).
    pub append: bool,
}

/// Why a line is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// A quote is opened and not closed.
    UnclosedQuote(char),
    /// The line ends in a lone backslash.
    TrailingBackslash,
    /// There is no command before (or, for the last, after) this operator.
    MissingCommand(Operator),
    /// The name of a command is empty, as in `''`.
    EmptyCommand,
    /// A redirection names no file.
    MissingFile(Operator),
    /// Two files, or a file and a pipe, for one input or output.
    Ambiguous(Operator),
}

/// What stands between words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `|`
    Pipe,
    /// `&`
    Background,
    /// `;`
    Sequence,
    /// `<`
    Input,
    /// `>`
    Output,
    /// `>>`
    Append,
}

impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Pipe => "|",
            Self::Background => "&",
            Self::Sequence => ";",
            Self::Input => "<",
            Self::Output => ">",
            Self::Append => ">>",
        })
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnclosedQuote(quote) => write!(formatter, "the quote {quote} is not closed"),
            Self::TrailingBackslash => formatter.write_str("the line ends in a backslash"),
            Self::MissingCommand(operator) => write!(formatter, "no command beside '{operator}'"),
            Self::EmptyCommand => formatter.write_str("the name of the command is empty"),
            Self::MissingFile(operator) => write!(formatter, "no file after '{operator}'"),
            Self::Ambiguous(operator) => write!(formatter, "'{operator}' where the stream already goes elsewhere"),
        }
    }
}

impl core::error::Error for ParseError {}

/// Understands a line; an empty one asks for nothing.
pub fn parse(line: &str) -> Result<Vec<Pipeline>, ParseError> {
    let mut parser = Parser::default();
    let mut lexer = Lexer::new(line);
    while let Some(token) = lexer.next_token()? {
        parser.take(token)?;
    }
    parser.finish()
}

/// The word that the cursor stands in at the end of `line`, and whether it is a command's name: for completion.
pub fn word_at_end(line: &str) -> (&str, bool) {
    let start = line.rfind([' ', '\t', '|', '&', ';', '<', '>']).map_or(0, |index| index + 1);
    let (before, word) = line.split_at(start);
    let before = before.trim_end_matches([' ', '\t']);
    (word, before.is_empty() || before.ends_with(['|', '&', ';']))
}

/// A command in the making.
#[derive(Default)]
struct Draft {
    words: Vec<String>,
    input: Option<String>,
    output: Option<Redirection>,
}

impl Draft {
    fn is_empty(&self) -> bool {
        self.words.is_empty() && self.input.is_none() && self.output.is_none()
    }
}

#[derive(Default)]
struct Parser {
    done: Vec<Pipeline>,
    commands: Vec<Command>,
    draft: Draft,
    redirection: Option<Operator>,
}

impl Parser {
    fn take(&mut self, token: Token) -> Result<(), ParseError> {
        match (self.redirection.take(), token) {
            (None, Token::Word(word)) => self.draft.words.push(word),
            (Some(operator), Token::Word(path)) => self.redirect(operator, path)?,
            (Some(operator), Token::Operator(_)) => return Err(ParseError::MissingFile(operator)),
            (None, Token::Operator(Operator::Pipe)) => {
                if self.draft.output.is_some() {
                    return Err(ParseError::Ambiguous(Operator::Pipe));
                }
                self.end_command(Operator::Pipe)?;
            }
            (None, Token::Operator(operator @ (Operator::Background | Operator::Sequence))) => {
                self.end_command(operator)?;
                self.end_pipeline(operator == Operator::Background);
            }
            (None, Token::Operator(operator)) => self.redirection = Some(operator),
        }
        Ok(())
    }

    fn redirect(&mut self, operator: Operator, path: String) -> Result<(), ParseError> {
        let taken = match operator {
            Operator::Input => {
                let taken = !self.commands.is_empty() || self.draft.input.is_some();
                self.draft.input = Some(path);
                taken
            }
            _ => {
                let append = operator == Operator::Append;
                self.draft.output.replace(Redirection { path, append }).is_some()
            }
        };
        if taken { Err(ParseError::Ambiguous(operator)) } else { Ok(()) }
    }

    fn end_command(&mut self, operator: Operator) -> Result<(), ParseError> {
        let Draft { words, input, output } = core::mem::take(&mut self.draft);
        let mut words = words.into_iter();
        let name = words.next().ok_or(ParseError::MissingCommand(operator))?;
        if name.is_empty() {
            return Err(ParseError::EmptyCommand);
        }
        self.commands.push(Command { name, arguments: words.collect(), input, output });
        Ok(())
    }

    fn end_pipeline(&mut self, background: bool) {
        let commands = core::mem::take(&mut self.commands);
        self.done.push(Pipeline { commands, background });
    }

    fn finish(mut self) -> Result<Vec<Pipeline>, ParseError> {
        if let Some(operator) = self.redirection {
            return Err(ParseError::MissingFile(operator));
        }
        if !self.draft.is_empty() || !self.commands.is_empty() {
            let operator = match (self.commands.is_empty(), &self.draft) {
                (false, _) => Operator::Pipe,
                (true, Draft { input: Some(_), .. }) => Operator::Input,
                (true, _) => Operator::Output,
            };
            self.end_command(operator)?;
            self.end_pipeline(false);
        }
        Ok(self.done)
    }
}

#[cfg(test)]
mod tests;
