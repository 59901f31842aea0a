//! What an application is given and what it gives back.
//!
//! To an application: its words, one input and two outputs, behind traits whose blocking is the business of
//! whoever made them. To the shell and the loader: the exact types of the entry function, [`Entry`].
//! An [`Environment`] holds nothing that points into the application's own cell, so that the cell can be
//! unloaded as soon as `main` has returned. Streams fail with [`StreamError`]; an application's own errors
//! travel as [`Failure`] and end in one line on its error output.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod failure;
mod stream;

pub use failure::{ExitCode, Failure, Usage, name};
pub use stream::{Empty, Input, Output, StreamError};

use alloc::boxed::Box;
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
    input: Box<dyn Input>,
    output: Box<dyn Output>,
    error: Box<dyn Output>,
}

impl Environment {
    /// An environment for the application `name`, whose words after the name are `arguments`.
    pub fn new(
        name: String,
        arguments: Arc<[String]>,
        input: Box<dyn Input>,
        output: Box<dyn Output>,
        error: Box<dyn Output>,
    ) -> Self {
        Self { name, arguments, input, output, error }
    }

    /// The name the application was started by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The words after the name. Shared, so that an application can write while it holds them.
    pub fn arguments(&self) -> Arc<[String]> {
        Arc::clone(&self.arguments)
    }

    /// What the application reads.
    pub fn input(&mut self) -> &mut dyn Input {
        &mut *self.input
    }

    /// What the application writes; `write!` and `writeln!` work on the environment itself too.
    pub fn output(&mut self) -> &mut dyn Output {
        &mut *self.output
    }

    /// Where complaints go: the console, even when the output is a pipe.
    pub fn error(&mut self) -> &mut dyn Output {
        &mut *self.error
    }

    /// Copies at most one buffer from input to output; the number of bytes, 0 at the end of the input.
    pub fn copy(&mut self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        let count = self.input.read(buffer)?;
        self.output.write(buffer.get(..count).unwrap_or_default())?;
        Ok(count)
    }

    /// The target of `write!(environment, ...)`: formats to the output.
    pub fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> Result<(), StreamError> {
        Formatter::new(&mut *self.output).write(text)
    }

    /// Turns what an application's body returned into its exit code; a failure is told in one line.
    pub fn conclude(&mut self, result: Result<(), Failure>) -> ExitCode {
        let flushed = self.output.flush();
        let failure = match (result, flushed) {
            (Ok(()), Ok(())) => return ExitCode::SUCCESS,
            (Ok(()), Err(error)) => Failure::Stream(error),
            (Err(failure), _) => failure,
        };
        // The reader of a pipe may stop reading when it has enough: that is no mishap, and nobody is told.
        if !matches!(failure, Failure::Stream(StreamError::Disconnected)) {
            self.complain(&failure);
        }
        failure.exit_code()
    }

    /// Tells in one line of something that went wrong and does not keep the application from going on.
    pub fn complain(&mut self, cause: &dyn fmt::Display) {
        let name = self.name.as_str();
        // Nothing is left to tell a failing error output to.
        let _ = Formatter::new(&mut *self.error).write(format_args!("{name}: {cause}\n"));
        let _ = self.error.flush();
    }
}

#[cfg(test)]
mod tests;
