//! A line that the user types while others write.
use crate::output::{send, send_fresh};
use crate::{keys, size, style};
use alloc::string::String;
use alloc::vec::Vec;
use application::Size;
use console::Outcome;
use console_state::{LINE, READABLE, WRITABLE};
use line_editor::{Event, LineEditor, Style};
use wait_queue::wait_for;

/// The things that an editor waits for.
enum Wanted {
    Byte(u8),
    /// Other output took the place of the line.
    Redraw,
}

/// A line editor on the console. The reader of a line has one, and only one reader at a time reads.
pub struct EditedLine {
    editor: LineEditor,
    /// Whether the line is on the screen while it is typed.
    visible: bool,
    /// Bytes for the terminal.
    screen: Vec<u8>,
}

impl EditedLine {
    /// An empty line behind a prompt, neither of them shown yet.
    pub fn new(prompt: &str) -> Self {
        let style = style();
        Self { editor: LineEditor::new(style, prompt), visible: style != Style::Plain, screen: Vec::new() }
    }

    /// Changes the prompt, from the next time on that it is shown.
    pub fn set_prompt(&mut self, prompt: &str) {
        self.editor.set_prompt(prompt);
    }

    /// The lines that were typed before, oldest first.
    pub fn history(&self) -> impl Iterator<Item = &str> {
        self.editor.history()
    }

    /// Shows the prompt and the line.
    pub fn show(&mut self) {
        self.editor.show(&mut self.screen);
        self.draw();
    }

    /// Waits for the next event. Meanwhile the line stays whole on the screen while others write; afterwards it is not
    /// there any more, unless it is to be completed or taken.
    pub fn next_event(&mut self) -> Event {
        loop {
            let byte = match wait_for(&READABLE, wanted) {
                Wanted::Byte(byte) => byte,
                Wanted::Redraw => {
                    self.show();
                    continue;
                }
            };
            let Some(event) = self.editor.feed(byte, &mut self.screen) else {
                // An outdated change is drawn in the next turn, with all the rest of the line.
                let _outdated = self.put(console::try_change);
                continue;
            };
            match &event {
                Event::Line(line) => self.finish(line),
                Event::Interrupt | Event::Overlong => self.finish(""),
                Event::EndOfInput if self.editor.is_empty() => self.finish(""),
                Event::Size { columns, rows } => {
                    size::set_size(Size { columns: *columns, rows: *rows });
                    continue;
                }
                Event::EndOfInput | Event::Complete => {}
            }
            return event;
        }
    }

    /// Whether nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.editor.is_empty()
    }

    /// The text left of the cursor.
    pub fn before_cursor(&self) -> &str {
        self.editor.before_cursor()
    }

    /// Completes the last `word` bytes before the cursor.
    pub fn offer(&mut self, word: usize, candidates: &[String]) {
        self.editor.offer(word, candidates, &mut self.screen);
        self.draw();
    }

    /// Takes the text as it is.
    pub fn take(&mut self) -> String {
        let line = self.editor.take(&mut self.screen);
        self.finish(&line);
        line
    }

    fn draw(&mut self) {
        if self.visible {
            let _taken = self.put(console::try_draw);
        } else {
            send_fresh(&self.screen);
            self.screen.clear();
        }
    }

    /// Ends the line on the screen, where `line` was.
    fn finish(&mut self, line: &str) {
        let end = core::mem::take(&mut self.screen);
        loop {
            self.screen.extend_from_slice(&end);
            if self.put(console::try_finish) != Outcome::Outdated {
                return;
            }
            self.editor.show_line(line, &mut self.screen);
            self.draw();
        }
    }

    /// Hands on the bytes for the terminal, waiting for room. Outdated ones are forgotten.
    fn put(&mut self, attempt: fn(&[u8]) -> Outcome) -> Outcome {
        let mut outcome = Outcome::Taken;
        if !self.visible {
            send(&self.screen);
        } else if self.screen.is_empty() {
            outcome = attempt(&[]);
        } else {
            for part in self.screen.chunks(LINE) {
                outcome = wait_for(&WRITABLE, || Some(attempt(part)).filter(|outcome| *outcome != Outcome::NoRoom));
            }
        }
        self.screen.clear();
        outcome
    }
}

/// The next thing for an editor. A redraw comes first: a key changes a line that is on the screen.
fn wanted() -> Option<Wanted> {
    if console::line_is_erased() {
        return Some(Wanted::Redraw);
    }
    if keys::are_claimed() {
        return None;
    }
    let mut byte = [0];
    (console::try_read(&mut byte) > 0).then(|| Wanted::Byte(byte[0]))
}
