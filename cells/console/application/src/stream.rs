//! Byte streams and the terminal, seen from an application.
use alloc::boxed::Box;
use core::fmt;

/// Why a stream gave or took nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamError {
    /// The other end is gone and will not come back.
    Disconnected,
    /// There is no room for more.
    Full,
    /// The source or the target, a file say, gives an error.
    Failed,
    /// A value refused to format itself; the text before it has been written.
    Format,
}

impl fmt::Display for StreamError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Disconnected => "the other end of the stream is gone",
            Self::Full => "there is no room for more output",
            Self::Failed => "the file cannot be read or written any more",
            Self::Format => "a value could not be formatted",
        })
    }
}

impl core::error::Error for StreamError {}

/// How large a terminal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Characters in a row.
    pub columns: usize,
    /// Rows on the screen.
    pub rows: usize,
}

/// The user's terminal, for an application that shows more than a stream of lines.
pub trait Terminal: Send {
    /// How large it is.
    fn size(&self) -> Size;

    /// Waits for a byte that the user types. Lines that are edited get nothing that is typed meanwhile.
    fn read_key(&mut self) -> u8;
}

/// All streams of one application.
pub struct Streams {
    /// The source of its bytes.
    pub input: Box<dyn Input>,
    /// The target of its bytes.
    pub output: Box<dyn Output>,
    /// Where its complaints go.
    pub error: Box<dyn Output>,
    /// The terminal, if the output goes there and the user can be asked.
    pub terminal: Option<Box<dyn Terminal>>,
    /// How many columns the reader of the output sees, if that is a terminal.
    pub columns: Option<usize>,
}

/// A source of bytes.
pub trait Input: Send {
    /// Waits for at least one byte and returns how many were put into `buffer`; 0 means the end.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, StreamError>;
}

/// A sink of bytes.
pub trait Output: Send {
    /// Takes all of `bytes`, waiting for room if it must.
    fn write(&mut self, bytes: &[u8]) -> Result<(), StreamError>;

    /// Hands on the bytes that are buffered, an unfinished line too.
    fn flush(&mut self) -> Result<(), StreamError> {
        Ok(())
    }
}

/// An input that is at its end, an output that forgets: the streams of a task without a terminal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Empty;

impl Input for Empty {
    fn read(&mut self, _buffer: &mut [u8]) -> Result<usize, StreamError> {
        Ok(0)
    }
}

impl Output for Empty {
    fn write(&mut self, _bytes: &[u8]) -> Result<(), StreamError> {
        Ok(())
    }
}

/// Formats into an output and keeps the error that `core::fmt` has no room for.
pub(crate) struct Formatter<'a> {
    output: &'a mut dyn Output,
    error: Option<StreamError>,
}

impl<'a> Formatter<'a> {
    pub(crate) fn new(output: &'a mut dyn Output) -> Self {
        Self { output, error: None }
    }

    pub(crate) fn write(mut self, text: fmt::Arguments<'_>) -> Result<(), StreamError> {
        match fmt::Write::write_fmt(&mut self, text) {
            Ok(()) => Ok(()),
            Err(fmt::Error) => Err(self.error.unwrap_or(StreamError::Format)),
        }
    }
}

impl fmt::Write for Formatter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.output.write(text.as_bytes()).map_err(|error| {
            self.error = Some(error);
            fmt::Error
        })
    }
}
