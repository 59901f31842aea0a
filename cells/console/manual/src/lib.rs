//! How each command is called, in one place: a command refuses wrong arguments with its page's usage, `help` and `man` show
//! the pages, and the shell completes words by them.
//!
//! To applications and the shell: every command has exactly one page, those that the shell carries out itself too.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod pages;

pub use pages::*;

use alloc::string::String;
use application::Usage;
use core::fmt;

/// The end of the name of an application's cell if a library has the application's name.
pub const SUFFIX: &str = "_command";

/// One command.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Its name, which is its cell's, unless a library has that name: then the cell's ends in [`SUFFIX`].
    pub name: &'static str,
    /// How it is called.
    pub usage: Usage,
    /// Its purpose, in a few words.
    pub summary: &'static str,
    /// The meaning of its options and words, one to a line, where that needs saying.
    pub details: &'static str,
    /// A line to try.
    pub example: &'static str,
    /// Where it belongs.
    pub subject: Subject,
    /// How its output is shown.
    pub output: Output,
    /// The words that it takes, by position; the last position stands for all that follow.
    pub arguments: &'static [&'static [Argument]],
}

/// Groups of commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Files and directories.
    Files,
    /// Text in pipes.
    Text,
    /// The shell itself.
    Shell,
    /// Tasks, processors and memory.
    System,
    /// Cells, swaps and faults.
    Cells,
}

impl Subject {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 5] = [Self::Files, Self::Text, Self::Shell, Self::System, Self::Cells];

    /// The heading of the group.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Files => "Files and directories",
            Self::Text => "Text",
            Self::Shell => "The shell",
            Self::System => "Tasks, processors, memory",
            Self::Cells => "Cells, swaps, faults",
        }
    }
}

/// How the output of a command is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Page by page, if it is longer than the terminal's screen: a text with an end.
    Paged,
    /// As it comes: a few words, or lines over time.
    Direct,
}

/// The kinds of words that a command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A file or directory.
    Path,
    /// A directory.
    Directory,
    /// A command.
    Command,
    /// A cell.
    Cell,
    /// A build to swap to, or a cell that stands for one.
    Build,
    /// A task.
    Task,
    /// A kind of fault.
    Fault,
    /// A variable.
    Variable,
    /// This word.
    Word(&'static str),
}

/// The page of a command.
pub fn page(name: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.name == name)
}

/// There is no page of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPage(String);

impl fmt::Display for NoPage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "there is no command '{}'; 'help' lists them", self.0)
    }
}

impl core::error::Error for NoPage {}

/// The page of a command, for a user.
///
/// # Errors
/// [`NoPage`].
pub fn find(name: &str) -> Result<&'static Page, NoPage> {
    page(name).ok_or_else(|| NoPage(String::from(name)))
}

/// The whole page, as `man` shows it.
impl fmt::Display for Page {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}\n    {}", self.usage.0, self.summary)?;
        for line in self.details.lines() {
            writeln!(formatter, "    {line}")?;
        }
        writeln!(formatter, "for example: {}", self.example)
    }
}

#[cfg(test)]
mod tests;
