//! A task of a check, which does not outlive it.

use core::ops::Deref;

use task::{Ended, Joinable};

/// A task that a check has started. If the check returns before it joins the task, because a step failed, the task is ended
/// and let go: a [`Joinable`] that is only dropped panics, and its task would go on for ever.
#[derive(Debug)]
#[must_use = "dropping it ends the task"]
pub struct Companion<T>(Option<Joinable<T>>);

impl<T> Companion<T> {
    /// Waits until the task has ended; returns its result.
    ///
    /// # Errors
    /// [`Ended`] says why there is no result.
    pub fn join(mut self) -> Result<T, Ended> {
        match self.0.take() {
            Some(task) => task.join(),
            None => unreachable!("a companion has its task until it is joined"),
        }
    }
}

impl<T> From<Joinable<T>> for Companion<T> {
    fn from(task: Joinable<T>) -> Self {
        Self(Some(task))
    }
}

impl<T> Deref for Companion<T> {
    type Target = Joinable<T>;

    fn deref(&self) -> &Joinable<T> {
        match &self.0 {
            Some(task) => task,
            None => unreachable!("a companion has its task until it is joined"),
        }
    }
}

impl<T> Drop for Companion<T> {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.kill_capability().kill();
            task.detach();
        }
    }
}
