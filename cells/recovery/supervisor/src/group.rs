//! Children, and the measures when one fails.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use clock::Instant;
use fault_context::Name;
use fault_log::Action;
use restart_policy::{Decision, History, Intensity, Restart, Strategy};
use task::{Builder, Ended, Joinable, Priority, SpawnError, TaskId};

/// The description of a supervised task.
#[derive(Clone)]
pub struct Child {
    name: Name,
    restart: Restart,
    priority: Priority,
    stack_size: Option<usize>,
    body: Arc<dyn Fn() + Send + Sync>,
}

impl Child {
    /// A task that runs `body`, again each time it ends.
    pub fn new(name: &str, body: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            name: Name::new(name),
            restart: Restart::Permanent,
            priority: Priority::NORMAL,
            stack_size: None,
            body: Arc::new(body),
        }
    }

    /// When it is restarted.
    #[must_use]
    pub fn restart(self, restart: Restart) -> Self {
        Self { restart, ..self }
    }

    /// How urgent it is.
    #[must_use]
    pub fn priority(self, priority: Priority) -> Self {
        Self { priority, ..self }
    }

    /// Bytes of its stack.
    #[must_use]
    pub fn stack_size(self, bytes: usize) -> Self {
        Self { stack_size: Some(bytes), ..self }
    }

    fn start(&self) -> Result<Joinable<()>, SpawnError> {
        let mut builder = Builder::new().name(self.name.as_str()).priority(self.priority);
        if let Some(bytes) = self.stack_size {
            builder = builder.stack_size(bytes);
        }
        let body = Arc::clone(&self.body);
        builder.spawn(move || {
            body();
            // A return is no fault, so no fault tells the supervisor.
            crate::notify();
        })
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Child({}, {:?})", self.name, self.restart)
    }
}

/// Children that are supervised together.
#[derive(Debug, Clone)]
pub struct Group {
    /// Which children are restarted when one fails.
    pub strategy: Strategy,
    /// How often each may fail.
    pub intensity: Intensity,
    /// In the order in which they are started.
    pub children: Vec<Child>,
}

impl Group {
    /// A group of one, restarted alone, with the usual intensity.
    pub fn of_one(child: Child) -> Self {
        Self {
            strategy: Strategy::OneForOne,
            intensity: Intensity::default(),
            children: core::iter::once(child).collect(),
        }
    }
}

/// The state of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildState {
    /// It runs.
    Running(TaskId),
    /// It is to be started when its pause is over.
    Pausing,
    /// It has returned and is not to be restarted.
    Finished,
    /// It failed too often.
    GivenUp,
}

/// The status of a child.
#[derive(Debug, Clone, Copy)]
pub struct ChildStatus {
    /// The number of its group.
    pub group: u64,
    /// Its name.
    pub name: Name,
    /// Its state.
    pub state: ChildState,
    /// How often it was restarted.
    pub restarts: u64,
    /// The pause before its latest restart, or the one to come; zero if it never failed.
    pub pause: Duration,
}

enum Stage {
    Running(Joinable<()>),
    /// Told to end, which may take it as long as it likes; then to be started, not before the given time.
    Ending(Joinable<()>, Instant),
    /// To be started then, for the given time in a row.
    Pausing(Instant),
    Finished,
    GivenUp,
}

struct Supervised {
    child: Child,
    history: History,
    restarts: u64,
    pause: Duration,
    stage: Stage,
}

/// A group at work.
pub(crate) struct Running {
    pub(crate) id: u64,
    strategy: Strategy,
    intensity: Intensity,
    members: Vec<Supervised>,
}

impl Running {
    pub(crate) fn new(group: Group) -> Self {
        let supervised = |child| Supervised {
            child,
            history: History::new(),
            restarts: 0,
            pause: Duration::ZERO,
            stage: Stage::Finished,
        };
        Self {
            id: 0,
            strategy: group.strategy,
            intensity: group.intensity,
            members: group.children.into_iter().map(supervised).collect(),
        }
    }

