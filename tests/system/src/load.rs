//! Jobs in the background that keep the system busy, and must go on while any cell is swapped.

use std::time::Duration;

use machine::{Job, Shell};

use crate::claim;
use crate::harness::{Failure, Outcome};

/// More than anybody waits for: they run until they are ended.
const SECONDS: u64 = 600;

/// Jobs with all their tasks.
#[must_use = "they run until they are stopped"]
pub(crate) struct Load {
    jobs: Vec<Job>,
    /// The name of the task that ends each job.
    name: &'static str,
    /// The names of the tasks that work.
    workers: &'static [&'static str],
}

impl Load {
    /// So many tasks that compute.
    pub(crate) fn busy(shell: &mut Shell, tasks: usize) -> Result<Self, Failure> {
        Self::start(shell, tasks, "busy", &["busy"])
    }

    /// Two tasks that send and receive messages.
    pub(crate) fn traffic(shell: &mut Shell) -> Result<Self, Failure> {
        Self::start(shell, 1, "traffic", &["traffic-in", "traffic-out"])
    }

    fn start(
        shell: &mut Shell,
        jobs: usize,
        name: &'static str,
        workers: &'static [&'static str],
    ) -> Result<Self, Failure> {
        let command = format!("{name} {SECONDS}");
        let jobs = (0..jobs).map(|_| shell.start(&command)).collect::<Result<_, _>>()?;
        let load = Self { jobs, name, workers };
        load.goes_on(shell)?;
        Ok(load)
    }

    /// Waits until each task has had turns that it had not when this was called.
    pub(crate) fn goes_on(&self, shell: &mut Shell) -> Outcome {
        let before = turns(shell, self.workers)?;
        let expected = self.jobs.len() * self.workers.len();
        claim!(before.len() == expected, "{expected} tasks were started, these are there: {before:?}");
        let mut now = Vec::new();
        for _ in 0..100 {
            now = turns(shell, self.workers)?;
            let ran = |&(task, turns): &(u64, u64)| now.iter().any(|&(other, later)| other == task && later > turns);
            if before.iter().all(ran) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        claim!(false, "not all went on: {before:?} before, {now:?} after");
        Ok(())
    }

    /// Ends the jobs; what was said since the first was started.
    pub(crate) fn stop(self, shell: &mut Shell) -> Result<String, Failure> {
        for (task, _) in turns(shell, &[self.name])? {
            shell.run(&format!("kill {task}"))?;
        }
        let mut said = None;
        for job in self.jobs {
            let later = shell.end_of(job)?;
            said.get_or_insert(later);
        }
        Ok(said.unwrap_or_default())
    }
}

/// The number of each task of one of these names, with the timer ticks and switches that it has had: it runs on exactly if
/// that grows.
fn turns(shell: &mut Shell, names: &[&str]) -> Result<Vec<(u64, u64)>, Failure> {
    let output = shell.run("ps")?;
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |index: usize| words.get(index)?.parse::<u64>().ok();
        names.contains(words.last()?).then_some((number(0)?, number(4)? + number(5)?))
    };
    Ok(output.lines().filter_map(row).collect())
}
