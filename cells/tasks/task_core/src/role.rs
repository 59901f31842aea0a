//! What a task is for, and what becomes of it.

/// What a task is for, as far as ending it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// It may end, and be ended.
    Ordinary,
    /// The system cannot do without it: it takes up its work again after every fault, and nobody may end it.
    Essential,
    /// What a CPU runs when there is nothing to do. It never ends.
    Idle,
}

/// What becomes of an ended task's record and stack.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disposal {
    /// It runs; whoever joins it takes them.
    Joinable = 0,
    /// It runs; nobody will join it.
    Detached = 1,
    /// It has ended; whoever joins it takes them.
    Ended = 2,
}
