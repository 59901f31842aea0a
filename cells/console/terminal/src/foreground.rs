//! The tasks that Ctrl-C ends.
use alloc::vec::Vec;
use spin_lock::PreemptLock;
use task::KillCapability;

/// The job that the user waits for.
struct Job {
    tasks: Vec<KillCapability>,
    /// Ctrl-C came: tasks that come now are to end, too.
    interrupted: bool,
}

static JOB: PreemptLock<Option<Job>> = PreemptLock::new(None);

/// While this lives, Ctrl-C ends the tasks of one job instead of reaching a reader. It also ends the tasks that the job gets
/// after Ctrl-C, so it does not matter how far the job has come.
#[must_use]
pub struct Foreground(());

impl Foreground {
    /// Puts a job of `size` tasks, none of which runs yet, into the foreground, in place of the one that was there.
    pub fn new(size: usize) -> Self {
        put(Some(Job { tasks: Vec::with_capacity(size), interrupted: false }));
        Self(())
    }

    /// Whether Ctrl-C came.
    pub fn is_interrupted(&self) -> bool {
        JOB.lock().as_ref().is_some_and(|job| job.interrupted)
    }

    /// Adds a task of the job, which runs now.
    pub fn add(&self, task: &KillCapability) {
        let mut interrupted = false;
        if let Some(job) = JOB.lock().as_mut() {
            job.tasks.push(task.clone());
            interrupted = job.interrupted;
        }
        if interrupted {
            task.kill();
        }
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        put(None);
    }
}

fn put(job: Option<Job>) {
    let before = core::mem::replace(&mut *JOB.lock(), job);
    // Dropped outside the lock.
    drop(before);
}

/// Whether there is a job for Ctrl-C to end.
pub(crate) fn is_occupied() -> bool {
    JOB.lock().is_some()
}

/// Ends them. They stay listed until the shell has joined them: a second Ctrl-C may hasten a slow one.
pub(crate) fn interrupt() {
    let tasks = JOB.lock().as_mut().map_or_else(Vec::new, |job| {
        job.interrupted = true;
        job.tasks.clone()
    });
    // Ending a task may take locks of its own, so this one has been given back.
    for task in tasks {
        task.kill();
    }
}
