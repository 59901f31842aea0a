//! Jobs that run beside the shell.
use crate::error::JobError;
use crate::job::{self, Job};
use crate::{Shell, say, stage};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use command_line::Pipeline;
use core::sync::atomic::{AtomicU32, Ordering};
use task::{Builder, KillCapability, TaskRef};
use terminal::Foreground;

/// Numbers the jobs.
static NEXT_JOB: AtomicU32 = AtomicU32::new(1);

/// A job that was started, as the shell remembers it.
pub(crate) struct Started {
    number: u32,
    title: String,
    /// The task that waits for the job's end and tells of it.
    waiting: TaskRef,
    ends: Vec<KillCapability>,
}

impl Started {
    /// The commands.
    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    /// Waits for its end, which Ctrl-C brings about.
    pub(crate) fn wait(&self) {
        let foreground = Foreground::new(self.ends.len());
        for end in &self.ends {
            foreground.add(end);
        }
        // That task has told how the job ended.
        let _told = task::wait_for_end(&self.waiting);
    }
}

/// The jobs that were started and have not ended.
#[derive(Default)]
pub(crate) struct Jobs(Vec<Started>);

impl Jobs {
    fn add(&mut self, started: Started) {
        self.0.retain(|job| job.waiting.ended().is_none());
        self.0.push(started);
    }

    /// The job with this number, or the newest one.
    pub(crate) fn find(&self, number: Option<u32>) -> Option<&Started> {
        let wanted = |job: &&Started| number.is_none_or(|number| number == job.number);
        self.0.iter().rev().filter(|job| job.waiting.ended().is_none()).find(wanted)
    }

    /// The jobs that run, one to a line.
    pub(crate) fn list(&self) -> String {
        let running = self.0.iter().filter(|job| job.waiting.ended().is_none());
        running.map(|Started { number, title, .. }| format!("[{number}] {title}\n")).collect()
    }
}

/// Says that a job in the background was given up, unless it is forgotten before: when the job has ended.
struct Unfinished(u32);

impl Drop for Unfinished {
    fn drop(&mut self) {
        say(format_args!("[{}] given up: its own task was ended, and its commands with it", self.0));
    }
}

/// Starts a pipeline, and a task that waits for its end.
pub(crate) fn start(shell: &mut Shell, pipeline: Pipeline) -> Result<(), JobError> {
    let title = title(&pipeline);
    let prepared = stage::prepare(pipeline, &shell.setting(false, false))?;
    let number = NEXT_JOB.fetch_add(1, Ordering::Relaxed);
    let name = format!("job {number}");
    let (starting, started) =
        async_channel::channel(1).map_err(|error| JobError::Channel { name: name.clone(), error })?;
    // Made before the job runs: a job always has a task that waits for it.
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
    let waiting = waiting.map_err(|error| JobError::Spawn { name, error })?.detach();
    say(format_args!("[{number}] {}", waiting.id()));
    let mut ends = Vec::new();
    let job = job::start(prepared, |end| ends.push(end.clone()));
    // There is room for it, so this does not wait. If its task was ended meanwhile, the job ends, too.
    let _sent = starting.send(job);
    shell.jobs.add(Started { number, title, waiting, ends });
    Ok(())
}

/// The commands of a pipeline, for the user.
fn title(pipeline: &Pipeline) -> String {
    let commands: Vec<String> = pipeline.commands.iter().map(|command| command.words.join(" ")).collect();
    commands.join(" | ")
}
