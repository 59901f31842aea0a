//! A text as rows of the screen, read as far as it is needed.
use alloc::string::String;
use alloc::vec::Vec;
use application::{Environment, Failure};
use columns::character_width;
use files::{Lines, Source};

/// Columns from one tabulator stop to the next.
const TAB: usize = 8;

/// The rows so far, and the sources of the others.
pub(crate) struct Rows {
    rows: Vec<String>,
    columns: usize,
    /// The paths that have not been opened yet, the next one last.
    paths: Vec<String>,
    open: Option<(Source, Lines)>,
}

impl Rows {
    /// The rows of the files, or of the input if there are none, on a screen so wide.
    pub(crate) fn new(paths: &[String], columns: usize) -> Self {
        let paths: Vec<String> = paths.iter().rev().cloned().collect();
        let open = paths.is_empty().then(|| (Source::Input, Lines::new()));
        Self { rows: Vec::new(), columns, paths, open }
    }

    /// Reads until the row with this number is known; whether there is one.
    pub(crate) fn reach(&mut self, environment: &mut Environment, row: usize) -> Result<bool, Failure> {
        while row >= self.rows.len() {
            let Some((source, lines)) = &mut self.open else {
                let Some(path) = self.paths.pop() else { return Ok(false) };
                self.open = Some((Source::open(environment, &path)?, Lines::new()));
                continue;
            };
            match lines.next(environment, source)? {
                Some(line) => wrap(&String::from_utf8_lossy(line), self.columns, &mut self.rows),
                None => self.open = None,
            }
        }
        Ok(true)
    }

    /// Reads to the end, and gives the number of rows.
    pub(crate) fn count(&mut self, environment: &mut Environment) -> Result<usize, Failure> {
        while self.reach(environment, self.rows.len())? {}
        Ok(self.rows.len())
    }

    /// At most `count` rows from `from` on, of those that are known.
    pub(crate) fn of(&self, from: usize, count: usize) -> impl Iterator<Item = &str> {
        self.rows.iter().skip(from).take(count).map(String::as_str)
    }
}

/// Breaks a line into rows. A control character would move the cursor, so it is shown as a question mark.
fn wrap(line: &str, columns: usize, rows: &mut Vec<String>) {
    let (mut row, mut width) = (String::new(), 0);
    for character in line.trim_end_matches('\r').chars() {
        let (text, times, wide) = match character {
            '\t' => (' ', TAB - width % TAB, 1),
            character if character.is_control() => ('?', 1, 1),
            character => (character, 1, character_width(character)),
        };
        for _ in 0..times {
            if width + wide > columns {
                rows.push(core::mem::take(&mut row));
                width = 0;
            }
            row.push(text);
            width += wide;
        }
    }
    rows.push(row);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(line: &str, columns: usize) -> Vec<String> {
        let mut rows = Vec::new();
        wrap(line, columns, &mut rows);
        rows
    }

    #[test]
    fn a_long_line_takes_several_rows() {
        assert_eq!(wrapped("", 4), [""]);
        assert_eq!(wrapped("abcd", 4), ["abcd"]);
        assert_eq!(wrapped("abcdefghi", 4), ["abcd", "efgh", "i"]);
        assert_eq!(wrapped("漢字漢", 5), ["漢字", "漢"]);
        assert_eq!(wrapped("a\tb\x1b[31m\r", 80), ["a       b?[31m"]);
    }
}
