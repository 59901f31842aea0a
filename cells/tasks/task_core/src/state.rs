//! The word that says whether a task may run, and why it was woken.

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

/// What a task is doing, as others see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It has a CPU.
    Running,
    /// It waits for a CPU.
    Ready,
    /// It waits for something else.
    Blocked,
    /// It is over.
    Ended,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Running => "running",
            Self::Ready => "ready",
            Self::Blocked => "blocked",
            Self::Ended => "ended",
        })
    }
}

/// Why a blocked task runs again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wake {
    /// What it waited for may have happened.
    Notified,
    /// It was kicked: it goes back to the loop in which it blocks and tries again.
    Kicked,
    /// Its deadline has passed.
    TimedOut,
    /// It is to end.
    Killed,
}

const BLOCKED: u32 = 1;
const ENDED: u32 = 2;
/// Ready or running; the second byte tells why it became so.
const READY: u32 = 0;

/// The state word. One compare-and-swap changes it from blocked to ready, so exactly one waker wins.
#[derive(Debug)]
pub(crate) struct StateWord(AtomicU32);

impl StateWord {
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(READY))
    }

    #[inline]
    pub(crate) fn block(&self) {
        // A swap: the task then looks at its request to end, which a killer stores before it tries to wake the task
        // (docs/memory-order.md, 2).
        self.0.swap(BLOCKED, Ordering::SeqCst);
    }

    #[inline]
    pub(crate) fn wake(&self, why: Wake) -> bool {
        let ready = READY | (why as u32) << 8;
        self.0.compare_exchange(BLOCKED, ready, Ordering::SeqCst, Ordering::Relaxed).is_ok()
    }

    pub(crate) fn end(&self) {
        // The disposer then looks for users of the stack: the counterpart of `Task::with_stack` (docs/memory-order.md, 4).
        self.0.swap(ENDED, Ordering::SeqCst);
    }

    #[inline]
    pub(crate) fn reason(&self) -> Wake {
        match self.0.load(Ordering::Relaxed) >> 8 {
            0 => Wake::Notified,
            1 => Wake::Kicked,
            2 => Wake::TimedOut,
            _ => Wake::Killed,
        }
    }

    /// The state. The load is sequentially consistent for users of the task's stack (docs/memory-order.md, 4).
    #[inline]
    pub(crate) fn get(&self, busy: bool) -> State {
        match self.0.load(Ordering::SeqCst) & 0xff {
            BLOCKED => State::Blocked,
            ENDED => State::Ended,
            _ if busy => State::Running,
            _ => State::Ready,
        }
    }
}