    pub(crate) fn start_all(&mut self) -> Result<(), SpawnError> {
        for index in 0..self.members.len() {
            match self.members[index].child.start() {
                Ok(task) => self.members[index].stage = Stage::Running(task),
                Err(error) => {
                    self.end_all();
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn end_all(&mut self) {
        for member in self.members.iter_mut().rev() {
            member.end();
        }
    }

    pub(crate) fn status(&self) -> impl Iterator<Item = ChildStatus> + '_ {
        self.members.iter().map(|member| ChildStatus {
            group: self.id,
            name: member.child.name,
            state: match &member.stage {
                Stage::Running(task) => ChildState::Running(task.id()),
                Stage::Ending(..) | Stage::Pausing(_) => ChildState::Pausing,
                Stage::Finished => ChildState::Finished,
                Stage::GivenUp => ChildState::GivenUp,
            },
            restarts: member.restarts,
            pause: member.pause,
        })
    }

    /// Deals with children that have ended, and starts those that have waited out their pause.
    pub(crate) fn round(&mut self) {
        for index in 0..self.members.len() {
            if let Some(end) = self.members[index].take_end() {
                self.ended(index, end);
            }
        }
        let now = clock::now();
        for member in &mut self.members {
            match member.stage {
                Stage::Pausing(until) if until <= now => member.start_again(self.intensity),
                // A child that goes down with those before it comes up after them.
                Stage::Ending(..) if self.strategy != Strategy::OneForOne => break,
                _ => {}
            }
        }
    }

    /// When the next pause is over.
    pub(crate) fn next_start(&self) -> Option<Instant> {
        let pausing = self.members.iter().filter_map(|member| match member.stage {
            Stage::Pausing(until) => Some(until),
            _ => None,
        });
        pausing.min()
    }

    fn ended(&mut self, failed: usize, (task, end): (TaskId, Result<(), Ended>)) {
        let member = &mut self.members[failed];
        if !member.child.restart.applies(end.is_err()) {
            member.stage = Stage::Finished;
            return;
        }
        match member.history.failed(clock::since_boot(), self.intensity) {
            Decision::GiveUp => {
                log::error!("task '{}' fails too often and is not started again", member.child.name);
                fault_log::set_action(task.number(), Action::GivenUp);
                member.stage = Stage::GivenUp;
            }
            Decision::Restart { pause, in_a_row } => {
                log::info!("task '{}' is started again in {} ms", member.child.name, pause.as_millis());
                fault_log::set_action(task.number(), Action::Restarted(in_a_row));
                member.pause = pause;
                self.pause(failed, pause);
            }
        }
    }

    /// Ends the children that go down with `failed`, last first, and has all of them started after `pause`.
    fn pause(&mut self, failed: usize, pause: Duration) {
        let until = clock::now() + pause;
        for index in self.strategy.affected(failed, self.members.len()).rev() {
            let member = &mut self.members[index];
            if index == failed {
                member.stage = Stage::Pausing(until);
            } else {
                member.begin_to_end(until);
            }
        }
    }
}

impl Supervised {
    /// How the child ended, if it runs no more and was not told to end; its stack and record are given back. One that is
    /// about to end is not waited for: its destructors may take as long as they like.
    fn take_end(&mut self) -> Option<(TaskId, Result<(), Ended>)> {
        let (Stage::Running(task) | Stage::Ending(task, _)) = &self.stage else { return None };
        if !task.has_ended() {
            return None;
        }
        // Until its next stage is known: a supervisor that faults here starts it anew in its next round.
        let unknown = Stage::Pausing(clock::now());
        match core::mem::replace(&mut self.stage, unknown) {
            Stage::Running(task) => Some((task.id(), task.join())),
            Stage::Ending(task, until) => {
                self.stage = Stage::Pausing(until);
                // How it ended is no news.
                let _told = task.join();
                None
            }
            Stage::Pausing(_) | Stage::Finished | Stage::GivenUp => None,
        }
    }

    /// Tells the child to end, if it runs; it is started again when it has, but not before `until`.
    fn begin_to_end(&mut self, until: Instant) {
        self.stage = match core::mem::replace(&mut self.stage, Stage::Pausing(until)) {
            Stage::Running(task) => {
                task.kill_capability().kill();
                Stage::Ending(task, until)
            }
            other => other,
        };
    }

    /// Ends the child if it runs, and waits until it has.
    fn end(&mut self) {
        if let Stage::Running(task) | Stage::Ending(task, _) = core::mem::replace(&mut self.stage, Stage::Finished) {
            task.kill_capability().kill();
            // How it ended is no news: it was told to.
            let _told = task.join();
        }
    }

    fn start_again(&mut self, intensity: Intensity) {
        match self.child.start() {
            Ok(task) => {
                self.restarts += 1;
                self.stage = Stage::Running(task);
            }
            Err(error) => {
                log::warn!("task '{}' cannot be started again now: {error}", self.child.name);
                self.stage = match self.history.failed(clock::since_boot(), intensity) {
                    Decision::Restart { pause, .. } => {
                        self.pause = pause;
                        Stage::Pausing(clock::now() + pause)
                    }
                    Decision::GiveUp => Stage::GivenUp,
                };
            }
        }
    }
}
