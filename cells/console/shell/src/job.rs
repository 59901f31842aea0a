//! Running a pipeline: one task for each command, joined by pipes.
use crate::error::JobError;
use crate::say;
use crate::stage::Prepared;
use alloc::string::String;
use alloc::vec::Vec;
use application::{Environment, ExitCode};
use core::mem;
use launcher::Program;
use task::{Builder, Ended, Joinable, KillCapability, SpawnError};

/// The work of a job's task.
pub(crate) enum Body {
    /// Runs an application.
    Program(Program),
    /// Writes a text.
    Text(String),
}

/// A command that is ready to run.
pub(crate) struct Stage {
    pub(crate) name: String,
    pub(crate) body: Body,
    pub(crate) environment: Environment,
}

impl Stage {
    pub(crate) fn start(self) -> Result<Running, SpawnError> {
        let Self { name, body, mut environment } = self;
        let task = match body {
            Body::Program(program) => program.start(&name, environment)?,
            Body::Text(text) => Builder::new().name(&name).spawn(move || {
                let written = environment.output().write(text.as_bytes());
                environment.conclude(written.map_err(Into::into))
            })?,
        };
        Ok(Running { name, task })
    }
}

/// A command that runs. Its task keeps the program.
pub(crate) struct Running {
    name: String,
    task: Joinable<ExitCode>,
}

/// A pipeline that runs. It ends with the task that waits for it: no other task would tell how it ended, nor could the user
/// end its commands together.
pub(crate) struct Job {
    running: Vec<Running>,
    /// For ending the commands, also one that is being waited for.
    ends: Vec<KillCapability>,
    /// Why not all of it runs.
    result: Result<(), JobError>,
}

impl Job {
    /// Waits for the end of it.
    pub(crate) fn wait(mut self) -> Result<(), JobError> {
        for Running { name, task } in mem::take(&mut self.running) {
            if let Err(ended) = task.join() {
                report(&name, &ended);
            }
        }
        mem::replace(&mut self.result, Ok(()))
    }

    fn add(&mut self, running: Running, started: &mut impl FnMut(&KillCapability)) {
        let end = running.task.kill_capability();
        started(&end);
        self.ends.push(end);
        self.running.push(running);
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // A task that has ended is not touched.
        for task in &self.ends {
            task.kill();
        }
        for stage in self.running.drain(..) {
            stage.task.detach();
        }
    }
}

/// Starts the tasks, and tells `started` of each. If one cannot be started, those before it find their pipes closed and end.
pub(crate) fn start(prepared: Prepared, mut started: impl FnMut(&KillCapability)) -> Job {
    let mut job = Job { running: Vec::new(), ends: Vec::new(), result: Ok(()) };
    for stage in prepared.stages {
        let name = stage.name.clone();
        match stage.start() {
            Ok(running) => job.add(running, &mut started),
            Err(error) => {
                job.result = Err(JobError::Spawn { name, error });
                break;
            }
        }
    }
    // It goes last: it ends when the others have.
    if let Some(pager) = prepared.pager {
        job.add(pager, &mut started);
    }
    job
}

/// Tells how a command ended that did not return.
fn report(name: &str, ended: &Ended) {
    say(format_args!("{name}: {ended}"));
}
