//! From the name of a command to its `main`.
//!
//! To the shell: a [`Program`] can be started, once. Its cell is unloaded when its task and all tasks that came from that one
//! have been disposed of, or when the program is dropped instead. A cell is refused if its `main` has another type than
//! [`Entry`].
#![no_std]

extern crate alloc;

use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use application::{Entry, Environment, ExitCode};
use namespace::{LoadError, LoadedApplication};
use task::{Builder, Joinable, Origin, SpawnError};
use task_core::OriginCap;

// SAFETY: this cell gives the first task of an application the application's own cell as its origin.
const ORIGIN: OriginCap = unsafe { OriginCap::new() };

entry_point::expected! {
    /// The `main` of every application.
    MAIN: Entry
}

/// The launcher waits for so many swaps in a row.
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
pub struct Program {
    application: LoadedApplication,
    main: Entry,
}

impl Program {
    /// Loads the application for the command `name`.
    pub fn load(name: &str) -> Result<Self, Box<LoadError>> {
        let error = match application(name) {
            Ok(application) => return Self::new(application),
            Err(error) => error,
        };
        let LoadError::NotAnApplication { .. } = *error else { return Err(error) };
        // A library has the name; the application's cell has a longer one.
        match application(&format!("{name}{}", manual::SUFFIX)) {
            Ok(application) => Self::new(application),
            Err(longer) => Err(if matches!(*longer, LoadError::Unknown { .. }) { error } else { longer }),
        }
    }

    /// The application, if its `main` can be called.
    fn new(application: LoadedApplication) -> Result<Self, Box<LoadError>> {
        // SAFETY: the application is loaded for as long as a task that can get at the function is there: all of them have it
        // as their origin, and until `start` the program has it.
        let main = unsafe { application.entry().function(&MAIN) }?;
        Ok(Self { application, main })
    }

    /// Calls its `main` in a task of its own, with a stack of the size that its manifest asks for.
    pub fn start(self, name: &str, mut environment: Environment) -> Result<Joinable<ExitCode>, SpawnError> {
        let Self { application, main } = self;
        let mut builder = Builder::new().name(name);
        if let Some(bytes) = application.stack_size() {
            builder = builder.stack_size(bytes);
        }
        let origin = Origin::new(ORIGIN, Arc::new(application));
        builder.origin(ORIGIN, origin).spawn(move || main(&mut environment))
    }
}
