//! `help [NAME]` lists the applications, or explains one.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};
use core::fmt;

/// The grammar of the shell in a nutshell.
const SHELL: &str = "\
one | two: a pipe    one & : goes on by itself    one ; two: one after the other
< FILE, > FILE, >> FILE: files instead of the console    'a b', \"a b\": one word
Ctrl-C ends what runs, Ctrl-D ends its input, Tab completes, arrows walk the history";

struct Unknown<N>(N);

impl<N: fmt::Display> fmt::Display for Unknown<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "nothing is known of '{}'", self.0)
    }
}

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    match &*environment.arguments() {
        [] => {
            for page in manual::PAGES {
                writeln!(environment, "{:<28} {}", page.usage.0, page.summary)?;
            }
            writeln!(environment, "{SHELL}")?;
            Ok(())
        }
        [name] => {
            let page = manual::page(name).ok_or_else(|| Failure::refused(Unknown(name.clone())))?;
            writeln!(environment, "{}: {}", page.usage.0, page.summary)?;
            for line in page.details.lines() {
                writeln!(environment, "  {line}")?;
            }
            Ok(())
        }
        _ => Err(manual::HELP.usage.into()),
    }
}
