//! Stacks of tasks, each with a guard page, a reserve for recovery, and room for thread locals.
//!
//! From low to high addresses:
//!
//! | part | pages | state |
//! | --- | --- | --- |
//! | guard | 1 | never mapped |
//! | reserve | 8 | frames owned, but withheld: an overflow faults here, and recovery then makes them present |
//! | stack | as asked | writable |
//! | room for thread locals | 17 less the mapped ones | not mapped; a guard against running over the top, too |
//! | thread locals | 1 or more | writable; the thread pointer is 64 bytes below the end |
//!
//! Guarantees: touching the guard or the reserve faults; making the reserve present takes no lock and no memory, so that
//! a fault handler may do it; below the thread pointer there are 64 KiB of address space for thread locals, so that they
//! can grow in a task that runs. A stack that is dropped is kept for the next task, up to a bound, so that starting a
//! task maps nothing; under pressure the kept ones are given up. Each begins empty, all its bytes 0: a scan for
//! references to replaced cells would take the leftovers of an ended task for references of the next one. Creating a
//! stack fails for want of memory only.
#![no_std]

mod pool;

use core::fmt;

use addresses::{PAGE_SIZE, PageRange, VirtAddr, pages_for};
use frames::Purpose;
use mapping::{InUse, MapError, MappedPages, Withheld, Writable};
use pages::{AllocatedPages, PagesError};
use spin_lock::SpinLock;

pub use pool::{drain_pool, pool_record, pooled};

/// Bytes of a stack when the creator does not say. Deep enough for formatting, for a file system call under the
/// shell and for the unwinder's own frames, which need about 13 KiB.
pub const DEFAULT_SIZE: usize = 64 * 1024;
/// Bytes of the reserve: twice the need of unwinding that was seen.
pub const RESERVE_SIZE: usize = 32 * 1024;
/// Address space below the thread pointer.
pub const TLS_SIZE: usize = 64 * 1024;

const RESERVE_PAGES: usize = RESERVE_SIZE / PAGE_SIZE;
/// The block at the thread pointer: first word points to itself, as the ABI demands; the rest is the task's.
const CONTROL_BLOCK: usize = 64;
const TLS_PAGES: usize = (TLS_SIZE + CONTROL_BLOCK).div_ceil(PAGE_SIZE);
/// A larger stack is a mistake.
const MAX_PAGES: usize = (64 << 20) / PAGE_SIZE;

/// Why there is no stack, or no more room in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackError {
    /// No stack has this many bytes.
    Size(usize),
    /// Thread locals of this many bytes do not fit below the thread pointer.
    ThreadLocals(usize),
    /// There is no memory.
    Memory(MapError),
}

impl fmt::Display for StackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(bytes) => write!(f, "a stack of {bytes} bytes is not possible"),
            Self::ThreadLocals(bytes) => write!(f, "{bytes} bytes of thread locals do not fit into {TLS_SIZE}"),
            Self::Memory(error) => write!(f, "no memory for a stack: {error}"),
        }
    }
}

impl core::error::Error for StackError {}

impl From<MapError> for StackError {
    fn from(error: MapError) -> Self {
        Self::Memory(error)
    }
}

impl From<PagesError> for StackError {
    fn from(error: PagesError) -> Self {
        Self::Memory(error.into())
    }
}

/// The reserve of a stack, to be noted where a fault handler finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserve(PageRange);

impl Reserve {
    /// Makes the reserve present. Takes no lock, allocates nothing.
    ///
    /// # Safety
    /// The stack still exists.
    pub unsafe fn reveal(self) {
        // SAFETY: the pages are a stack's reserve, which the stack owns.
        unsafe { mapping::reveal_withheld(self.0) };
    }

    /// Whether the address lies in the reserve.
    pub fn contains(self, address: VirtAddr) -> bool {
        self.0.contains_address(address)
    }

    /// The pages.
    pub fn pages(self) -> PageRange {
        self.0
    }
}

/// A stack. No code may run on it when it is dropped.
#[derive(Debug)]
#[must_use = "dropping it gives the stack to somebody else"]
pub struct Stack {
    parts: Option<Parts>,
}

