//! Circles of tasks that wait for each other's locks.

use core::time::Duration;

use fault_context::{FaultKind, KillRequest};
use spin_lock::SpinLock;
use task_core::{FaultCap, State, TaskId, Wake, WakeCap};
use wait_cycles::{Circle, Suspects};

/// How often to look; a circle is broken after one to two of these.
pub const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// Waiting tasks that one look takes in; more are left to the next look.
const MAX_WAITERS: usize = 256;

// SAFETY: this cell sets atomic orders in the contexts of other tasks, and uses no plain cell of theirs.
const FAULT: FaultCap = unsafe { FaultCap::new() };

// SAFETY: this cell wakes a task after it has ordered the task to end.
const WAKE: WakeCap = unsafe { WakeCap::new() };

static SUSPECTS: SpinLock<Suspects> = SpinLock::new(Suspects::new());

/// Each waiting task with the task that it waits for.
struct Waiters {
    pairs: [(u64, u64); MAX_WAITERS],
    count: usize,
}

impl Waiters {
    fn now() -> Self {
        let mut waiters = Self { pairs: [(0, 0); MAX_WAITERS], count: 0 };
        task_core::visit(&mut |task| {
            // A task that was woken keeps its entry until it runs again.
            if task.state() != State::Blocked {
                return;
            }
            if let (Some(holder), Some(pair)) = (task.waits_for(), waiters.pairs.get_mut(waiters.count)) {
                *pair = (task.id().number(), holder.number());
                waiters.count += 1;
            }
        });
        waiters
    }

    fn known(&self) -> &[(u64, u64)] {
        &self.pairs[..self.count]
    }

    fn waits_for(&self, task: u64) -> Option<u64> {
        self.known().iter().find(|(waiter, _)| *waiter == task).map(|(_, holder)| *holder)
    }
}

/// Looks once; ends the youngest task of each circle that was there in the last look too. How many were ended.
pub fn look_for_deadlocks() -> usize {
    let waiters = Waiters::now();
    let tasks = waiters.known().iter().map(|(waiter, _)| *waiter);
    let mut circles = [None; Suspects::CAPACITY];
    let mut places = circles.iter_mut();
    // Those that find no place here are there in the next look but one.
    let confirmed = |circle| {
        if let Some(place) = places.next() {
            *place = Some(circle);
        }
    };
    SUSPECTS.lock().look(tasks, |task| waiters.waits_for(task), confirmed);
    circles.into_iter().flatten().filter(|circle| end(*circle)).count()
}

fn end(circle: Circle) -> bool {
    let Some(task) = TaskId::new(circle.youngest).and_then(task_core::find) else { return false };
    log::warn!("{} tasks wait for each other; task {} '{}' is ended", circle.length, task.id(), task.name());
    let record = task.record();
    record.faults(FAULT).request_end(FaultKind::Deadlock, KillRequest::AtCancellationPoint);
    scheduler::make_ready(WAKE, record, Wake::Killed);
    true
}
