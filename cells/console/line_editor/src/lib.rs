//! A line editor that is fed one byte at a time and never waits.
//!
//! To the reader of a line: [`LineEditor::feed`] gives the event that the bytes so far amount to, and appends to a buffer the bytes
//! that the terminal is to show. It neither reads, writes nor blocks, so the reader decides where it parks. A line is valid
//! UTF-8 of at most [`MAX_LINE`] bytes: a character for which there is no room is refused with a bell, and no part of a line
//! of which something was refused ever counts as the line. The editor cannot fail.
//!
//! The cursor moves by characters, and the screen counts columns: a wide character takes two, a combining one none. The
//! terminal tells its size when [`ASK_SIZE`] is sent; the answer comes among the keys, so it does not race with typing.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod buffer;
mod draw;
mod history;
mod keys;
mod search;

use alloc::string::String;
use alloc::vec::Vec;
use buffer::Buffer;
use columns::width;
use history::History;
use keys::{Decoder, Key};
use search::Search;

/// The characters that have a terminal tell its size: see [`Event::Size`].
pub const ASK_SIZE: &str = draw::ASK_SIZE;

/// Longest line, in bytes.
pub const MAX_LINE: usize = 1024;

/// Tells the user that a key had no effect.
const BELL: u8 = 0x07;

/// The smallest terminal that is believed: some keys with Shift send bytes that look like the size of a smaller one.
const MIN_ROWS: u16 = 3;
const MIN_COLUMNS: u16 = 20;

/// How the line is shown while it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// On a VT100-like terminal this wide; longer lines scroll sideways.
    Terminal {
        /// Columns of the terminal, more than the prompt takes.
        columns: usize,
    },
    /// For logs and scripts: nothing is shown until the line is complete, then once, whole.
    Plain,
}

/// The meaning of the last byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The line is complete.
    Line(String),
    /// The line is complete but for the characters that were refused, beyond [`MAX_LINE`] bytes; it is given up.
    Overlong,
    /// The user wants the line completed: see [`LineEditor::before_cursor`] and [`LineEditor::offer`].
    Complete,
    /// Ctrl-C; the line is given up.
    Interrupt,
    /// Ctrl-D with nothing to its right: the input ends here if the line is empty, and else a part of it, which
    /// [`LineEditor::take`] gives.
    EndOfInput,
    /// The terminal told its size. The line is drawn for it from now on.
    Size {
        /// Characters in a row.
        columns: usize,
        /// Rows on the screen.
        rows: usize,
    },
}

/// One reader's line, keys and history.
pub struct LineEditor {
    style: Style,
    prompt: String,
    buffer: Buffer,
    history: History,
    search: Option<Search>,
    decoder: Decoder,
    /// A character of the line was refused; so until nothing of the line is left.
    overlong: bool,
}

impl LineEditor {
    /// An editor with an empty line.
    pub fn new(style: Style, prompt: &str) -> Self {
        Self {
            style,
            prompt: String::from(prompt),
            buffer: Buffer::default(),
            history: History::default(),
            search: None,
            decoder: Decoder::new(),
            overlong: false,
        }
    }

    /// Changes the prompt, from the next time on that it is shown.
    pub fn set_prompt(&mut self, prompt: &str) {
        self.prompt = String::from(prompt);
    }

    /// The lines that were typed before, oldest first.
    pub fn history(&self) -> impl Iterator<Item = &str> {
        self.history.lines()
    }

    /// Shows the prompt and the line as it is, on a fresh line of the terminal.
    pub fn show(&self, screen: &mut Vec<u8>) {
        match self.style {
            Style::Terminal { .. } => self.redraw(screen),
            Style::Plain => screen.extend_from_slice(self.prompt.as_bytes()),
        }
    }

    /// Shows the prompt and a line that was complete already.
    pub fn show_line(&self, line: &str, screen: &mut Vec<u8>) {
        if let Style::Terminal { columns } = self.style {
            draw::draw(columns, &self.prompt, line, "", screen);
        }
    }

