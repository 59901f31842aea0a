//! Running a pipeline: one task for each command, joined by pipes.
use crate::error::JobError;
use crate::files::{FileInput, FileOutput};
use crate::say;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use application::{Empty, Environment, ExitCode, Input, Output};
use command_line::{Command, Pipeline};
use core::mem;
use launcher::Program;
use pipe::PipeReader;
use task::{Ended, Joinable, KillCapability};
use terminal::{ConsoleOutput, Foreground, LineInput};

/// A command that is ready to run.
pub(crate) struct Stage {
    name: String,
    program: Program,
    environment: Environment,
}

/// A command that runs. Its tasks keep the program, in case nobody waits for it in the end.
struct Running {
    name: String,
    task: Joinable<ExitCode>,
}

/// A pipeline that runs. It ends with whoever waits for it: nobody else would tell how it ended, nor could the user end its
/// commands together.
pub(crate) struct Job {
    running: Vec<Running>,
    /// For ending those that run, also one that is being waited for.
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
}

impl Drop for Job {
    fn drop(&mut self) {
        // Those that have ended are not touched.
        for task in &self.ends {
            task.kill();
        }
        for stage in self.running.drain(..) {
            stage.task.detach();
        }
    }
}

/// Runs a pipeline to its end; Ctrl-C ends it.
pub(crate) fn run(pipeline: Pipeline) -> Result<(), JobError> {
    let foreground = Foreground::new(pipeline.commands.len());
    let stages = prepare(pipeline, true)?;
    start(stages, |task| foreground.add(task)).wait()
}

/// Loads the applications of a pipeline and connects them. `foreground` says whether it may read the console. Nothing runs
/// unless everything could be found, loaded and opened.
pub(crate) fn prepare(pipeline: Pipeline, foreground: bool) -> Result<Vec<Stage>, JobError> {
    let mut stages = Vec::with_capacity(pipeline.commands.len());
    let mut from_before: Option<PipeReader> = None;
    let mut commands = pipeline.commands.into_iter().peekable();
    while let Some(command) = commands.next() {
        let program = Program::load(&command.name).map_err(|error| JobError::load(&command.name, error))?;
        let input = input(&command, from_before.take(), foreground)?;
        let output: Box<dyn Output> = match &command.output {
            Some(redirection) => Box::new(FileOutput::open(redirection)?),
            None if commands.peek().is_some() => {
                let (writer, reader) =
                    pipe::pipe().map_err(|error| JobError::Pipe { name: command.name.clone(), error })?;
                from_before = Some(reader);
                Box::new(writer)
            }
            None => Box::new(ConsoleOutput::new()),
        };
        let Command { name, arguments, .. } = command;
        let error = Box::new(ConsoleOutput::new());
        let environment = Environment::new(name.clone(), arguments.into(), input, output, error);
        stages.push(Stage { name, program, environment });
    }
    Ok(stages)
}

fn input(command: &Command, pipe: Option<PipeReader>, foreground: bool) -> Result<Box<dyn Input>, JobError> {
    Ok(match (&command.input, pipe) {
        (Some(path), _) => Box::new(FileInput::open(path)?),
        (None, Some(reader)) => Box::new(reader),
        (None, None) if foreground => Box::new(LineInput::new()),
        // What runs beside the shell must not take the user's keys away from it.
        (None, None) => Box::new(Empty),
    })
}

/// Starts the tasks, and tells `started` of each. If one cannot be started, those before it find their pipes closed and end.
pub(crate) fn start(stages: Vec<Stage>, mut started: impl FnMut(&KillCapability)) -> Job {
    let mut job = Job { running: Vec::new(), ends: Vec::new(), result: Ok(()) };
    for Stage { name, program, environment } in stages {
        match program.start(&name, environment) {
            Ok(task) => {
                let end = task.kill_capability();
                started(&end);
                job.ends.push(end);
                job.running.push(Running { name, task });
            }
            Err(error) => {
                job.result = Err(JobError::Spawn { name, error });
                break;
            }
        }
    }
    job
}

/// Tells how a command ended that did not return.
fn report(name: &str, ended: &Ended) {
    say(format_args!("{name}: {ended}"));
}
