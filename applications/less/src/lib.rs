//! `less [FILE ...]` shows files, or its input, page by page. A text that fits on the screen is written as it is, and so is
//! every text if the output is no terminal.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod keys;
mod rows;

use application::{Environment, ExitCode, Failure, Options};
use keys::Key;
use rows::Rows;

/// Says below a page that there is more.
const MORE: &str = "\x1b[7m-- more: space, b, q --\x1b[0m";
/// Says below the last page that there is no more.
const END: &str = "\x1b[7m-- end: b, q --\x1b[0m";
/// Takes the line below the page away.
const ERASE_ROW: &str = "\r\x1b[K";
/// Erases the screen, and puts the cursor into its first row.
const ERASE_SCREEN: &str = "\x1b[H\x1b[2J";

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let words = environment.arguments();
    let options = Options::read(&words, &[], manual::LESS.usage)?;
    let Some(size) = environment.terminal().map(|terminal| terminal.size()) else {
        return files::each_source(environment, options.arguments(), |environment, source| {
            let mut lines = files::Lines::new();
            while let Some(line) = lines.next(environment, source)? {
                files::write_line(environment, line)?;
            }
            Ok(())
        });
    };
    let mut rows = Rows::new(options.arguments(), size.columns);
    let mut pager = Pager { page: size.rows.saturating_sub(1).max(1), top: 0 };
    pager.forward(environment, &mut rows, pager.page)?;
    if rows.reach(environment, pager.page)? {
        pager.converse(environment, &mut rows)?;
    }
    Ok(())
}

/// The part of the text that is on the screen.
struct Pager {
    /// Rows of a page.
    page: usize,
    /// The first row on the screen.
    top: usize,
}

impl Pager {
    /// Does as the keys say, until the user has enough.
    fn converse(&mut self, environment: &mut Environment, rows: &mut Rows) -> Result<(), Failure> {
        loop {
            let more = rows.reach(environment, self.top + self.page)?;
            write!(environment, "{}", if more { MORE } else { END })?;
            environment.output().flush()?;
            let key = environment.terminal().map_or(Key::Quit, |terminal| keys::read(terminal));
            write!(environment, "{ERASE_ROW}")?;
            match key {
                Key::Quit => return Ok(environment.output().flush()?),
                Key::PageDown => self.down(environment, rows, self.page)?,
                Key::Down => self.down(environment, rows, 1)?,
                Key::PageUp => self.go_to(environment, rows, self.top.saturating_sub(self.page))?,
                Key::Up => self.go_to(environment, rows, self.top.saturating_sub(1))?,
                Key::Start => self.go_to(environment, rows, 0)?,
                Key::End => {
                    let last = rows.count(environment)?.saturating_sub(self.page);
                    self.go_to(environment, rows, last)?;
                }
                Key::Other => {}
            }
        }
    }

    /// So many rows further, or as many as there are.
    fn down(&mut self, environment: &mut Environment, rows: &mut Rows, count: usize) -> Result<(), Failure> {
        let mut new = 0;
        while new < count && rows.reach(environment, self.top + self.page + new)? {
            new += 1;
        }
        self.top += new;
        self.show(environment, rows, self.top + self.page - new, new)
    }

    /// Shows the first rows.
    fn forward(&mut self, environment: &mut Environment, rows: &mut Rows, count: usize) -> Result<(), Failure> {
        for row in self.top..self.top + count {
            if !rows.reach(environment, row)? {
                break;
            }
            self.show(environment, rows, row, 1)?;
        }
        Ok(())
    }

    /// Shows the page that begins with a row.
    fn go_to(&mut self, environment: &mut Environment, rows: &mut Rows, top: usize) -> Result<(), Failure> {
        self.top = top;
        write!(environment, "{ERASE_SCREEN}")?;
        self.show(environment, rows, top, self.page)
    }

    fn show(&self, environment: &mut Environment, rows: &Rows, from: usize, count: usize) -> Result<(), Failure> {
        for row in rows.of(from, count) {
            writeln!(environment, "{row}")?;
        }
        Ok(())
    }
}
