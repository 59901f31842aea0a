//! Gives tasks names that forge lines of `ps` and of the log, and panics with a message that forges some, too.
//!
//! Ends: panics. Names and messages come out as one line, without characters that a terminal obeys.

use alloc::string::String;
use alloc::vec::Vec;

use application::{Environment, Failure};

/// A second line, a return, a sequence that clears the screen, a bell, and text that is cut within a character.
const NAMES: [&str; 5] = ["one\ntwo", "one\r9 9 9", "\u{1b}[2Jcleared", "bell\u{7}", "äöüäöüäöüäöüäöüäöü"];

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    for name in NAMES {
        let named = task::spawn(name, || task::current().map(|task| String::from(task.name().as_str())));
        let shown = named.map_err(Failure::refused)?.join().ok().flatten().unwrap_or_default();
        let obeyed: Vec<char> = shown.chars().filter(|character| character.is_control()).collect();
        crate::expect(obeyed.is_empty() && !shown.is_empty(), format_args!("a name has {obeyed:?}"))?;
    }
    crate::harmless(environment, "no name has a character that a terminal obeys")?;
    panic!("first\n[0.000000 cpu0 ERROR forged] second \u{1b}[2J");
}
