//! Reading a line from the user.
use crate::complete;
use crate::error::JobError;
use alloc::string::String;
use line_editor::Event;
use terminal::EditedLine;

/// The user's keyboard and what was typed before.
pub(crate) struct Reader {
    line: EditedLine,
}

impl Reader {
    pub(crate) fn new(prompt: &str) -> Self {
        Self { line: EditedLine::new(prompt) }
    }

    /// Shows the prompt and waits for a line. Ctrl-C gives the line up; Ctrl-D means nothing, as there is nowhere to
    /// go from here. A line that was too long to be taken whole is refused.
    pub(crate) fn next_line(&mut self) -> Result<String, JobError> {
        self.line.show();
        loop {
            match self.line.next_event() {
                Event::Line(line) => return Ok(line),
                Event::Overlong => return Err(JobError::Overlong),
                Event::Complete => {
                    let (word, candidates) = complete::candidates(self.line.before_cursor());
                    self.line.offer(word, &candidates);
                }
                Event::EndOfInput if !self.line.is_empty() => {}
                Event::Interrupt | Event::EndOfInput => self.line.show(),
            }
        }
    }
}
