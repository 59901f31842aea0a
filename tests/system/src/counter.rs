//! `count` in the background: a printer at a steady pace; each of its lines must come once, whole and in order.

use std::fmt;
use std::time::Duration;

use machine::{Job, MachineError, PROMPT, Shell};

/// More than it gets to before it is stopped, and so often that no swap is between two lines.
const COMMAND: &str = "count 1000000 2";
/// For the next line, on a slow host.
const NEXT: Duration = Duration::from_secs(30);

/// A running `count`.
#[must_use = "it counts until it is stopped"]
pub struct Counter(Job);

impl Counter {
    /// Starts it and waits for its first line.
    ///
    /// # Errors
    /// The machine does not answer.
    pub fn start(shell: &mut Shell) -> Result<Self, MachineError> {
        let counter = Self(shell.start(COMMAND)?);
        counter.goes_on(shell)?;
        Ok(counter)
    }

    /// Waits for a line that has not come yet.
    ///
    /// # Errors
    /// None comes.
    pub fn goes_on(&self, shell: &mut Shell) -> Result<(), MachineError> {
        let mark = shell.machine().mark();
        shell.machine().line_since(mark, "count ", NEXT)?;
        Ok(())
    }

    /// Ends it; how many lines came.
    ///
    /// # Errors
    /// The machine does not answer. What is wrong with the lines is inside.
    pub fn stop(self, shell: &mut Shell) -> Result<Result<u64, OutOfOrder>, MachineError> {
        shell.run("kill count")?;
        let said = shell.end_of(self.0)?;
        Ok(counted(said.split_once(&format!("{COMMAND} &\n")).map_or("", |(_, written)| written)))
    }
}

/// A line of `count` that is not the one that was to come next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfOrder {
    /// The line.
    pub line: String,
    /// The number in the line of `count` before it; 0 if it is the first.
    pub after: u64,
}

impl fmt::Display for OutOfOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} after count {}", self.line, self.after)
    }
}

impl std::error::Error for OutOfOrder {}

/// Whether `count` wrote the line.
pub fn is_counted(line: &str) -> bool {
    line.trim_start_matches(PROMPT).starts_with("count ")
}

/// The number that a text counts to, among other lines. The last line may be under way.
fn counted(text: &str) -> Result<u64, OutOfOrder> {
    let whole = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    let mut last = 0;
    for line in whole.filter(|line| is_counted(line)) {
        // What comes while the shell waits stands behind its prompt.
        let number = line.trim_start_matches(PROMPT).strip_prefix("count ").and_then(|number| number.parse().ok());
        if number != Some(last + 1) {
            return Err(OutOfOrder { line: line.to_owned(), after: last });
        }
        last += 1;
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::{OutOfOrder, counted};

    #[test]
    fn every_number_comes_once_and_in_order() {
        assert_eq!(counted("count 1\nother\nmitos> count 2\n[1] done\ncount"), Ok(2));
        assert_eq!(counted(""), Ok(0));
        for (text, line, after) in [
            ("count 2\n", "count 2", 0),
            ("count 1\ncount 1\n", "count 1", 1),
            ("count 1\ncount 3\n", "count 3", 1),
            ("count 1\ncount 2x\n", "count 2x", 1),
            ("cou\nnt 1\ncount 2\n", "count 2", 0),
        ] {
            assert_eq!(counted(text), Err(OutOfOrder { line: line.to_owned(), after }));
        }
    }
}
