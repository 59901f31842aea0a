//! The commands that the shell carries out itself, because they change it or show its own state.
use crate::error::JobError;
use crate::{Shell, repeat, say};
use alloc::format;
use alloc::string::String;
use application::{Usage, is_variable};
use command_line::Pipeline;
use vfs::{About, FsError, Kind};

/// A command of the shell's own.
pub(crate) enum Builtin {
    /// Changes the shell: a line of its own.
    Alone(fn(&mut Shell, &[String]) -> Result<(), JobError>),
    /// Stands before a pipeline.
    Prefix(fn(&mut Shell, Pipeline) -> Result<(), JobError>),
    /// Gives a text, which may go through a pipe.
    Text(fn(&Shell) -> String, Usage),
}

/// The command of this name, if it is the shell's own.
pub(crate) fn find(name: &str) -> Option<Builtin> {
    Some(match name {
        "cd" => Builtin::Alone(change_directory),
        "export" => Builtin::Alone(export),
        "unset" => Builtin::Alone(unset),
        "fg" => Builtin::Alone(to_foreground),
        "time" => Builtin::Prefix(repeat::time),
        "watch" => Builtin::Prefix(repeat::watch),
        "history" => Builtin::Text(history, manual::HISTORY.usage),
        "jobs" => Builtin::Text(|shell| shell.jobs.list(), manual::JOBS.usage),
        _ => return None,
    })
}

fn change_directory(shell: &mut Shell, words: &[String]) -> Result<(), JobError> {
    let path = match words {
        [] => "/",
        [word] if word == "-" => &shell.last_directory,
        [word] => word,
        _ => return Err(JobError::usage(&manual::CD)),
    };
    let found = vfs::absolute(shell.inherited.directory(), path).and_then(|path| match vfs::metadata(&path)?.kind {
        Kind::Directory => Ok(path),
        Kind::File => Err(FsError::NotADirectory),
    });
    let path = found.map_err(|error| JobError::Directory(About::new(path, error)))?;
    shell.last_directory = String::from(shell.inherited.directory());
    shell.inherited.set_directory(&path);
    Ok(())
}

fn export(shell: &mut Shell, words: &[String]) -> Result<(), JobError> {
    for word in words {
        let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
        if !is_variable(name) {
            return Err(JobError::NoVariable(String::from(name)));
        }
        // Every variable is passed on: one that has a value keeps it.
        if value.is_some() || shell.inherited.variable(name).is_none() {
            shell.inherited.set_variable(name, Some(value.unwrap_or_default()));
        }
    }
    Ok(())
}

fn unset(shell: &mut Shell, words: &[String]) -> Result<(), JobError> {
    if words.is_empty() {
        return Err(JobError::usage(&manual::UNSET));
    }
    for name in words {
        shell.inherited.set_variable(name, None);
    }
    Ok(())
}

fn to_foreground(shell: &mut Shell, words: &[String]) -> Result<(), JobError> {
    let number = match words {
        [] => None,
        [word] => Some(word.parse().map_err(|_| JobError::usage(&manual::FG))?),
        _ => return Err(JobError::usage(&manual::FG)),
    };
    let job = shell.jobs.find(number).ok_or(JobError::NoJob(number))?;
    say(format_args!("{}", job.title()));
    job.wait();
    Ok(())
}

fn history(shell: &Shell) -> String {
    let lines = shell.reader.history().zip(1u32..);
    lines.map(|(line, number)| format!("{number:>5}  {line}\n")).collect()
}