#[derive(Debug)]
struct Parts {
    guard: AllocatedPages,
    reserve: MappedPages<Withheld>,
    stack: MappedPages<InUse>,
    thread_locals: SpinLock<ThreadLocals>,
    /// The address after the last byte of all parts.
    end: VirtAddr,
}

#[derive(Debug)]
struct ThreadLocals {
    /// Address space below the mapped pages.
    room: Option<AllocatedPages>,
    /// Always there, but while it grows.
    mapped: Option<MappedPages<InUse>>,
}

impl Stack {
    /// A stack of at least `bytes` bytes, from the pool or new. Its bytes are 0. The bytes of the thread locals keep
    /// their former values, except the control block's first word.
    ///
    /// # Errors
    /// [`StackError`]: no stack has this size, or there is no memory.
    pub fn new(bytes: usize) -> Result<Self, StackError> {
        let pages = pages_for(bytes);
        if pages == 0 || pages > MAX_PAGES {
            return Err(StackError::Size(bytes));
        }
        let parts = match pool::take(pages) {
            Some(parts) => parts,
            None => Parts::new(pages)?,
        };
        Ok(Self { parts: Some(parts.with_control_block()) })
    }

    fn parts(&self) -> &Parts {
        match &self.parts {
            Some(parts) => parts,
            // Only `drop` takes them.
            None => unreachable!("a stack without parts"),
        }
    }

    /// The address above the first word that is pushed; a multiple of 4096.
    pub fn top(&self) -> VirtAddr {
        let stack = self.parts().stack.pages();
        stack.start() + stack.bytes() as u64
    }

    /// The lowest address of the stack proper.
    pub fn bottom(&self) -> VirtAddr {
        self.parts().stack.start()
    }

    /// Bytes of the stack proper.
    pub fn size(&self) -> usize {
        self.parts().stack.len()
    }

    /// The lowest address that exists once the reserve is revealed.
    pub fn limit(&self) -> VirtAddr {
        self.parts().reserve.start()
    }

    /// The page that is never mapped.
    pub fn guard(&self) -> PageRange {
        self.parts().guard.range()
    }

    /// The reserve.
    pub fn reserve(&self) -> Reserve {
        Reserve(self.parts().reserve.pages())
    }

    /// Makes the reserve present, without lock or memory.
    pub fn reveal_reserve(&self) {
        self.parts().reserve.reveal();
    }

    /// Makes the processor fault on the reserve again; waits until every CPU does.
    ///
    /// # Errors
    /// A CPU does not answer in time; the reserve stays out of use.
    pub fn hide_reserve(&self) -> Result<(), StackError> {
        Ok(self.parts().reserve.hide().map_err(MapError::from)?)
    }

    /// The address in FS while the task runs: thread locals lie below, the control block of 64 bytes above. The first
    /// word there points to itself.
    pub fn thread_pointer(&self) -> VirtAddr {
        self.parts().thread_pointer()
    }

    /// Maps at least `bytes` bytes below the thread pointer. The mapped bytes stay as they are and where they are, so
    /// the task may be running; the new bytes are 0.
    ///
    /// # Errors
    /// [`StackError`]: there is no room below the thread pointer, or no memory.
    pub fn grow_tls(&self, bytes: usize) -> Result<(), StackError> {
        if bytes > TLS_SIZE {
            return Err(StackError::ThreadLocals(bytes));
        }
        let wanted = pages_for(bytes + CONTROL_BLOCK);
        self.parts().thread_locals.lock().grow(wanted)
    }
}

impl Parts {
    fn new(stack_pages: usize) -> Result<Self, StackError> {
        let all = pages::allocate(1 + RESERVE_PAGES + stack_pages + TLS_PAGES)?;
        let end = all.range().start() + all.range().bytes() as u64;
        let (guard, rest) = divide(all, 1)?;
        let (reserve, rest) = divide(rest, RESERVE_PAGES)?;
        let (stack, rest) = divide(rest, stack_pages)?;
        let (room, mapped) = divide(rest, TLS_PAGES - 1)?;
        Ok(Self {
            guard,
            reserve: mapping::allocate_at(reserve, Withheld, Purpose::Stack)?,
            stack: mapping::allocate_zeroed_at(stack, Purpose::Stack)?.into_in_use(),
            thread_locals: SpinLock::new(ThreadLocals {
                room: Some(room),
                mapped: Some(mapping::allocate_at(mapped, InUse, Purpose::Stack)?),
            }),
            end,
        })
    }

