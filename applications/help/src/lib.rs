//! `help [NAME]` lists the commands by subject, or explains one.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use application::{Environment, ExitCode, Failure};
use manual::Subject;

/// The grammar of the shell in a nutshell.
const SHELL: &str = "\
one | two: a pipe    one & : goes on by itself    one ; two: one after the other
< FILE, > FILE, >> FILE: files instead of the console    'a b', \"a b\": one word
NAME=value sets a variable, $NAME is its value    NAME --help explains a command
Ctrl-C ends what runs, Ctrl-D ends its input, Tab completes, arrows and Ctrl-R walk the history";

/// The columns of an output that is no terminal.
const COLUMNS: usize = 80;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    match &*environment.arguments() {
        [] => list(environment),
        [name] => {
            let page = manual::find(name).map_err(Failure::refused)?;
            Ok(write!(environment, "{page}")?)
        }
        _ => Err(manual::HELP.usage.into()),
    }
}

fn list(environment: &mut Environment) -> Result<(), Failure> {
    let columns = environment.columns().unwrap_or(COLUMNS);
    for subject in Subject::ALL {
        writeln!(environment, "{}", subject.title())?;
        let names = manual::PAGES.iter().filter(|page| page.subject == subject).map(|page| page.name);
        for row in columns::lay_out(&names.collect::<Vec<_>>(), columns.saturating_sub(2)) {
            writeln!(environment, "  {row}")?;
        }
    }
    writeln!(environment, "'help NAME' explains a command.")?;
    Ok(writeln!(environment, "{SHELL}")?)
}
