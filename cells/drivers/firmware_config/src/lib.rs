//! The files that an emulator gives to its guest: QEMU's firmware configuration device.
//!
//! Source: QEMU, `docs/specs/fw_cfg.rst`.
//!
//! Guarantees to its users: a file is whole or an error says why not. The device writes to memory by itself (DMA); a buffer
//! is the device's from the start of a transfer until the device has said that it has ended, and the compiler keeps everything
//! else away from it meanwhile. One transfer runs at a time; other tasks wait.
//!
//! How it can fail: [`ConfigError`], on a machine without the device, for want of memory, or if the device does not end in
//! time; then it keeps the buffers.
#![no_std]

extern crate alloc;

mod transfer;

use alloc::vec::Vec;
use core::{error, fmt};

use firmware_directory::{DIRECTORY, ENTRY_SIZE};
use mapping::MapError;
use mutex::Mutex;
use transfer::Device;

pub use firmware_directory::File;

/// A larger file is no configuration: the device's own list of files would be damaged.
pub const MAX_FILE: usize = 16 << 20;

static DEVICE: Mutex<Device> = Mutex::new(Device::new());

/// Why a file cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConfigError {
    /// The machine has no such device, or one without DMA.
    Absent,
    /// There is no file of that name.
    NoFile,
    /// The file is larger than [`MAX_FILE`].
    TooLarge(usize),
    /// There is no memory for the transfer.
    Memory(MapError),
    /// The device refused the transfer.
    Refused,
    /// The device did not end in time.
    Stuck,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => write!(f, "this machine has no firmware configuration device"),
            Self::NoFile => write!(f, "the firmware configuration has no such file"),
            Self::TooLarge(size) => write!(f, "a file of {size} bytes is too large"),
            Self::Memory(error) => error.fmt(f),
            Self::Refused => write!(f, "the firmware configuration device refuses the transfer"),
            Self::Stuck => write!(f, "the firmware configuration device does not end its transfer"),
        }
    }
}

impl error::Error for ConfigError {}

impl From<MapError> for ConfigError {
    fn from(error: MapError) -> Self {
        Self::Memory(error)
    }
}

/// All files, in the device's order.
///
/// # Errors
/// [`ConfigError`], but for [`ConfigError::NoFile`].
pub fn files() -> Result<Vec<File>, ConfigError> {
    // A transfer that was lost with its task has lost its buffers, too: the device can take the next one.
    let device = DEVICE.lock().unwrap_or_else(mutex::Poisoned::into_inner);
    let head = device.read(DIRECTORY, size_of::<u32>())?;
    let size = firmware_directory::count(&head) * ENTRY_SIZE + size_of::<u32>();
    let list = device.read(DIRECTORY, checked(size)?)?;
    Ok(firmware_directory::entries(&list))
}

/// The contents of the file called `name`.
///
/// # Errors
/// [`ConfigError`].
pub fn read(name: &str) -> Result<Vec<u8>, ConfigError> {
    let file = files()?.into_iter().find(|file| file.name() == name).ok_or(ConfigError::NoFile)?;
    let device = DEVICE.lock().unwrap_or_else(mutex::Poisoned::into_inner);
    device.read(file.key(), checked(file.size())?)
}

fn checked(size: usize) -> Result<usize, ConfigError> {
    if size > MAX_FILE { Err(ConfigError::TooLarge(size)) } else { Ok(size) }
}
