//! Why a subcommand failed.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// One line for the user.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Build(Box<build::BuildError>),
    #[error(transparent)]
    Machine(Box<machine::MachineError>),
    #[error(transparent)]
    Host(#[from] checks::host::HostError),
    #[error("cannot run {program}: {error}")]
    Program { program: String, error: io::Error },
    #[error("{program} failed ({status}){output}")]
    Failed { program: String, status: ExitStatus, output: String },
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("{}: the second build of the same tree gave another one", path.display())]
    Changed { path: PathBuf },
    #[error("compiled from an unchanged copy of its sources, these differ: {cells}")]
    DiffersUnchanged { cells: String },
    #[error("cell {cell}: {source}")]
    Reach { cell: String, source: reach::ReachError },
    #[error(
        "build/levers.toml is not what applications can reach; list each new function as a lever, with what it changes, \
        or as harmless:{complaints}"
    )]
    Levers { complaints: String },
    #[error("{0}")]
    House(#[from] house::HouseError),
    #[error("{0}")]
    Word(String),
    #[error("report: {0}")]
    Report(#[from] serde_json::Error),
}

impl From<build::BuildError> for Failure {
    fn from(error: build::BuildError) -> Self {
        Self::Build(Box::new(error))
    }
}

impl From<machine::MachineError> for Failure {
    fn from(error: machine::MachineError) -> Self {
        Self::Machine(Box::new(error))
    }
}

impl Failure {
    pub(crate) fn program(command: &Command, error: io::Error) -> Self {
        Self::Program { program: command.get_program().to_string_lossy().into_owned(), error }
    }

    pub(crate) fn file(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |error| Self::File { path, error }
    }
}

/// Runs a command on the caller's terminal; a status other than 0 is an error.
pub(crate) fn check(command: &mut Command) -> Result<(), Failure> {
    let status = command.status().map_err(|error| Failure::program(command, error))?;
    if status.success() {
        return Ok(());
    }
    let program = command.get_program().to_string_lossy().into_owned();
    Err(Failure::Failed { program, status, output: String::new() })
}