    /// Gives the line as it is, without an end.
    pub fn take(&mut self, screen: &mut Vec<u8>) -> String {
        if self.style == Style::Plain {
            screen.extend_from_slice(self.buffer.text().as_bytes());
        }
        self.buffer.take()
    }

    /// Whether nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.buffer.text().is_empty()
    }

    /// The text left of the cursor.
    pub fn before_cursor(&self) -> &str {
        self.buffer.before()
    }

    /// Takes one byte from the keyboard.
    pub fn feed(&mut self, byte: u8, screen: &mut Vec<u8>) -> Option<Event> {
        let key = self.decoder.feed(byte)?;
        if let Key::Position { row, column } = key {
            return self.resize(row, column);
        }
        if self.search.is_some() && self.search_on(key, screen) {
            return None;
        }
        let terminal = matches!(self.style, Style::Terminal { .. });
        match key {
            Key::Accept => return Some(self.accept(screen)),
            Key::Interrupt => {
                self.give_up();
                screen.extend_from_slice(if terminal { b"^C\r\n" } else { b"\r\n" });
                return Some(Event::Interrupt);
            }
            Key::EndOrDelete if self.buffer.after().is_empty() => {
                if self.overlong {
                    return Some(self.accept(screen));
                }
                if self.buffer.text().is_empty() {
                    screen.extend_from_slice(b"\r\n");
                }
                return Some(Event::EndOfInput);
            }
            Key::Complete => return terminal.then_some(Event::Complete),
            Key::Character(character) => self.insert(character, screen),
            // The rest of the line would come back from the walk as if it were whole.
            Key::Previous | Key::Next | Key::Search if self.overlong => self.ring(screen),
            Key::Search if terminal => {
                self.search = Some(Search::new(self.buffer.text()));
                self.redraw(screen);
            }
            Key::Redraw if terminal => {
                draw::erase_screen(screen);
                self.redraw(screen);
            }
            key => {
                if self.edit(key) {
                    self.overlong &= !self.buffer.text().is_empty();
                    self.redraw(screen);
                }
            }
        }
        None
    }

    /// Completes the last `word` bytes before the cursor: by the common beginning of all `candidates`, and if that is
    /// nothing new, by showing them all, in columns and without the directory that they have in common.
    pub fn offer(&mut self, word: usize, candidates: &[String], screen: &mut Vec<u8>) {
        let Some((first, others)) = candidates.split_first() else {
            return;
        };
        let mut common = first.as_str();
        for other in others {
            common = common_prefix(common, other);
        }
        let addition = common.get(word..).unwrap_or_default();
        let blank = others.is_empty() && !common.ends_with('/');
        if addition.is_empty() && !blank {
            let directory = common.rfind('/').map_or(0, |slash| slash + 1);
            let names: Vec<&str> = candidates.iter().filter_map(|candidate| candidate.get(directory..)).collect();
            for row in columns::lay_out(&names, self.columns()) {
                screen.extend_from_slice(b"\r\n");
                screen.extend_from_slice(row.as_bytes());
            }
            screen.extend_from_slice(b"\r\n");
        } else if self.buffer.text().len() + addition.len() < MAX_LINE {
            self.buffer.insert(addition);
            if blank {
                self.buffer.insert(" ");
            }
        } else {
            self.ring(screen);
        }
        self.redraw(screen);
    }

    /// A key while a line is searched for. False if the search is over, and the key is for the line that was found.
    fn search_on(&mut self, key: Key, screen: &mut Vec<u8>) -> bool {
        let Some(search) = &mut self.search else { return false };
        let found = match key {
            Key::Search => search.older(&self.history),
            Key::Character(letter) => search.extend(letter, &self.history),
            Key::Backspace => search.shorten(&self.history),
            Key::Cancel => self.search.take().map(Search::into_original),
            _ => {
                self.search = None;
                self.redraw(screen);
                return false;
            }
        };
        self.replace(found);
        self.redraw(screen);
        true
    }

    fn resize(&mut self, rows: u16, columns: u16) -> Option<Event> {
        let Style::Terminal { columns: own } = &mut self.style else { return None };
        if rows < MIN_ROWS || columns < MIN_COLUMNS {
            return None;
        }
        *own = usize::from(columns);
        Some(Event::Size { columns: columns.into(), rows: rows.into() })
    }

    fn columns(&self) -> usize {
        match self.style {
            Style::Terminal { columns } => columns,
            Style::Plain => usize::MAX,
        }
    }

    fn accept(&mut self, screen: &mut Vec<u8>) -> Event {
        // The cursor goes where the output may begin; in a log the line comes where the reader expects it.
        if self.style == Style::Plain {
            screen.extend_from_slice(self.buffer.text().as_bytes());
        } else if self.buffer.end() {
            self.redraw(screen);
        }
        screen.extend_from_slice(b"\r\n");
        if self.overlong {
            self.give_up();
            return Event::Overlong;
        }
        let line = self.buffer.take();
        self.history.push(&line);
        Event::Line(line)
    }

    /// Forgets the line.
    fn give_up(&mut self) {
        self.buffer.take();
        self.history.push("");
        self.search = None;
        self.overlong = false;
    }

    fn ring(&self, screen: &mut Vec<u8>) {
        if self.style != Style::Plain {
            screen.push(BELL);
        }
    }

    fn insert(&mut self, character: char, screen: &mut Vec<u8>) {
        if self.buffer.text().len() + character.len_utf8() > MAX_LINE {
            self.overlong = true;
            self.ring(screen);
            return;
        }
        let mut bytes = [0; 4];
        let text = character.encode_utf8(&mut bytes);
        self.buffer.insert(text);
        let Style::Terminal { columns } = self.style else {
            return;
        };
        let column = width(&self.prompt) + width(self.buffer.before());
        // The common case, typing at the end, costs one byte and not a line.
        if self.buffer.after().is_empty() && column < columns {
            screen.extend_from_slice(text.as_bytes());
        } else {
            self.redraw(screen);
        }
    }

    fn edit(&mut self, key: Key) -> bool {
        match key {
            Key::Backspace => self.buffer.backspace(),
            Key::Delete | Key::EndOrDelete => self.buffer.delete(),
            Key::Left => self.buffer.left(),
            Key::Right => self.buffer.right(),
            Key::WordLeft => self.buffer.word_left(),
            Key::WordRight => self.buffer.word_right(),
            Key::Start => self.buffer.start(),
            Key::End => self.buffer.end(),
            Key::KillToEnd => self.buffer.kill_to_end(),
            Key::KillToStart => self.buffer.kill_to_start(),
            Key::KillWord => self.buffer.kill_word(),
            Key::Previous => {
                let line = self.history.previous(self.buffer.text());
                self.replace(line)
            }
            Key::Next => {
                let line = self.history.next();
                self.replace(line)
            }
            Key::Character(_)
            | Key::Accept
            | Key::Interrupt
            | Key::Complete
            | Key::Search
            | Key::Cancel
            | Key::Redraw
            | Key::Position { .. } => false,
        }
    }

    fn replace(&mut self, line: Option<String>) -> bool {
        let changed = line.is_some();
        if let Some(line) = line {
            self.buffer.set(line);
        }
        changed
    }

    /// Draws prompt and line anew.
    fn redraw(&self, screen: &mut Vec<u8>) {
        if let Style::Terminal { columns } = self.style {
            let searching = self.search.as_ref().map(Search::prompt);
            let prompt = searching.as_deref().unwrap_or(&self.prompt);
            draw::draw(columns, prompt, self.buffer.before(), self.buffer.after(), screen);
        }
    }
}

fn common_prefix<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    let length = same.map(|(character, _)| character.len_utf8()).sum();
    one.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests;
