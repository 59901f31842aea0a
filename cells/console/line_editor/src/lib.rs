//! A line editor that is fed one byte at a time and never waits.
//!
//! To a reader of lines: whatever bytes come, [`LineEditor::feed`] returns what they amount to and appends to a
//! buffer what the terminal is to show; it neither reads, writes nor blocks, so the reader decides where it
//! parks. The terminal is never asked anything (an answer would race with typing). Lines are valid UTF-8 and at
//! most [`MAX_LINE`] bytes: a character for which there is no room is refused with a bell, and no part of a line of which
//! something was refused ever counts as the line. It cannot fail.
//! Characters are taken to be one column wide; wider ones only misplace the cursor on the screen.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod buffer;
mod history;
mod keys;

use alloc::string::String;
use alloc::vec::Vec;
use buffer::Buffer;
use core::fmt::Write;
use history::History;
use keys::{Decoder, Key};

/// Longest line, in bytes.
pub const MAX_LINE: usize = 1024;

/// Tells the user that a key had no effect.
const BELL: u8 = 0x07;

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

/// What a byte amounted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The line is complete.
    Line(String),
    /// The line is complete but for what was refused, beyond [`MAX_LINE`] bytes; it is given up.
    Overlong,
    /// The user wants the line completed: see [`LineEditor::before_cursor`] and [`LineEditor::offer`].
    Complete,
    /// Ctrl-C; the line is given up.
    Interrupt,
    /// Ctrl-D with nothing to its right: the input ends here if the line is empty, and else a part of it, which
    /// [`LineEditor::take`] gives.
    EndOfInput,
}

/// One reader's line, keys and history.
pub struct LineEditor {
    style: Style,
    prompt: String,
    buffer: Buffer,
    history: History,
    decoder: Decoder,
    /// Something was refused of the line; so until nothing of it is left.
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
            decoder: Decoder::new(),
            overlong: false,
        }
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
        self.draw(line, "", screen);
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
            // What is left of the line would come back from the walk as if it were whole.
            Key::Previous | Key::Next if self.overlong => self.ring(screen),
            key => {
                if self.edit(key) {
                    self.overlong &= !self.buffer.text().is_empty();
                    self.redraw(screen);
                }
            }
        }
        None
    }

    /// Completes the last `word` bytes before the cursor: by what all `candidates` begin with, and if that is
    /// nothing new, by showing them all.
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
            screen.extend_from_slice(b"\r\n");
            for candidate in candidates {
                screen.extend_from_slice(candidate.as_bytes());
                screen.extend_from_slice(b"  ");
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

    fn accept(&mut self, screen: &mut Vec<u8>) -> Event {
        // Put the cursor where the output may begin, and in a log the line where the reader expects it.
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
        let column = self.prompt.chars().count() + self.buffer.before().chars().count();
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
            Key::Redraw => true,
            Key::Character(_) | Key::Accept | Key::Interrupt | Key::Complete => false,
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
        self.draw(self.buffer.before(), self.buffer.after(), screen);
    }

    /// Draws the part of a line around the cursor that fits.
    fn draw(&self, before: &str, after: &str, screen: &mut Vec<u8>) {
        let Style::Terminal { columns } = self.style else {
            return;
        };
        let room = columns.saturating_sub(self.prompt.chars().count() + 1).max(1);
        let hidden = before.chars().count().saturating_sub(room);
        let shown = before.chars().chain(after.chars()).skip(hidden);
        let mut text = String::from("\r");
        text.push_str(&self.prompt);
        text.extend(shown.take(room));
        text.push_str("\x1b[K");
        let behind = after.chars().count().min(room - (before.chars().count() - hidden));
        if behind > 0 {
            // Writing to a String cannot fail.
            let _ = write!(text, "\x1b[{behind}D");
        }
        screen.extend_from_slice(text.as_bytes());
    }
}

fn common_prefix<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    let length = same.map(|(character, _)| character.len_utf8()).sum();
    one.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests;
