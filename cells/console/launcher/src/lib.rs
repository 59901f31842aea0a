//! From the name of a command to its `main`.
//!
//! To the shell: a [`Program`] that can be run as long as it lives, and whose cell is unloaded when it is dropped. This
//! is the one place where the address of an application's entry becomes a function.
#![no_std]

extern crate alloc;

use alloc::boxed::Box;
use alloc::format;
use application::{Entry, Environment, ExitCode};
use namespace::{LoadError, LoadedApplication};

/// So many swaps in a row are waited for.
const MOST_SWAPS: u32 = 16;

/// Loads a cell. Waits for the end of a swap, during which no cell comes.
fn application(name: &str) -> Result<LoadedApplication, Box<LoadError>> {
    for _ in 0..MOST_SWAPS {
        match namespace::application(name) {
            Err(LoadError::Replacing) => evolution::wait_for_swap(),
            outcome => return outcome.map_err(Box::new),
        }
    }
    Err(Box::new(LoadError::Replacing))
}

/// A loaded application.
pub struct Program(LoadedApplication);

impl Program {
    /// Loads the application for the command `name`.
    pub fn load(name: &str) -> Result<Self, Box<LoadError>> {
        let error = match application(name) {
            Ok(application) => return Ok(Self(application)),
            Err(error) => error,
        };
        let LoadError::NotAnApplication { .. } = *error else { return Err(error) };
        // A library has the name; the application's cell has a longer one.
        match application(&format!("{name}{}", manual::SUFFIX)) {
            Ok(application) => Ok(Self(application)),
            Err(longer) => Err(if matches!(*longer, LoadError::Unknown { .. }) { error } else { longer }),
        }
    }

    /// Calls its `main`.
    pub fn run(&self, environment: &mut Environment) -> ExitCode {
        // SAFETY: the manifest names this symbol as the `main` of an application, for which the build requires the
        // type `Entry`; the cell was linked against the `application` that is loaded here, and is loaded while
        // `self` lives. The address is that of a function, so it is not null.
        let entry: Entry = unsafe { core::mem::transmute(self.0.entry()) };
        entry(environment)
    }
}
