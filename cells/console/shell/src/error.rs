//! Why a line was not carried out.
use alloc::boxed::Box;
use alloc::string::String;
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
    /// A redirection's file cannot be opened.
    File(About),
    /// It cannot be given a pipe.
    Pipe { name: String, error: CreateError },
    /// Nobody can be told of its start.
    Channel { name: String, error: CreateError },
    /// No task can be made for it.
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
}

impl fmt::Display for JobError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overlong => write!(formatter, "line longer than {MAX_LINE} bytes; nothing was carried out"),
            Self::Parse(error) => write!(formatter, "shell: {error}"),
            Self::Unknown(name) => write!(formatter, "{name}: unknown command; 'help' lists them"),
            Self::Load { name, error } => write!(formatter, "{name}: cannot be loaded: {error}"),
            Self::File(about) => write!(formatter, "shell: {about}"),
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
