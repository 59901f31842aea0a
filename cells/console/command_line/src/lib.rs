//! The grammar of the shell: the meaning of one typed line.
//!
//! ```text
//! line     = [ pipeline { ( "&" | ";" ) pipeline } [ "&" | ";" ] ]
//! pipeline = command { "|" command }
//! command  = { NAME "=" word } ( word | "<" word | ">" word | ">>" word ) ...
//! ```
//! Words end at blanks and operators. `'...'` keeps everything, `"..."` keeps all but `\"`, `\\`, `\$` and variables, a
//! backslash outside quotes keeps the next character, `#` at the start of a word begins a comment. `$NAME` and `${NAME}`
//! stand for a variable's value, which never becomes more than one word.
//!
//! To the shell: a line is understood whole or refused whole, with a [`ParseError`] that says which part. Variables are
//! replaced later, by [`Typed::expand`], so that a command sees the assignments before it on the same line.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod incomplete;
mod lexer;
mod parser;
mod word;

pub use incomplete::Incomplete;
pub use word::Word;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use lexer::Lexer;
use parser::Parser;

/// Commands connected by pipes, with words as they were typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// At least one, in the order the bytes flow.
    pub(crate) commands: Vec<Command<Word>>,
    /// Whether the shell goes on without waiting (`&`).
    pub background: bool,
}

/// Commands connected by pipes, with the values of variables in their words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// At least one, in the order the bytes flow.
    pub commands: Vec<Command<String>>,
    /// Whether the shell goes on without waiting (`&`).
    pub background: bool,
}

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command<W> {
    /// The variables that it sets, for itself if it has words.
    pub assignments: Vec<(String, W)>,
    /// The name of the application and its arguments. None if the command only sets variables or makes a file.
    pub words: Vec<W>,
    /// A file to read from (`<`).
    pub input: Option<W>,
    /// A file to write to (`>`, `>>`).
    pub output: Option<Redirection<W>>,
}

/// Where the output of a command goes instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirection<W> {
    /// The file.
    pub path: W,
    /// Whether the present contents stay (`>>`).
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
    /// `${` is not followed by a name and `}`.
    BadVariable,
}

/// A sign between words.
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
            Self::BadVariable => formatter.write_str("'${' needs a name and '}'"),
        }
    }
}

impl core::error::Error for ParseError {}

/// Understands a line; an empty one asks for nothing.
///
/// # Errors
/// A [`ParseError`] for a line that has no meaning.
pub fn parse(line: &str) -> Result<Vec<Typed>, ParseError> {
    let mut parser = Parser::default();
    let mut lexer = Lexer::new(line);
    while let Some(token) = lexer.next_token()? {
        parser.take(token)?;
    }
    parser.finish()
}

impl Typed {
    /// Puts the values of variables in place.
    ///
    /// # Errors
    /// [`ParseError::EmptyCommand`]; [`ParseError::MissingCommand`] if a command in a pipe has no words.
    pub fn expand<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> Result<Pipeline, ParseError> {
        let text = |word: &Word| word.expand(&value).unwrap_or_default();
        let mut commands = Vec::with_capacity(self.commands.len());
        for command in &self.commands {
            let words: Vec<String> = command.words.iter().filter_map(|word| word.expand(&value)).collect();
            match words.first() {
                Some(name) if name.is_empty() => return Err(ParseError::EmptyCommand),
                None if self.commands.len() > 1 => return Err(ParseError::MissingCommand(Operator::Pipe)),
                _ => {}
            }
            let assignments = command.assignments.iter().map(|(name, word)| (name.clone(), text(word))).collect();
            let output = command.output.as_ref();
            let output = output.map(|output| Redirection { path: text(&output.path), append: output.append });
            commands.push(Command { assignments, words, input: command.input.as_ref().map(text), output });
        }
        Ok(Pipeline { commands, background: self.background })
    }
}

#[cfg(test)]
mod tests;
