//! From the name of a command to its `main`.
//!
//! To the shell: a [`Program`] can be started, once. Its cell is unloaded when its task and all tasks that came from that one
//! have been disposed of, or when the program is dropped instead. This is the one place where the address of an application's
//! entry becomes a function.
#![no_std]

extern crate alloc;

use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use application::{Entry, Environment, ExitCode};
use namespace::{LoadError, LoadedApplication};
use task::{Builder, Joinable, Origin, SpawnError};
use task_core::Machinery;

// SAFETY: this cell only says what an application's code is part of.
const RIGHT: Machinery = unsafe { Machinery::new() };

/// So many swaps in a row are waited for.
const MAX_SWAPS: u32 = 16;

/// Loads a cell. Waits for the end of a swap, during which no cell comes.
fn application(name: &str) -> Result<LoadedApplication, Box<LoadError>> {
    for _ in 0..MAX_SWAPS {
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

    /// Calls its `main` in a task of its own.
    pub fn start(self, name: &str, mut environment: Environment) -> Result<Joinable<ExitCode>, SpawnError> {
        // SAFETY: the manifest names this symbol as the `main` of an application, for which the build requires the
        // type `Entry`; the cell was linked against the `application` that is loaded here. It is loaded for as long as a task
        // that can get at the function is there: they all have this program as their origin. The address is that of a
        // function, so it is not null.
        let entry: Entry = unsafe { core::mem::transmute(self.0.entry()) };
        let origin = Origin::new(RIGHT, Arc::new(self.0));
        Builder::new().name(name).origin(origin).spawn(move || entry(&mut environment))
    }
}
