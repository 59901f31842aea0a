//! Counts tests and prints a line for each.

use std::fmt;
use std::time::Duration;

/// What was tested so far.
#[derive(Debug, Default)]
pub struct Tally {
    passed: Vec<String>,
    failures: Vec<String>,
}

impl Tally {
    /// Nothing tested yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a part of the run.
    pub fn heading(&self, text: &str) {
        println!("== {text}");
    }

    /// Records a test and says so.
    pub fn record(&mut self, name: &str, took: Option<Duration>, result: Result<(), impl fmt::Display>) {
        let took = took.map(|took| format!(" ({:.1} s)", took.as_secs_f64())).unwrap_or_default();
        match result {
            Ok(()) => {
                self.passed.push(name.to_owned());
                println!("ok      {name}{took}");
            }
            Err(reason) => {
                println!("FAILED  {name}{took}: {reason}");
                self.failures.push(name.to_owned());
            }
        }
    }

    /// True when something was tested and nothing failed.
    pub fn is_success(&self) -> bool {
        !self.passed.is_empty() && self.failures.is_empty()
    }

    /// How many of the tests with such a name were run, and how many of them passed.
    pub fn count(&self, is_meant: impl Fn(&str) -> bool) -> (usize, usize) {
        let of = |names: &[String]| names.iter().filter(|name| is_meant(name)).count();
        let passed = of(&self.passed);
        (passed + of(&self.failures), passed)
    }

    /// Prints what failed, again, and the closing line.
    pub fn finish(&self) {
        println!();
        for name in &self.failures {
            println!("FAILED  {name}");
        }
        println!("{self}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed.len(), self.failures.len())
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn an_empty_run_has_failed() {
        assert!(!Tally::new().is_success());
    }

    #[test]
    fn one_failure_fails_the_run() {
        let mut tally = Tally::new();
        tally.record("a", None, Ok::<(), &str>(()));
        assert!(tally.is_success());
        tally.record("b", None, Err("reason"));
        assert!(!tally.is_success());
        assert_eq!(tally.to_string(), "1 passed, 1 failed");
        assert_eq!(tally.count(|name| name == "b"), (1, 0));
        assert_eq!(tally.count(|_| true), (2, 1));
    }
}
