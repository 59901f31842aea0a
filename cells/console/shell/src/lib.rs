//! The shell: reads lines from the console and runs what they ask for.
//!
//! To the user: every line is answered, by its applications or by one line that says why not, and the next prompt
//! comes whatever those applications do: each runs in its own task, and how it ended is told. All that they wrote comes
//! before the prompt, which begins a line. The applications of a background job run when the prompt comes; what they write
//! comes line by line between all other lines, and a task that waits for them ends it with the line `[NUMBER] done`. The
//! shell keeps nothing that outlives it but the history, so its supervisor may start it anew.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod complete;
mod error;
mod files;
mod job;
mod reader;

use alloc::format;
use application::Output;
use command_line::Pipeline;
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};
use error::JobError;
use job::Job;
use reader::Reader;
use task::Builder;
use terminal::ConsoleOutput;

const PROMPT: &str = "mitos> ";

/// Numbers the background jobs.
static NEXT_JOB: AtomicU32 = AtomicU32::new(1);

/// The first words to a user.
const GREETING: &str = "Type 'help' for the commands; Ctrl-A X leaves the emulator.";

/// Serves the user for ever.
pub fn serve() -> ! {
    say(format_args!("{GREETING}"));
    let mut reader = Reader::new(PROMPT);
    loop {
        if let Err(error) = reader.next_line().and_then(|line| execute(&line)) {
            say(format_args!("{error}"));
        }
    }
}

/// One line of the shell's own on the console.
fn say(text: fmt::Arguments<'_>) {
    // The console takes everything.
    let _ = ConsoleOutput::new().write(format!("{text}\n").as_bytes());
}

fn execute(line: &str) -> Result<(), JobError> {
    for pipeline in command_line::parse(line)? {
        if pipeline.background {
            start_in_background(pipeline)?;
        } else {
            job::run(pipeline)?;
        }
    }
    Ok(())
}

/// A background job whose task is unwound says so; one that finishes is forgotten instead.
struct Unfinished(u32);

impl Drop for Unfinished {
    fn drop(&mut self) {
        say(format_args!("[{}] given up: its own task was ended, and its commands with it", self.0));
    }
}

fn start_in_background(pipeline: Pipeline) -> Result<(), JobError> {
    let stages = job::prepare(pipeline, false)?;
    let number = NEXT_JOB.fetch_add(1, Ordering::Relaxed);
    let name = format!("job {number}");
    let (starting, started) =
        async_channel::channel(1).map_err(|error| JobError::Channel { name: name.clone(), error })?;
    // Made before anything runs: nothing is to run that nobody waits for.
    let waiting = Builder::new().name(&name).spawn(move || {
        let unfinished = Unfinished(number);
        let Ok(job) = started.receive() else { return };
        let result = Job::wait(job);
        core::mem::forget(unfinished);
        match result {
            Ok(()) => say(format_args!("[{number}] done")),
            Err(error) => say(format_args!("[{number}] {error}")),
        }
    });
    match waiting {
        Ok(task) => say(format_args!("[{number}] {}", task.detach().id())),
        Err(error) => return Err(JobError::Spawn { name, error }),
    }
    // There is room for it, so this does not wait. If somebody has ended the task that was to receive it, it ends, too.
    let _sent = starting.send(job::start(stages, |_| ()));
    Ok(())
}
