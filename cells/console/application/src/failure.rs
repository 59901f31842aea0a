//! How an application ends.
use crate::StreamError;
use alloc::boxed::Box;
use core::fmt;

/// The result of an application's `main`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct ExitCode(u8);

impl ExitCode {
    /// All went well.
    pub const SUCCESS: Self = Self(0);
    /// The application failed, and its error output says why.
    pub const FAILURE: Self = Self(1);
    /// The arguments made no sense.
    pub const USAGE: Self = Self(2);

    /// An exit code of the application's own.
    pub const fn new(code: u8) -> Self {
        Self(code)
    }

    /// The number.
    pub const fn code(self) -> u8 {
        self.0
    }

    /// Whether all went well.
    pub const fn is_success(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for ExitCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The one line that says how an application is called, such as `kill TASK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage(pub &'static str);

impl fmt::Display for Usage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "usage: {}", self.0)
    }
}

/// Why an application did not do its work.
pub enum Failure {
    /// The arguments are wrong.
    Usage(Usage),
    /// There is no such option.
    UnknownOption {
        /// Its letter.
        letter: char,
        /// How the application is called.
        usage: Usage,
    },
    /// An option is without its value.
    NoValue {
        /// Its letter.
        letter: char,
        /// How the application is called.
        usage: Usage,
    },
    /// A stream failed.
    Stream(StreamError),
    /// A word names nothing, as it is empty.
    EmptyName,
    /// The request was refused, with the cause.
    Refused(Box<dyn fmt::Display + Send>),
}

impl Failure {
    /// A refusal with its cause.
    pub fn refused(cause: impl fmt::Display + Send + 'static) -> Self {
        Self::Refused(Box::new(cause))
    }

    /// The exit code that goes with it.
    pub const fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::UnknownOption { .. } | Self::NoValue { .. } => ExitCode::USAGE,
            Self::Stream(_) | Self::EmptyName | Self::Refused(_) => ExitCode::FAILURE,
        }
    }
}

/// The word, if it can name something.
///
/// # Errors
/// [`Failure::EmptyName`].
pub fn name(word: &str) -> Result<&str, Failure> {
    if word.is_empty() { Err(Failure::EmptyName) } else { Ok(word) }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(usage) => usage.fmt(formatter),
            Self::UnknownOption { letter, usage } => write!(formatter, "there is no option -{letter}; {usage}"),
            Self::NoValue { letter, usage } => write!(formatter, "option -{letter} needs a value; {usage}"),
            Self::Stream(error) => error.fmt(formatter),
            Self::EmptyName => formatter.write_str("the name is empty"),
            Self::Refused(cause) => cause.fmt(formatter),
        }
    }
}

impl From<Usage> for Failure {
    fn from(usage: Usage) -> Self {
        Self::Usage(usage)
    }
}

impl From<StreamError> for Failure {
    fn from(error: StreamError) -> Self {
        Self::Stream(error)
    }
}
