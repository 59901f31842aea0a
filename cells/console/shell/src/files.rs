//! Files as inputs and outputs of applications.
use crate::error::JobError;
use application::{Inherited, Input, Output, StreamError};
use vfs::{About, File, FsError};

/// Opens the file that `path` means in the directory of the job.
fn open(inherited: &Inherited, path: &str, how: impl FnOnce(&str) -> Result<File, FsError>) -> Result<File, JobError> {
    let opened = vfs::absolute(inherited.directory(), path).and_then(|path| how(&path));
    opened.map_err(|error| JobError::File(About::new(path, error)))
}

/// A file that is read.
pub(crate) struct FileInput(File);

impl FileInput {
    pub(crate) fn open(inherited: &Inherited, path: &str) -> Result<Self, JobError> {
        open(inherited, path, File::open).map(Self)
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
    /// Opens a file to be written anew, or behind its present contents.
    pub(crate) fn open(inherited: &Inherited, path: &str, append: bool) -> Result<Self, JobError> {
        open(inherited, path, if append { File::append } else { File::create }).map(Self)
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
