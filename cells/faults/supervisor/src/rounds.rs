//! The supervisor's task.

use clock::Instant;
use spin_lock::SpinLock;
use wait_queue::WaitQueue;

use crate::group::Running;
use crate::groups;

/// Ends that can be noticed between two rounds; more are found by looking.
const CAPACITY: usize = 32;

/// Tasks that said that they are about to end.
#[derive(Clone, Copy)]
pub(crate) struct Notices {
    tasks: [u64; CAPACITY],
    count: usize,
}

impl Notices {
    const NONE: Self = Self { tasks: [0; CAPACITY], count: 0 };

    pub(crate) fn contains(&self, task: u64) -> bool {
        self.tasks[..self.count].contains(&task)
    }
}

static NOTICES: SpinLock<Notices> = SpinLock::new(Notices::NONE);
static WAKE: WaitQueue = WaitQueue::new();

pub(crate) fn notify(task: u64) {
    let mut notices = NOTICES.lock();
    let count = notices.count;
    if let Some(slot) = notices.tasks.get_mut(count) {
        *slot = task;
        notices.count += 1;
    }
    drop(notices);
    WAKE.wake_one();
}

pub(crate) fn run() {
    loop {
        round();
    }
}

fn round() {
    let notices = core::mem::replace(&mut *NOTICES.lock(), Notices::NONE);
    let next_start = look(&notices);
    watchdog::look_for_deadlocks();
    let next_look = clock::now() + watchdog::LOOK_INTERVAL;
    let until = next_start.map_or(next_look, |start| start.min(next_look));
    wait_queue::wait_for_until(&WAKE, until, || (NOTICES.lock().count != 0).then_some(()));
}

/// Looks at all groups once: when the next child is to be started.
fn look(notices: &Notices) -> Option<Instant> {
    let mut groups = groups();
    groups.running.iter_mut().for_each(|group| group.round(notices));
    groups.running.iter().filter_map(Running::next_start).min()
}
