//! Checks of the loader of the running system: objects are damaged and handed to it.
//!
//! Sound objects come out of the archive. Each damaged one is really loaded as far as it goes
//! ([`namespace::check_object`]); the loader must refuse it with an error of the right kind that names the cell and the
//! damage, and after every attempt the namespace and its memory must be as before. The checks may be
//! run at any time: a check that finds a difference while applications came or went is made again.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod attempt;
mod census;
mod crafted;
mod elf;
mod foreign;
mod random_damage;

use alloc::string::String;
use core::fmt;

use self_check::{Check, CheckError, Outcome, eventually};

pub use attempt::{AttemptError, Damage, attempt};

/// An act of the loader that is an error.
#[derive(Debug)]
enum Unexpected {
    /// A number has changed.
    Changed {
        /// The name of the number.
        what: &'static str,
        /// The number before the check.
        before: u64,
        /// The number after the check.
        after: u64,
    },
    /// A damaged object was loaded.
    Accepted {
        /// The damage to the object.
        damage: String,
    },
    /// An object was refused for another reason than its damage.
    Refused {
        /// The damage to the object.
        damage: String,
        /// Why it was refused.
        reason: String,
    },
    /// An error does not name the damage.
    Unnamed {
        /// The word that its message must contain.
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
}

impl fmt::Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { what, before, after } => write!(f, "{what}: {before:#x} before, {after:#x} after"),
            Self::Accepted { damage } => write!(f, "accepted: {damage}"),
            Self::Refused { damage, reason } => write!(f, "{damage}: refused for another reason: {reason}"),
            Self::Unnamed { word, message } => write!(f, "no {word:?} in the message {message:?}"),
            Self::Unsuitable => f.write_str("the sound object has no place for this damage"),
            Self::TooFew { refused, of } => write!(f, "only {refused} of {of} damaged objects were refused"),
        }
    }
}

impl core::error::Error for Unexpected {}

/// All checks.
pub const CHECKS: &[Check] = &[
    Check::new("every object of the archive can be loaded beside the others", || alone(random_damage::all_sound)),
    Check::new("a truncated object is refused at any length", || alone(random_damage::truncated)),
    Check::new("flipped bits in headers and tables are refused or harmless", || {
        alone(random_damage::flips_in_structure)
    }),
    Check::new("flipped bits anywhere are refused or harmless", || alone(random_damage::flips_anywhere)),
    Check::new("damaged objects are refused on all processors at a time", || alone(random_damage::everywhere)),
    Check::new("what is no object is refused", || alone(foreign::no_object)),
    Check::new("an object for another machine is refused", || alone(foreign::other_machine)),
    Check::new("a linked file is refused", || alone(foreign::linked_file)),
    Check::new("a name that no cell has is refused", || alone(foreign::unknown_name)),
    Check::new("a second cell of a name is refused", || alone(foreign::loaded_already)),
    Check::new("the start-up section is refused after the start", || alone(foreign::start_up_section)),
    Check::new("a damaged section is refused by its name", || alone(crafted::sections)),
    Check::new("sections of any size are refused before memory is taken", || alone(crafted::sizes)),
    Check::new("too many thread locals are refused", || alone(crafted::thread_locals)),
    Check::new("a damaged symbol is refused by its name", || alone(crafted::symbols)),
    Check::new("an undefined symbol is refused by its name", || alone(crafted::undefined)),
    Check::new("a symbol that is defined twice is refused by its name", || alone(crafted::defined_twice)),
    Check::new("a symbol that another cell defines is refused by both names", || alone(crafted::defined_elsewhere)),
    Check::new("a damaged relocation table is refused", || alone(crafted::relocation_tables)),
    Check::new("relocations of other kinds are refused", || alone(crafted::relocation_kinds)),
    Check::new("a relocation out of reach is refused", || alone(crafted::out_of_reach)),
    Check::new("damaged frame descriptions are refused", || alone(crafted::frames)),
];

/// How often a check is made again. After that it fails: applications must not come and go all the time.
const MAX_TIMES: usize = 20;

/// Makes a check that compares the memory of all cells together. If it fails while applications came or went, that says
/// nothing, and it is made again; the leftovers of the check itself show each time.
fn alone(check: fn() -> Outcome) -> Outcome {
    for _ in 0..MAX_TIMES {
        let before = namespace::changes();
        let outcome = check();
        if outcome.is_ok() || namespace::changes() == before {
            return outcome;
        }
        // The memory of the others is to be free before the next look.
        eventually("the pages of cells that went are free", || mapping::retry_quarantine() == 0)?;
    }
    Err(CheckError::Late("no application comes or goes for a while"))
}
