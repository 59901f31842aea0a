//! Runs tasks that depend on each other, several at a time.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    thread,
};

struct State<E> {
    /// For each task, how many it still waits for.
    missing: Vec<usize>,
    ready: Vec<usize>,
    running: usize,
    failed: Option<E>,
}

/// Calls `work` for each task once, after those that it depends on: `dependencies[n]` are those of task `n`, each of which is
/// before it. Runs as many at a time as there are CPUs.
///
/// # Errors
/// The first that `work` gives; tasks that have not begun then are not begun.
pub(super) fn run<E: Send>(dependencies: &[Vec<usize>], work: impl Fn(usize) -> Result<(), E> + Sync) -> Result<(), E> {
    let mut dependents = vec![Vec::new(); dependencies.len()];
    for (task, others) in dependencies.iter().enumerate() {
        others.iter().for_each(|&other| dependents[other].push(task));
    }
    let missing: Vec<usize> = dependencies.iter().map(Vec::len).collect();
    let ready = (0..missing.len()).rev().filter(|&task| missing[task] == 0).collect();
    let state = Mutex::new(State { missing, ready, running: 0, failed: None });
    let changed = Condvar::new();
    let worker = || {
        let mut locked = state.lock().unwrap_or_else(PoisonError::into_inner);
        while locked.failed.is_none() {
            let Some(task) = locked.ready.pop() else {
                if locked.running == 0 {
                    break;
                }
                locked = changed.wait(locked).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            locked.running += 1;
            drop(locked);
            let result = work(task);
            locked = state.lock().unwrap_or_else(PoisonError::into_inner);
            locked.running -= 1;
            match result {
                Ok(()) => {
                    for &dependent in &dependents[task] {
                        locked.missing[dependent] -= 1;
                        if locked.missing[dependent] == 0 {
                            locked.ready.push(dependent);
                        }
                    }
                }
                Err(error) => {
                    locked.failed.get_or_insert(error);
                }
            }
            changed.notify_all();
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(worker);
        }
    });
    state.into_inner().unwrap_or_else(PoisonError::into_inner).failed.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_task_runs_once_after_those_it_depends_on() {
        let dependencies = [vec![], vec![0], vec![], vec![1, 2], vec![0, 3]];
        let done = Mutex::new(Vec::new());
        run(&dependencies, |task| {
            let mut done = done.lock().unwrap();
            assert!(dependencies[task].iter().all(|other| done.contains(other)));
            done.push(task);
            Ok::<_, ()>(())
        })
        .unwrap();
        let mut done = done.into_inner().unwrap();
        done.sort_unstable();
        assert_eq!(done, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn what_depends_on_a_failure_does_not_run() {
        let ran = Mutex::new(Vec::new());
        let result = run(&[vec![], vec![0], vec![1]], |task| {
            ran.lock().unwrap().push(task);
            if task == 1 { Err("failed") } else { Ok(()) }
        });
        assert_eq!(result, Err("failed"));
        assert_eq!(ran.into_inner().unwrap(), [0, 1]);
    }
}
