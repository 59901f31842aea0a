//! From tokens to pipelines.
use crate::lexer::Token;
use crate::{Command, Operator, ParseError, Redirection, Typed, Word};
use alloc::vec::Vec;

/// A command in the making.
#[derive(Default)]
struct Draft {
    words: Vec<Word>,
    input: Option<Word>,
    output: Option<Redirection<Word>>,
}

impl Draft {
    fn is_empty(&self) -> bool {
        self.words.is_empty() && self.input.is_none() && self.output.is_none()
    }

    /// The command; assignments stand before its other words.
    fn finish(self) -> Command<Word> {
        let Self { words, input, output } = self;
        let mut assignments = Vec::new();
        let mut words = words.into_iter().peekable();
        while let Some(assignment) = words.peek().and_then(Word::assignment) {
            assignments.push(assignment);
            words.next();
        }
        Command { assignments, words: words.collect(), input, output }
    }
}

#[derive(Default)]
pub(crate) struct Parser {
    done: Vec<Typed>,
    commands: Vec<Command<Word>>,
    draft: Draft,
    redirection: Option<Operator>,
}

impl Parser {
    pub(crate) fn take(&mut self, token: Token) -> Result<(), ParseError> {
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

    fn redirect(&mut self, operator: Operator, path: Word) -> Result<(), ParseError> {
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

    /// Only a command that makes a file or sets variables has no name, and it stands alone.
    fn end_command(&mut self, operator: Operator) -> Result<(), ParseError> {
        let command = core::mem::take(&mut self.draft).finish();
        let alone = self.commands.is_empty() && operator != Operator::Pipe && command.input.is_none();
        let does_something = command.output.is_some() || !command.assignments.is_empty();
        if command.words.is_empty() && !(alone && does_something) {
            return Err(ParseError::MissingCommand(operator));
        }
        self.commands.push(command);
        Ok(())
    }

    fn end_pipeline(&mut self, background: bool) {
        let commands = core::mem::take(&mut self.commands);
        self.done.push(Typed { commands, background });
    }

    pub(crate) fn finish(mut self) -> Result<Vec<Typed>, ParseError> {
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
