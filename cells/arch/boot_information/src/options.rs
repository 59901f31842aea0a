//! The words of the kernel's command line: which there are, and which of those given mean nothing.
//!
//! The kernel reports a word that means nothing, and boots as if it were not there. The host tool, which has this crate as
//! well, refuses such a word before it starts a machine. `docs/command-line.md` has the same list for people.

use core::fmt;

/// An option, written `NAME=VALUE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootOption {
    /// Its name.
    pub name: &'static str,
    /// The values that it has.
    pub values: &'static [&'static str],
}

/// All options.
pub const OPTIONS: [BootOption; 3] = [
    BootOption { name: "console", values: &["plain"] },
    BootOption { name: "exit", values: &["debug"] },
    BootOption { name: "log", values: &["off", "error", "warn", "info", "debug", "trace"] },
];

/// A word that means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownWord<'a> {
    word: &'a str,
    /// The option that the word names, if its value is what is not known.
    option: Option<BootOption>,
}

/// All words of `command_line` that mean nothing.
pub fn unknown_words(command_line: &str) -> impl Iterator<Item = UnknownWord<'_>> {
    command_line.split_ascii_whitespace().filter_map(|word| {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let option = OPTIONS.into_iter().find(|option| option.name == name);
        let is_known = option.is_some_and(|option| option.values.contains(&value));
        (!is_known).then_some(UnknownWord { word, option })
    })
}

impl fmt::Display for UnknownWord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { word, option } = self;
        match option {
            Some(option) => {
                write!(f, "{word}: the values of {} are ", option.name)?;
                list(f, option.values.iter().copied())
            }
            None => {
                write!(f, "{word}: no option of the kernel; its options are ")?;
                list(f, OPTIONS.iter().map(|option| option.name))
            }
        }
    }
}

fn list<'a>(f: &mut fmt::Formatter<'_>, words: impl Iterator<Item = &'a str>) -> fmt::Result {
    for (index, word) in words.enumerate() {
        write!(f, "{}{word}", if index == 0 { "" } else { ", " })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::string::{String, ToString};
    use std::vec::Vec;

    use super::*;

    fn messages(command_line: &str) -> Vec<String> {
        unknown_words(command_line).map(|word| word.to_string()).collect()
    }

    #[test]
    fn known_words_are_no_matter() {
        assert_eq!(messages(""), Vec::<String>::new());
        assert_eq!(messages("log=debug exit=debug  console=plain log=off"), Vec::<String>::new());
    }

    #[test]
    fn unknown_words_are_told_with_what_there_is() {
        assert_eq!(
            messages("log=verbose quiet log=info"),
            [
                "log=verbose: the values of log are off, error, warn, info, debug, trace",
                "quiet: no option of the kernel; its options are console, exit, log"
            ]
        );
        assert_eq!(messages("console"), ["console: the values of console are plain"]);
    }
}
