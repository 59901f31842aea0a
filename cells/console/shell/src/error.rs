//! Why a line was not carried out.
use alloc::boxed::Box;
use alloc::string::String;
use application::{Failure, Usage};
use command_line::ParseError;
use core::fmt;
use line_editor::MAX_LINE;
use namespace::LoadError;
use pipe::CreateError;
use task::SpawnError;
use vfs::About;

/// The reasons, each of which tells itself in one line.
pub(crate) enum JobError {
    /// More was typed than a line can have.
    Overlong,
    /// The line has no meaning.
    Parse(ParseError),
    /// There is no application of this name.
    Unknown(String),
    /// There is one, but it cannot be loaded.
    Load { name: String, error: Box<LoadError> },
    /// The file of a redirection cannot be opened.
    File(About),
    /// There is no such directory to work in.
    Directory(About),
    /// A command of the shell has wrong words.
    Usage { name: String, usage: Usage },
    /// A command of the shell has a wrong option.
    Option { name: &'static str, failure: Failure },
    /// A command changes the shell, so it has no pipe, no file and no job of its own.
    Alone(String),
    /// A variable cannot have this name.
    NoVariable(String),
    /// There is no such job, or none at all.
    NoJob(Option<u32>),
    /// A command cannot be given a pipe.
    Pipe { name: String, error: CreateError },
    /// A job's task cannot be told of its start.
    Channel { name: String, error: CreateError },
    /// A command cannot be given a task.
    Spawn { name: String, error: SpawnError },
}

impl JobError {
    pub(crate) fn load(name: &str, error: Box<LoadError>) -> Self {
        let name = String::from(name);
        match *error {
            LoadError::Unknown { .. } | LoadError::NotAnApplication { .. } => Self::Unknown(name),
            _ => Self::Load { name, error },
        }
    }

    pub(crate) fn usage(page: &manual::Page) -> Self {
        Self::Usage { name: page.name.into(), usage: page.usage }
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overlong => write!(formatter, "line longer than {MAX_LINE} bytes; nothing was carried out"),
            Self::Parse(error) => write!(formatter, "shell: {error}"),
            Self::Unknown(name) => write!(formatter, "{name}: unknown command; 'help' lists them"),
            Self::Load { name, error } => write!(formatter, "{name}: cannot be loaded: {error}"),
            Self::File(about) => write!(formatter, "shell: {about}"),
            Self::Directory(about) => write!(formatter, "cd: {about}"),
            Self::Usage { name, usage } => write!(formatter, "{name}: {usage}"),
            Self::Option { name, failure } => write!(formatter, "{name}: {failure}"),
            Self::Alone(name) => write!(formatter, "{name}: cannot be part of a pipe or job"),
            Self::NoVariable(name) => write!(formatter, "'{name}' cannot be the name of a variable"),
            Self::NoJob(Some(number)) => write!(formatter, "fg: there is no job {number}; 'jobs' lists them"),
            Self::NoJob(None) => write!(formatter, "fg: there is no job in the background"),
            Self::Pipe { name, error } => write!(formatter, "{name}: cannot be given a pipe: {error}"),
            Self::Channel { name, error } => write!(formatter, "{name}: cannot be waited for: {error}"),
            Self::Spawn { name, error } => write!(formatter, "{name}: cannot be started: {error}"),
        }
    }
}

impl From<ParseError> for JobError {
    fn from(error: ParseError) -> Self {
        Self::Parse(error)
    }
}
