//! Checks of the loader of the running system: objects are damaged and handed to it.
//!
//! Sound objects come out of the archive. Each damaged one is really loaded as far as it goes
//! ([`namespace::check_object`]); what is refused must be refused with an error of the right kind that names the cell
//! and what in it is wrong, and after every attempt the namespace and its memory must be as before. The checks may be
//! run at any time; one that compares memory fails if cells come or go meanwhile.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod census;
mod crafted;
mod elf;
mod foreign;
mod random_damage;

use alloc::{boxed::Box, string::String};
use core::fmt;

use namespace::LoadError;
use task::{Ended, SpawnError};

pub use random_damage::flip;

/// What a check found wrong.
#[derive(Debug)]
pub enum CheckError {
    /// A number is not what it was.
    Changed {
        /// Of what.
        what: &'static str,
        /// What it was.
        before: u64,
        /// What it is.
        after: u64,
    },
    /// A damaged object was loaded.
    Accepted {
        /// What was done to it.
        damage: String,
    },
    /// An object was refused for another reason than its damage.
    Refused {
        /// What was done to it.
        damage: String,
        /// Why it was refused.
        reason: String,
    },
    /// An error does not say what is wrong.
    Unnamed {
        /// What its message must contain.
        word: String,
        /// Its message.
        message: String,
    },
    /// The object in the archive has nothing that could be damaged in this way.
    Unsuitable,
    /// Of many damaged objects, fewer were refused than can be.
    TooFew {
        /// How many were refused.
        refused: usize,
        /// Of how many.
        of: usize,
    },
    /// A sound object cannot be had.
    Load(Box<LoadError>),
    /// A task was not made.
    Spawn(SpawnError),
    /// A task ended unexpectedly.
    Ended(Ended),
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { what, before, after } => write!(f, "{what}: {before:#x} before, {after:#x} after"),
            Self::Accepted { damage } => write!(f, "accepted: {damage}"),
            Self::Refused { damage, reason } => write!(f, "{damage}: refused for another reason: {reason}"),
            Self::Unnamed { word, message } => write!(f, "no {word:?} in the message {message:?}"),
            Self::Unsuitable => f.write_str("the sound object has no place for this damage"),
            Self::TooFew { refused, of } => write!(f, "only {refused} of {of} damaged objects were refused"),
            Self::Load(error) => error.fmt(f),
            Self::Spawn(error) => error.fmt(f),
            Self::Ended(ended) => write!(f, "a task of the check {ended}"),
        }
    }
}

impl core::error::Error for CheckError {}

macro_rules! convert {
    ($($variant:ident($type:ty)),+) => {$(
        impl From<$type> for CheckError {
            fn from(error: $type) -> Self {
                Self::$variant(error)
            }
        }
    )+};
}
convert!(Spawn(SpawnError), Ended(Ended));

impl From<LoadError> for CheckError {
    fn from(error: LoadError) -> Self {
        Self::Load(Box::new(error))
    }
}

/// The outcome of a check.
pub type Outcome = Result<(), CheckError>;

/// A check and its name.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// What is claimed, as a sentence.
    pub name: &'static str,
    /// Finds out.
    pub run: fn() -> Outcome,
}

const fn check(name: &'static str, run: fn() -> Outcome) -> Check {
    Check { name, run }
}

/// All checks.
pub const CHECKS: &[Check] = &[
    check("every object of the archive can be loaded beside the others", random_damage::all_sound),
    check("a truncated object is refused at any length", random_damage::truncated),
    check("flipped bits in headers and tables are refused or harmless", random_damage::flips_in_structure),
    check("flipped bits anywhere are refused or harmless", random_damage::flips_anywhere),
    check("damaged objects are refused on all processors at a time", random_damage::everywhere),
    check("what is no object is refused", foreign::no_object),
    check("an object for another machine is refused", foreign::other_machine),
    check("a linked file is refused", foreign::linked_file),
    check("a name that no cell has is refused", foreign::unknown_name),
    check("a second cell of a name is refused", foreign::loaded_already),
    check("the start-up section is refused after the start", foreign::start_up_section),
    check("a damaged section is refused by its name", crafted::sections),
    check("sections of any size are refused before memory is taken", crafted::sizes),
    check("too many thread locals are refused", crafted::thread_locals),
    check("a damaged symbol is refused by its name", crafted::symbols),
    check("an undefined symbol is refused by its name", crafted::undefined),
    check("a symbol that is defined twice is refused by its name", crafted::defined_twice),
    check("a symbol that another cell defines is refused by both names", crafted::defined_elsewhere),
    check("a damaged relocation table is refused", crafted::relocation_tables),
    check("relocations of other kinds are refused", crafted::relocation_kinds),
    check("a relocation out of reach is refused", crafted::out_of_reach),
    check("damaged frame descriptions are refused", crafted::frames),
];
