//! The prefixes of a pipeline: `time` and `watch`.
use crate::error::JobError;
use crate::{Shell, say};
use application::{Choice, Failure, Options};
use command_line::Pipeline;
use core::time::Duration;
use terminal::{ConsoleOutput, Foreground};

/// How long `watch` waits, if nothing else is said.
const PAUSE: u32 = 2;
/// How soon Ctrl-C ends a pause.
const SLICE: Duration = Duration::from_millis(50);
/// Erases the screen, and puts the cursor into its first row.
const ERASE_SCREEN: &[u8] = b"\x1b[H\x1b[2J";

/// Carries out the pipeline behind `time`, and tells how long that took.
pub(crate) fn time(shell: &mut Shell, mut pipeline: Pipeline) -> Result<(), JobError> {
    let page = &manual::TIME;
    if pipeline.background {
        return Err(JobError::Alone(page.name.into()));
    }
    strip(&mut pipeline, 1, page)?;
    let start = clock::now();
    shell.carry_out(pipeline)?;
    let took = clock::now() - start;
    say(format_args!("time: {}.{:03} s", took.as_secs(), took.subsec_millis()));
    Ok(())
}

/// Carries out the pipeline behind `watch` again and again, until Ctrl-C.
pub(crate) fn watch(shell: &mut Shell, mut pipeline: Pipeline) -> Result<(), JobError> {
    let page = &manual::WATCH;
    let words = pipeline.commands.first().and_then(|command| command.words.get(1..)).unwrap_or_default();
    let options = Options::read(words, &[Choice::Value('n')], page.usage).map_err(JobError::option(page))?;
    let seconds = options.value('n').map_or(Ok(PAUSE), str::parse).map_err(|_| JobError::usage(page))?;
    let behind = 1 + words.len() - options.arguments().len();
    if pipeline.background {
        return Err(JobError::Alone(page.name.into()));
    }
    strip(&mut pipeline, behind, page)?;
    loop {
        let foreground = Foreground::new(pipeline.commands.len());
        if terminal::is_interactive() {
            // The console takes everything.
            let _ = application::Output::write(&mut ConsoleOutput::new(), ERASE_SCREEN);
        }
        shell.run_in(&foreground, pipeline.clone(), false)?;
        let end = clock::now() + Duration::from_secs(seconds.into());
        while !foreground.is_interrupted() && clock::now() < end {
            task::sleep(SLICE);
        }
        if foreground.is_interrupted() {
            return Ok(());
        }
    }
}

/// Takes the prefix and its options off the pipeline.
fn strip(pipeline: &mut Pipeline, words: usize, page: &manual::Page) -> Result<(), JobError> {
    match pipeline.commands.first_mut() {
        Some(command) if command.words.len() > words => {
            command.words.drain(..words);
            Ok(())
        }
        _ => Err(JobError::usage(page)),
    }
}

impl JobError {
    /// The refusal of an option of this command.
    fn option(page: &'static manual::Page) -> impl FnOnce(Failure) -> Self {
        |failure| Self::Option { name: page.name, failure }
    }
}
