//! Files as inputs and outputs of applications.
use crate::error::JobError;
use application::{Input, Output, StreamError};
use command_line::Redirection;
use vfs::{About, File, FsError};

/// A file that is read.
pub(crate) struct FileInput(File);

impl FileInput {
    pub(crate) fn open(path: &str) -> Result<Self, JobError> {
        File::open(path).map(Self).map_err(|error| JobError::File(About::new(path, error)))
    }
}

impl Input for FileInput {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        self.0.read(buffer).map_err(|_| StreamError::Failed)
    }
}

/// A file that is written.
pub(crate) struct FileOutput(File);

impl FileOutput {
    pub(crate) fn open(redirection: &Redirection) -> Result<Self, JobError> {
        let Redirection { path, append } = redirection;
        let file = if *append { File::append(path) } else { File::create(path) };
        file.map(Self).map_err(|error| JobError::File(About::new(path, error)))
    }
}

impl Output for FileOutput {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StreamError> {
        self.0.write(bytes).map_err(|error| match error {
            FsError::NoSpace | FsError::NoMemory | FsError::TooLarge => StreamError::Full,
            _ => StreamError::Failed,
        })
    }
}
