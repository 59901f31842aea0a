//! Interrupts as values: each vector has at most one owner, and its handler is called for as long as the owner wants it.

use core::mem::transmute;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};
use core::{error, fmt};

use crate::interrupted::Interrupted;
use crate::vectors;

/// Handles an interrupt, with interrupts off, on the stack of the interrupted code. It must be short, must not block, and
/// must not wait for a lock that code with interrupts on can hold.
pub type Handler = fn(&mut Interrupted<'_>);

/// The right to give out interrupts. The boot has it, and gives each driver and each service its own [`Interrupt`].
#[derive(Clone, Copy, Debug)]
pub struct InterruptCap(());

impl InterruptCap {
    /// The right, for a cell that gives out interrupts.
    ///
    /// # Safety
    /// The caller claims an interrupt only for the cell that drives its source: a second claim would keep that cell from it.
    #[must_use]
    pub const unsafe fn new() -> Self {
        Self(())
    }
}

/// Why an interrupt cannot be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClaimError {
    /// The vector belongs to the processor, or has no entry.
    Reserved(u8),
    /// The vector has an owner.
    Taken(u8),
}

impl fmt::Display for ClaimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reserved(vector) => write!(f, "vector {vector:#x} is not for devices or messages"),
            Self::Taken(vector) => write!(f, "vector {vector:#x} has an owner already"),
        }
    }
}

impl error::Error for ClaimError {}

/// The handler of a vector: null while the vector has no owner.
struct Slot(AtomicPtr<()>);

impl Slot {
    const fn free() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    fn set(&self, handler: Handler) {
        self.0.store(handler as *mut (), Ordering::Release);
    }

    fn handler(&self) -> Option<Handler> {
        let handler = self.0.load(Ordering::Acquire);
        // SAFETY: `claim` and `set` store pointers of this type, and nothing else stores here but null.
        (!handler.is_null()).then(|| unsafe { transmute::<*mut (), Handler>(handler) })
    }
}

static SLOTS: [Slot; 256] = [const { Slot::free() }; 256];

/// Calls the handler of `vector`. An interrupt without an owner or without a handler is dropped.
pub(crate) fn handle(vector: u8, interrupted: &mut Interrupted<'_>) {
    if let Some(handler) = SLOTS[usize::from(vector)].handler() {
        handler(interrupted);
    }
}

/// The handler of an interrupt before its owner gives it one.
fn ignore(_interrupted: &mut Interrupted<'_>) {}

/// An interrupt: a vector that belongs to the owner of this value, until it is dropped.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the interrupt is free again when this is dropped"]
pub struct Interrupt {
    vector: u8,
}

impl Interrupt {
    /// Takes a free vector, to use it or to give it to the cell that drives its source.
    ///
    /// # Errors
    /// [`ClaimError::Reserved`] for exceptions and for vectors without an entry, [`ClaimError::Taken`] if it has an owner.
    pub fn claim(_right: InterruptCap, vector: u8) -> Result<Self, ClaimError> {
        if !vectors::is_for_handlers(vector) {
            return Err(ClaimError::Reserved(vector));
        }
        SLOTS[usize::from(vector)]
            .0
            .compare_exchange(ptr::null_mut(), ignore as *mut (), Ordering::AcqRel, Ordering::Relaxed)
            .map(|_free| Self { vector })
            .map_err(|_handler| ClaimError::Taken(vector))
    }

    /// Takes the vector of ISA interrupt `line` (0 to 15).
    ///
    /// # Errors
    /// As [`claim`](Self::claim).
    pub fn claim_isa(right: InterruptCap, line: u8) -> Result<Self, ClaimError> {
        Self::claim(right, vectors::ISA + (line & 0x0f))
    }

    /// The vector by which it comes.
    #[inline]
    pub const fn vector(&self) -> u8 {
        self.vector
    }

    /// The ISA interrupt that it is, if it is one.
    pub const fn isa_line(&self) -> Option<u8> {
        if self.vector >= vectors::ISA && self.vector <= vectors::LAST_DEVICE {
            Some(self.vector - vectors::ISA)
        } else {
            None
        }
    }

    /// Has `handler` called for each of these interrupts, on the CPU that it comes to, until the registration is dropped.
    /// The interrupt is acknowledged after the handler returns.
    pub fn handle(self, handler: Handler) -> Registration {
        SLOTS[usize::from(self.vector)].set(handler);
        Registration { interrupt: self }
    }
}

impl Drop for Interrupt {
    /// Takes the handler away and frees the vector. A CPU that is calling the handler finishes the call.
    fn drop(&mut self) {
        SLOTS[usize::from(self.vector)].0.store(ptr::null_mut(), Ordering::Release);
    }
}

/// An interrupt that is handled. Its owner may have it routed or sent; dropping it takes the handler away.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the handler is taken away when this is dropped"]
pub struct Registration {
    interrupt: Interrupt,
}

impl Registration {
    /// The interrupt that is handled.
    #[inline]
    pub const fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }
}
