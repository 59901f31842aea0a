//! `count` in the background: a printer at a steady pace, each of whose lines must come once, whole and in order.

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
    pub fn stop(self, shell: &mut Shell) -> Result<Result<u64, String>, MachineError> {
        shell.run("kill count")?;
        let said = shell.end_of(self.0)?;
        Ok(counted(said.split_once(&format!("{COMMAND} &\n")).map_or("", |(_, written)| written)))
    }
}

/// Whether `count` wrote the line.
pub fn is_counted(line: &str) -> bool {
    line.trim_start_matches(PROMPT).starts_with("count ")
}

/// The number that a text counts to, among other lines. The last line may be under way.
fn counted(text: &str) -> Result<u64, String> {
    let whole = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    let mut last = 0;
    for line in whole.filter(|line| is_counted(line)) {
        // What comes while the shell waits stands behind its prompt.
        let number = line.trim_start_matches(PROMPT).strip_prefix("count ").and_then(|number| number.parse().ok());
        if number != Some(last + 1) {
            return Err(format!("{line:?} after count {last}"));
        }
        last += 1;
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn every_number_comes_once_and_in_order() {
        assert_eq!(counted("count 1\nother\nmitos> count 2\n[1] done\ncount"), Ok(2));
        assert_eq!(counted(""), Ok(0));
        for wrong in
            ["count 2\n", "count 1\ncount 1\n", "count 1\ncount 3\n", "count 1\ncount 2x\n", "cou\nnt 1\ncount 2\n"]
        {
            assert!(counted(wrong).is_err(), "{wrong:?}");
        }
    }
}
