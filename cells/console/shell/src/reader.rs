//! Reading a line from the user.
use crate::complete;
use crate::error::JobError;
use alloc::format;
use alloc::string::String;
use application::Inherited;
use line_editor::Event;
use terminal::EditedLine;

/// The prompt in the root directory, and in a log or script, which looks for it.
const PROMPT: &str = "mitos> ";

/// The user's keyboard and the lines that were typed before.
pub(crate) struct Reader {
    line: EditedLine,
}

impl Reader {
    pub(crate) fn new() -> Self {
        Self { line: EditedLine::new(PROMPT) }
    }

    /// The lines that were typed before, oldest first.
    pub(crate) fn history(&self) -> impl Iterator<Item = &str> {
        self.line.history()
    }

    /// Shows the prompt and waits for a line. Ctrl-C gives the line up; Ctrl-D means nothing, as there is nowhere to
    /// go from here. A line that was too long to be taken whole is refused.
    pub(crate) fn next_line(&mut self, inherited: &Inherited) -> Result<String, JobError> {
        self.line.set_prompt(&prompt(inherited.directory()));
        self.line.show();
        loop {
            match self.line.next_event() {
                Event::Line(line) => return Ok(line),
                Event::Overlong => return Err(JobError::Overlong),
                Event::Complete => {
                    let (word, candidates) = complete::candidates(self.line.before_cursor(), inherited);
                    self.line.offer(word, &candidates);
                }
                Event::EndOfInput if !self.line.is_empty() => {}
                Event::Interrupt | Event::EndOfInput => self.line.show(),
                Event::Size { .. } => {}
            }
        }
    }
}

/// The prompt, with the directory if that is not the root.
fn prompt(directory: &str) -> String {
    if directory == "/" || !terminal::is_interactive() { String::from(PROMPT) } else { format!("mitos {directory}> ") }
}
