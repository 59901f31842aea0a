//! Rights as types.

use page_tables::Rights;

mod sealed {
    pub trait Sealed {}
}

/// The rights of a mapping, as a type. There is no type that permits writing and executing.
pub trait Permission: sealed::Sealed + Copy + 'static {
    /// The same as a value.
    const RIGHTS: Rights;
    /// Whether the processor may use the pages at once.
    const PRESENT: bool = true;
}

/// Rights under which the program may read the bytes as plain memory.
pub trait Readable: Permission {}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident $(: $also:ident)?,)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;
            impl sealed::Sealed for $name {}
            impl Permission for $name {
                const RIGHTS: Rights = Rights::$name;
            }
            $(impl $also for $name {})?
        )*
    };
}

permissions! {
    /// Reading.
    ReadOnly: Readable,
    /// Reading and writing.
    Writable: Readable,
    /// Reading and executing.
    Executable: Readable,
    /// Device registers: volatile access only.
    Device,
}

/// Writable memory that other code uses by its address: the statics of a cell, the stack of a task. Its owner decides how
/// long it is mapped, and has no view of its bytes: a reference to them would alias the bytes that the code uses.
#[derive(Clone, Copy, Debug)]
pub struct InUse;

impl sealed::Sealed for InUse {}

impl Permission for InUse {
    const RIGHTS: Rights = Rights::Writable;
}

/// Writable memory that the processor faults on until it is revealed: the reserve of a stack.
#[derive(Clone, Copy, Debug)]
pub struct Withheld;

impl sealed::Sealed for Withheld {}

impl Permission for Withheld {
    const RIGHTS: Rights = Rights::Writable;
    const PRESENT: bool = false;
}
