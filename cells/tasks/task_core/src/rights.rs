//! Rights over tasks: one type for each.
//!
//! A right is a value without a size. A function that changes tasks asks for the right to do so, so the signature of a
//! function says which cells may call it, and a cell that holds one right cannot use another. Each constructor is `unsafe`: the
//! cell that makes a right promises to keep the rules at the functions that ask for it.

macro_rules! rights {
    ($($(#[$doc:meta])+ $name:ident;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug)]
        pub struct $name(());

        impl $name {
            /// Makes the right.
            ///
            /// # Safety
            /// The cell that gets the right keeps the rules stated at each function that asks for it.
            pub const unsafe fn new() -> Self {
                Self(())
            }
        }
    )+};
}

rights! {
    /// The right to make tasks, and to end and dispose of them.
    SpawnCap;
    /// The right to give a task the CPU and to count its time.
    ScheduleCap;
    /// The right to suspend the running task.
    BlockCap;
    /// The right to make a blocked task ready, and to interrupt a running one.
    WakeCap;
    /// The right to change what a task inherits, and to note for which lock holder it waits.
    InheritCap;
    /// The right to change what recovery knows about a task: orders to end, faults made on purpose, its ledger.
    FaultCap;
    /// The right to make tasks that are never ended.
    EssentialCap;
    /// The right to end any task.
    KillCap;
    /// The right to say what a task's code is part of.
    OriginCap;
}
