//! From a pipeline to applications that are loaded and connected.
use crate::Shell;
use crate::builtin::{self, Builtin};
use crate::error::JobError;
use crate::files::{FileInput, FileOutput};
use crate::job::{Body, Running, Stage};
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use application::{Empty, Environment, Inherited, Input, Output, Streams, Terminal};
use command_line::{Command, Pipeline};
use launcher::Program;
use pipe::PipeReader;
use terminal::{ConsoleOutput, Keys, LineInput};

/// The application that shows a long output page by page.
const PAGER: &str = "less";
/// The argument that has any command explained.
const HELP: &str = "--help";

/// The conditions that the applications of a job run in.
pub(crate) struct Setting<'a> {
    pub(crate) shell: &'a Shell,
    /// Whether they may read the console.
    pub(crate) foreground: bool,
    /// Whether a long output is shown page by page.
    pub(crate) paged: bool,
}

/// A pipeline that is ready to run.
pub(crate) struct Prepared {
    pub(crate) stages: Vec<Stage>,
    /// The pager, which waits for the output already.
    pub(crate) pager: Option<Running>,
}

/// Whether the line is one command and asks how that is called.
pub(crate) fn asks_for_help(pipeline: &Pipeline) -> bool {
    matches!(pipeline.commands.as_slice(), [command] if page_asked_for(command).is_some())
}

/// The page that a command with the one argument `--help` is to show.
fn page_asked_for(command: &Command<String>) -> Option<&'static manual::Page> {
    match command.words.as_slice() {
        [name, argument] if argument == HELP => manual::page(name),
        _ => None,
    }
}

/// Loads the applications of a pipeline and connects them. None of them runs unless all could be found, loaded and opened.
pub(crate) fn prepare(pipeline: Pipeline, setting: &Setting<'_>) -> Result<Prepared, JobError> {
    let mut prepared = Prepared { stages: Vec::with_capacity(pipeline.commands.len()), pager: None };
    let mut from_before: Option<PipeReader> = None;
    let mut commands = pipeline.commands.into_iter().peekable();
    while let Some(command) = commands.next() {
        let mut inherited = setting.shell.inherited.clone();
        for (name, value) in &command.assignments {
            inherited.set_variable(name, Some(value));
        }
        let body = body(&command, setting)?;
        let input = input(&command, &inherited, from_before.take(), setting.foreground)?;
        let columns = terminal::is_interactive().then(|| terminal::size().columns);
        let mut streams =
            Streams { input, output: Box::new(Empty), error: Box::new(ConsoleOutput::new()), terminal: None, columns };
        if let Some(redirection) = &command.output {
            streams.output = Box::new(FileOutput::open(&inherited, &redirection.path, redirection.append)?);
            streams.columns = None;
        } else if commands.peek().is_some() {
            let name = || command.words.first().cloned().unwrap_or_default();
            let (writer, reader) = pipe::pipe().map_err(|error| JobError::Pipe { name: name(), error })?;
            (streams.output, streams.columns) = (Box::new(writer), None);
            from_before = Some(reader);
        } else {
            let paged = if setting.paged && is_paged(&command) { pager(&inherited) } else { None };
            streams.output = match paged {
                Some((running, writer)) => {
                    prepared.pager = Some(running);
                    writer
                }
                None => {
                    streams.terminal = terminal(setting.foreground);
                    Box::new(ConsoleOutput::new())
                }
            };
        }
        let mut words = command.words.into_iter();
        let name = words.next().unwrap_or_default();
        let environment = Environment::new(name.clone(), words.collect(), inherited, streams);
        prepared.stages.push(Stage { name, body, environment });
    }
    Ok(prepared)
}

/// The work of a command's task.
fn body(command: &Command<String>, setting: &Setting<'_>) -> Result<Body, JobError> {
    let Some((name, arguments)) = command.words.split_first() else { return Ok(Body::Text(String::new())) };
    if let Some(page) = page_asked_for(command) {
        return Ok(Body::Text(page.to_string()));
    }
    match builtin::find(name) {
        Some(Builtin::Text(text, _)) if arguments.is_empty() => Ok(Body::Text(text(setting.shell))),
        Some(Builtin::Text(_, usage)) => Err(JobError::Usage { name: name.clone(), usage }),
        Some(_) => Err(JobError::Alone(name.clone())),
        None => Program::load(name).map(Body::Program).map_err(|error| JobError::load(name, error)),
    }
}

/// Whether the output of a command is shown page by page.
fn is_paged(command: &Command<String>) -> bool {
    let page = command.words.first().and_then(|name| manual::page(name));
    page.is_some_and(|page| page.output == manual::Output::Paged) || page_asked_for(command).is_some()
}

/// Starts the pager. Without memory for one, the output is shown without it.
fn pager(inherited: &Inherited) -> Option<(Running, Box<dyn Output>)> {
    let program = Program::load(PAGER).ok()?;
    let (writer, reader) = pipe::pipe().ok()?;
    let streams = Streams {
        input: Box::new(reader),
        output: Box::new(ConsoleOutput::new()),
        error: Box::new(ConsoleOutput::new()),
        terminal: terminal(true),
        columns: Some(terminal::size().columns),
    };
    let environment = Environment::new(PAGER.into(), [].into(), inherited.clone(), streams);
    let running = Stage { name: PAGER.into(), body: Body::Program(program), environment }.start().ok()?;
    Some((running, Box::new(writer)))
}

/// The terminal, for an application that the user waits for.
fn terminal(foreground: bool) -> Option<Box<dyn Terminal>> {
    let keys = || Box::new(Keys::new()) as Box<dyn Terminal>;
    (foreground && terminal::is_interactive()).then(keys)
}

fn input(
    command: &Command<String>,
    inherited: &Inherited,
    pipe: Option<PipeReader>,
    foreground: bool,
) -> Result<Box<dyn Input>, JobError> {
    Ok(match (&command.input, pipe) {
        (Some(path), _) => Box::new(FileInput::open(inherited, path)?),
        (None, Some(reader)) => Box::new(reader),
        (None, None) if foreground => Box::new(LineInput::new()),
        // A job beside the shell must not take the user's keys away from it.
        (None, None) => Box::new(Empty),
    })
}
