//! What a task is for, and what becomes of it.

/// What a task is for, which decides whether it can be ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// It may end, and be ended.
    Ordinary,
    /// The system cannot do without it. It takes up its work again after every fault, and no task can end it.
    Essential,
    /// What a CPU runs when there is nothing to do. It never ends.
    Idle,
}

/// What becomes of an ended task's record and stack.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disposal {
    /// The task runs. Its joiner takes them.
    Joinable = 0,
    /// The task runs. It has no joiner, so the reaper takes them.
    Detached = 1,
    /// The task has ended. Its joiner takes them.
    Ended = 2,
}
