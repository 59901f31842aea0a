//! The shell: reads lines from the console and carries them out.
//!
//! To the user: every line is answered, by its applications or by one line that says why not. No application keeps the next
//! prompt from coming: each runs in its own task, and the shell tells how it ended. All output of a job in the
//! foreground comes before the next prompt, which begins a line. A job in the background runs when the prompt comes; its
//! output comes line by line between all other lines, and the task that waits for it ends with the line `[NUMBER] done`.
//! However little memory is left, the commands that look at the system and end things still work ([`reserve`]).
//! The shell keeps its history, directory and variables, and nothing that outlives it, so its supervisor may start it anew.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod background;
mod builtin;
mod complete;
mod error;
mod files;
mod job;
mod reader;
mod repeat;
mod reserve;
mod stage;

use alloc::format;
use alloc::string::String;
use application::{Inherited, Output};
use background::Jobs;
use builtin::Builtin;
use command_line::{Pipeline, Redirection};
use core::fmt;
use error::JobError;
use reader::Reader;
use reserve::Reserve;
use stage::Setting;
use terminal::{ConsoleOutput, Foreground};

/// The first words to a user.
const GREETING: &str = "Type 'help' for the commands; Ctrl-A X leaves the emulator.";

/// Serves the user for ever.
pub fn serve() -> ! {
    say(format_args!("{}{GREETING}", terminal::size_question()));
    let mut shell = Shell::new();
    loop {
        shell.reserve.fill();
        let outcome = shell.reader.next_line(&shell.inherited).and_then(|line| shell.execute(&line));
        if let Err(error) = outcome {
            say(format_args!("{error}"));
        }
    }
}

/// One line of the shell's own on the console.
fn say(text: fmt::Arguments<'_>) {
    // The console takes everything.
    let _ = ConsoleOutput::new().write(format!("{text}\n").as_bytes());
}

/// The shell's state from line to line.
struct Shell {
    reader: Reader,
    inherited: Inherited,
    /// The directory before the present one.
    last_directory: String,
    jobs: Jobs,
    reserve: Reserve,
}

impl Shell {
    fn new() -> Self {
        let inherited = Inherited::new();
        let last_directory = String::from(inherited.directory());
        Self { reader: Reader::new(), inherited, last_directory, jobs: Jobs::default(), reserve: Reserve::default() }
    }

    fn execute(&mut self, line: &str) -> Result<(), JobError> {
        for typed in command_line::parse(line)? {
            let pipeline = typed.expand(|name| self.inherited.variable(name))?;
            self.carry_out(pipeline)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, pipeline: Pipeline) -> Result<(), JobError> {
        let Some(name) = pipeline.commands.first().and_then(|command| command.words.first()) else {
            return self.prepare_only(&pipeline);
        };
        match builtin::find(name) {
            // Its page is a text like another command's.
            _ if stage::asks_for_help(&pipeline) => self.run(pipeline),
            Some(Builtin::Alone(work)) => match pipeline.commands.as_slice() {
                [command] if !pipeline.background && command.output.is_none() && command.input.is_none() => {
                    work(self, command.words.get(1..).unwrap_or_default())
                }
                _ => Err(JobError::Alone(name.clone())),
            },
            Some(Builtin::Prefix(work)) => work(self, pipeline),
            _ if pipeline.background => background::start(self, pipeline),
            _ => self.run(pipeline),
        }
    }

    /// Runs a pipeline to its end; Ctrl-C ends it.
    fn run(&mut self, pipeline: Pipeline) -> Result<(), JobError> {
        self.reserve.give_up_for(&pipeline);
        let foreground = Foreground::new(pipeline.commands.len());
        self.run_in(&foreground, pipeline, true)
    }

    /// As [`run`](Self::run), in a foreground that is there already. `paged` has a long output shown page by page.
    fn run_in(&self, foreground: &Foreground, pipeline: Pipeline, paged: bool) -> Result<(), JobError> {
        let prepared = stage::prepare(pipeline, &self.setting(true, paged))?;
        job::start(prepared, |task| foreground.add(task)).wait()
    }

    /// The world that the applications of a job meet.
    fn setting(&self, foreground: bool, paged: bool) -> Setting<'_> {
        Setting { shell: self, foreground, paged: paged && foreground && terminal::is_interactive() }
    }

    /// Carries out a command without words: it sets variables, and makes the file that its output would go to.
    fn prepare_only(&mut self, pipeline: &Pipeline) -> Result<(), JobError> {
        for command in &pipeline.commands {
            if let Some(Redirection { path, append }) = &command.output {
                files::FileOutput::open(&self.inherited, path, *append)?;
            }
            for (name, value) in &command.assignments {
                self.inherited.set_variable(name, Some(value));
            }
        }
        Ok(())
    }
}
