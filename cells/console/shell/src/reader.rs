//! Reading a line from the user.
use crate::complete;
use alloc::string::String;
use alloc::vec::Vec;
use line_editor::{Event, LineEditor};

/// The user's keyboard and what was typed before.
pub(crate) struct Reader {
    editor: LineEditor,
}

impl Reader {
    pub(crate) fn new(prompt: &str) -> Self {
        Self { editor: LineEditor::new(terminal::style(), prompt) }
    }

    /// Shows the prompt and waits for a line. Ctrl-C gives the line up; Ctrl-D means nothing, as there is nowhere to
    /// go from here.
    pub(crate) fn next_line(&mut self) -> String {
        let mut screen = Vec::new();
        self.editor.show(&mut screen);
        terminal::send_fresh(&screen);
        screen.clear();
        loop {
            let mut byte = [0];
            terminal::read(&mut byte);
            let [byte] = byte;
            match self.editor.feed(byte, &mut screen) {
                None => {}
                Some(Event::Line(line)) => {
                    terminal::send(&screen);
                    return line;
                }
                Some(Event::Complete) => {
                    let (word, candidates) = complete::candidates(self.editor.before_cursor());
                    self.editor.offer(word, &candidates, &mut screen);
                }
                Some(Event::Interrupt | Event::EndOfInput) => self.editor.show(&mut screen),
            }
            terminal::send(&screen);
            screen.clear();
        }
    }
}
