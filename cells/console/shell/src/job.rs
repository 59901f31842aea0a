//! Running a pipeline: one task for each command, joined by pipes.
use crate::error::JobError;
use crate::files::{FileInput, FileOutput};
use crate::say;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use application::{Empty, Environment, ExitCode, Input, Output};
use command_line::{Command, Pipeline};
use launcher::Program;
use pipe::PipeReader;
use task::{Ended, Joinable};
use terminal::{ConsoleOutput, Foreground, LineInput};

/// A command that is ready to run.
struct Stage {
    name: String,
    program: Program,
    environment: Environment,
}

/// A command that runs. Its tasks keep the program, in case nobody waits for it in the end.
struct Running {
    name: String,
    task: Joinable<ExitCode>,
}

/// Runs a pipeline to its end. `foreground` says whether it may read the console and be ended by Ctrl-C.
/// Nothing runs unless everything could be found, loaded and opened.
pub(crate) fn run(pipeline: Pipeline, foreground: bool) -> Result<(), JobError> {
    let stages = prepare(pipeline, foreground)?;
    let (running, result) = start(stages);
    let guard = foreground.then(|| Foreground::new(running.iter().map(|stage| stage.task.kill_capability()).collect()));
    for Running { name, task } in running {
        if let Err(ended) = task.join() {
            report(&name, &ended);
        }
    }
    drop(guard);
    result
}

/// Loads the applications and connects them.
fn prepare(pipeline: Pipeline, foreground: bool) -> Result<Vec<Stage>, JobError> {
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

/// Starts the tasks. If one cannot be started, those before it find their pipes closed and end.
fn start(stages: Vec<Stage>) -> (Vec<Running>, Result<(), JobError>) {
    let mut running = Vec::with_capacity(stages.len());
    for Stage { name, program, environment } in stages {
        match program.start(&name, environment) {
            Ok(task) => running.push(Running { name, task }),
            Err(error) => return (running, Err(JobError::Spawn { name, error })),
        }
    }
    (running, Ok(()))
}

/// Tells how a command ended that did not return.
fn report(name: &str, ended: &Ended) {
    say(format_args!("{name}: {ended}"));
}
