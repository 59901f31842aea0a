//! A task as the user names it: by its number, or by its name if no other task has that.

use alloc::string::String;
use core::fmt;

use task_core::{TaskId, TaskRef};

/// Why a word names no task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoTask {
    /// No task has this number or name, or it has ended.
    None(String),
    /// Several tasks have the name.
    Several(String),
}

impl fmt::Display for NoTask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None(word) => write!(formatter, "there is no task '{word}'; 'ps' lists them"),
            Self::Several(word) => write!(formatter, "several tasks are called '{word}'; name one by its number"),
        }
    }
}

impl core::error::Error for NoTask {}

/// The task that `word` names.
///
/// # Errors
/// [`NoTask`]: no task has this number or name, or several have this name.
pub fn named(word: &str) -> Result<TaskRef, NoTask> {
    let lives = |task: &TaskRef| task.ended().is_none();
    let none = || NoTask::None(String::from(word));
    if let Ok(number) = word.parse() {
        return TaskId::new(number).and_then(task_core::find).filter(lives).ok_or_else(none);
    }
    let mut named = task_core::all().into_iter().filter(|task| lives(task) && task.name().as_str() == word);
    let task = named.next().ok_or_else(none)?;
    if named.next().is_some() { Err(NoTask::Several(String::from(word))) } else { Ok(task) }
}
