//! Starts the user's side of the system: the tree of files, the console and the shell.
//!
//! To `init`: after [`start`] the shell has its prompt, and console and shell are supervised, each started anew by
//! itself when it ends for any reason; neither is ever given up. It fails, with everything named, if the first
//! tasks cannot be made or the serial port's interrupt cannot be had.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use alloc::vec;
use core::fmt;
use core::time::Duration;
use interrupts::Interrupt;
use memory_fs::MemoryFs;
use restart_policy::{Intensity, MAX_RESTARTS, Strategy};
use supervisor::{Child, Group, SupervisorError};
use terminal::ApicError;
use vfs::FsError;

pub use terminal::SERIAL_LINE;

/// Files may take one part in so many of the free memory.
const SHARE_OF_FILES: u64 = 4;
const FRAME_SIZE: u64 = 4096;

/// The pauses between restarts grow until it has run that long, so that no such span ever holds this many failures: the user
/// is never left alone.
const NEVER_GIVEN_UP: Intensity = Intensity { restarts: MAX_RESTARTS, within: Duration::from_secs(10) };

/// Why there is no shell.
#[derive(Debug)]
pub enum StartError {
    /// The tree of files cannot be made.
    Files(FsError),
    /// The serial port cannot interrupt.
    Console(ApicError),
    /// The tasks cannot be started.
    Tasks(SupervisorError),
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(error) => write!(formatter, "no tree of files: {error}"),
            Self::Console(error) => write!(formatter, "no console: {error}"),
            Self::Tasks(error) => write!(formatter, "no shell: {error}"),
        }
    }
}

impl core::error::Error for StartError {}

/// Starts them. Once, when tasks, supervisor and interrupts work. `serial` is ISA interrupt [`SERIAL_LINE`].
///
/// # Errors
/// If the tree of files, the console or their tasks cannot be had.
pub fn start(command_line: &str, serial: Interrupt) -> Result<(), StartError> {
    mount_files().map_err(StartError::Files)?;
    terminal::init(command_line, serial).map_err(StartError::Console)?;
    // The last line before the prompt: the lines after it are the user's.
    log::info!("console and shell after {:?}", clock::since_boot());
    let console = Child::new("console", || terminal::serve());
    let shell = Child::new("shell", || shell::serve());
    let group = Group { strategy: Strategy::OneForOne, intensity: NEVER_GIVEN_UP, children: vec![console, shell] };
    supervisor::supervise(group).map_err(StartError::Tasks)?;
    Ok(())
}

fn mount_files() -> Result<(), FsError> {
    let free = frames::statistics().free as u64 * FRAME_SIZE;
    let capacity = free / SHARE_OF_FILES;
    vfs::mount("/", Box::new(MemoryFs::new(capacity)?))?;
    vfs::create_directory("/tmp")?;
    log::info!("files in memory, up to {} MiB", capacity >> 20);
    Ok(())
}
