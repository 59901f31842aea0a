//! The world of an application: its words, its streams, and its answer.
//!
//! To an application: its words, one input and two outputs behind traits, the directory and the variables that it
//! inherits, and the terminal if its output goes there. Streams wait in the code of their makers. To the shell and the
//! loader: the exact type of the entry function, [`Entry`].
//! An [`Environment`] holds nothing that points into the application's own cell, so the cell can be unloaded as soon as
//! `main` has returned. Streams fail with [`StreamError`]; an application's own errors travel as [`Failure`] and end in one
//! line on its error output.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod failure;
mod inherited;
mod options;
mod stream;

pub use failure::{ExitCode, Failure, Usage, name};
pub use inherited::{Inherited, is_variable};
pub use options::{Choice, Options};
pub use stream::{Empty, Input, Output, Size, StreamError, Streams, Terminal};

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use stream::Formatter;

/// The type of every application's `main`.
pub type Entry = fn(&mut Environment) -> ExitCode;

/// The world of one running application.
pub struct Environment {
    name: String,
    arguments: Arc<[String]>,
    inherited: Inherited,
    streams: Streams,
}

impl Environment {
    /// An environment for the application `name`; `arguments` are the words after the name.
    pub const fn new(name: String, arguments: Arc<[String]>, inherited: Inherited, streams: Streams) -> Self {
        Self { name, arguments, inherited, streams }
    }

    /// The name the application was started by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The words after the name. Shared, so that an application can write while it holds them.
    pub fn arguments(&self) -> Arc<[String]> {
        Arc::clone(&self.arguments)
    }

    /// The directory that relative paths begin in, and the variables.
    pub const fn inherited(&self) -> &Inherited {
        &self.inherited
    }

    /// The source of the application's bytes.
    pub fn input(&mut self) -> &mut dyn Input {
        &mut *self.streams.input
    }

    /// The target of the application's bytes; `write!` and `writeln!` work on the environment itself too.
    pub fn output(&mut self) -> &mut dyn Output {
        &mut *self.streams.output
    }

    /// Where complaints go: the console, even when the output is a pipe.
    pub fn error(&mut self) -> &mut dyn Output {
        &mut *self.streams.error
    }

    /// The terminal, if the output goes there and the user can be asked.
    pub fn terminal(&mut self) -> Option<&mut (dyn Terminal + 'static)> {
        self.streams.terminal.as_deref_mut()
    }

    /// How many columns the reader of the output sees, if that is a terminal.
    pub const fn columns(&self) -> Option<usize> {
        self.streams.columns
    }

    /// Copies at most one buffer from input to output; the number of bytes, 0 at the end of the input.
    ///
    /// # Errors
    /// Those of both streams.
    pub fn copy(&mut self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        let count = self.streams.input.read(buffer)?;
        self.streams.output.write(buffer.get(..count).unwrap_or_default())?;
        Ok(count)
    }

    /// The target of `write!(environment, ...)`: formats to the output.
    ///
    /// # Errors
    /// Those of the output; [`StreamError::Format`].
    pub fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> Result<(), StreamError> {
        Formatter::new(&mut *self.streams.output).write(text)
    }

    /// Turns the result of an application's body into its exit code; a failure is told in one line.
    pub fn conclude(&mut self, result: Result<(), Failure>) -> ExitCode {
        let flushed = self.streams.output.flush();
        let failure = match (result, flushed) {
            (Ok(()), Ok(())) => return ExitCode::SUCCESS,
            (Ok(()), Err(error)) => Failure::Stream(error),
            (Err(failure), _) => failure,
        };
        // The reader of a pipe may stop reading when it has enough: that is no mishap, and no line tells of it.
        if !matches!(failure, Failure::Stream(StreamError::Disconnected)) {
            self.complain(&failure);
        }
        failure.exit_code()
    }

    /// Tells in one line of something that went wrong and does not keep the application from going on.
    pub fn complain(&mut self, cause: &dyn fmt::Display) {
        let name = self.name.as_str();
        // No stream is left that could tell of a failing error output.
        let _ = Formatter::new(&mut *self.streams.error).write(format_args!("{name}: {cause}\n"));
        let _ = self.streams.error.flush();
    }
}

#[cfg(test)]
mod tests;
