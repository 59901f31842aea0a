//! Who may change tasks.

/// The right to change tasks from outside: for the cells that make up the task machinery (scheduler, spawning,
/// recovery, evolution), which keep the rules that each method states.
#[derive(Clone, Copy, Debug)]
pub struct Machinery(());

impl Machinery {
    /// The right.
    ///
    /// # Safety
    /// The holder is part of the machinery and keeps the rules stated at each method that asks for this.
    pub const unsafe fn new() -> Self {
        Self(())
    }
}