    fn stack_pages(&self) -> usize {
        self.stack.pages().count()
    }

    fn thread_pointer(&self) -> VirtAddr {
        self.end - CONTROL_BLOCK as u64
    }

    /// Writes the first word of the control block. The parts are no stack of a task yet.
    fn with_control_block(self) -> Self {
        let pointer = self.thread_pointer();
        let mut thread_locals = self.thread_locals.lock();
        if let Some(mapped) = thread_locals.mapped.take() {
            // SAFETY: a task uses these pages only while they are parts of its `Stack`, and these are parts of none.
            let mut mapped = unsafe { mapped.into_private() };
            let offset = mapped.len() - CONTROL_BLOCK;
            mapped.bytes_mut()[offset..offset + size_of::<u64>()].copy_from_slice(&pointer.as_u64().to_ne_bytes());
            thread_locals.mapped = Some(mapped.into_in_use());
        }
        drop(thread_locals);
        self
    }

    /// Makes the stack as good as new, if that is possible.
    fn refresh(self) -> Option<Self> {
        // The fault handler that revealed the reserve knew only its address, so the tables are asked.
        if mapping::translate(self.reserve.start()).is_some() {
            self.reserve.hide().ok()?;
        }
        let Self { guard, reserve, stack, thread_locals, end } = self;
        // SAFETY: the `Stack` was dropped, so its task has ended and runs on it no more.
        let mut stack = unsafe { stack.into_private() };
        // A page that has ever been written to counts: no CPU knows which of them the last task used.
        for page in 0..stack.pages().count() {
            if stack.is_written(page) {
                stack.bytes_mut()[page * PAGE_SIZE..][..PAGE_SIZE].fill(0);
            }
        }
        Some(Self { guard, reserve, stack: stack.into_in_use(), thread_locals, end })
    }
}

impl ThreadLocals {
    fn grow(&mut self, wanted: usize) -> Result<(), StackError> {
        let present = self.mapped.as_ref().map_or(0, |mapped| mapped.pages().count());
        let Some(missing) = wanted.checked_sub(present).filter(|missing| *missing > 0) else { return Ok(()) };
        let Some(room) = self.room.take() else { return Err(StackError::ThreadLocals(wanted * PAGE_SIZE)) };
        let (rest, new) = match room.count().checked_sub(missing) {
            Some(0) => (None, room),
            Some(kept) => {
                let (rest, new) = divide(room, kept)?;
                (Some(rest), new)
            }
            None => {
                self.room = Some(room);
                return Err(StackError::ThreadLocals(wanted * PAGE_SIZE));
            }
        };
        self.room = rest;
        // Of a refused mapping the pages are free for others: this much of the room is lost to this stack.
        // No spare frames are asked for: the lock is held.
        let mut new = mapping::try_allocate_at(new, Writable, Purpose::Stack)?;
        new.bytes_mut().fill(0);
        let new = new.into_in_use();
        self.mapped = match self.mapped.take() {
            Some(old) => match new.merge(old) {
                Ok(both) => Some(both),
                Err((_not_adjacent, old)) => {
                    self.mapped = Some(old);
                    return Err(StackError::ThreadLocals(wanted * PAGE_SIZE));
                }
            },
            None => Some(new),
        };
        Ok(())
    }
}

/// The first `count` pages and the rest.
fn divide(pages: AllocatedPages, count: usize) -> Result<(AllocatedPages, AllocatedPages), StackError> {
    pages.split(count).map_err(|_| PagesError::OutOfBounds.into())
}

impl Drop for Stack {
    fn drop(&mut self) {
        if let Some(parts) = self.parts.take() {
            pool::put(parts);
        }
    }
}
