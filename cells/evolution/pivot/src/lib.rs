//! The moment of a swap: where CPUs wait, and the words that are written meanwhile.
//!
//! This cell calls nothing, not even `core` or `memcpy`: the code that runs during a swap stands here
//! alone. The build refuses the tree if the cell's object refers to another cell. It allocates nothing, locks nothing and
//! cannot panic; an NMI may interrupt it anywhere, for it keeps no state but the gate's two words.
//!
//! Source for the steps of a CPU before it runs changed code: Intel SDM volume 3, 9.1.3 (a serialising instruction) and
//! 4.10.4.1 (a change of CR4.PGE forgets all translations, global ones too).
#![no_std]

use core::{
    arch::asm,
    sync::atomic::{AtomicU32, Ordering},
};

/// A word to be exchanged. The layout is part of the contract with the engine, which may be of another build.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Exchange {
    /// Where, aligned to its size.
    pub address: u64,
    /// The value that must be there for the word to be exchanged.
    pub old: u64,
    /// The value that takes its place.
    pub new: u64,
    /// 4 or 8.
    pub bytes: u64,
}

/// Where CPUs wait until the change is done.
pub struct Gate {
    /// Counts openings: a CPU waits until it differs from the CPU's ticket.
    opened: AtomicU32,
    waiting: AtomicU32,
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Gate {
    /// Closed, and no CPU waits.
    #[must_use]
    pub const fn new() -> Self {
        Self { opened: AtomicU32::new(0), waiting: AtomicU32::new(0) }
    }

    /// The ticket for [`Gate::wait`].
    pub fn ticket(&self) -> u32 {
        self.opened.load(Ordering::Acquire)
    }

    /// Waits until the gate is opened after `ticket` was taken, then makes this CPU forget all translations and
    /// everything it has decoded. Interrupts must be off.
    #[inline(never)]
    pub fn wait(&self, ticket: u32) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        while self.opened.load(Ordering::Acquire) == ticket {
            // SAFETY: a hint that this is a spin loop.
            unsafe { asm!("pause", options(nomem, nostack, preserves_flags)) };
        }
        serialise();
        self.waiting.fetch_sub(1, Ordering::AcqRel);
    }

    /// Lets all go on.
    pub fn open(&self) {
        self.opened.fetch_add(1, Ordering::AcqRel);
    }

    /// How many CPUs wait or are about to go on.
    pub fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Acquire)
    }
}

/// Makes this CPU forget all translations and everything it has decoded.
pub fn serialise() {
    // SAFETY: toggling global pages flushes translations and changes nothing else; `cpuid` serialises and clobbers four
    // registers, of which the compiler keeps rbx for itself.
    unsafe {
        asm!(
            "mov {cr4}, cr4",
            "mov {other}, {cr4}",
            "xor {other}, 0x80",
            "mov cr4, {other}",
            "mov cr4, {cr4}",
            "mov {other}, rbx",
            "cpuid",
            "mov rbx, {other}",
            cr4 = out(reg) _,
            other = out(reg) _,
            inout("eax") 0 => _,
            out("ecx") _,
            out("edx") _,
            options(nostack)
        );
    }
}

/// Whether every word still holds its old value.
///
/// # Safety
/// `exchanges` points to `count` entries, and the address in each entry is mapped.
#[inline(never)]
pub unsafe fn is_unchanged(exchanges: *const Exchange, count: usize) -> bool {
    let mut index = 0;
    while index < count {
        // SAFETY: the caller's promise.
        let exchange = unsafe { &*exchanges.wrapping_add(index) };
        // SAFETY: the caller's promise.
        if unsafe { read(exchange) } != exchange.old {
            return false;
        }
        index += 1;
    }
    true
}

/// Writes the new value to every place that still holds the old one.
///
/// # Safety
/// `exchanges` points to `count` entries; no CPU but this one runs, or reads the words, until
/// [`Gate::open`]; interrupts are off. Page table entries among them name frames with the content that the pages must show.
#[inline(never)]
pub unsafe fn exchange(exchanges: *const Exchange, count: usize) {
    let mut index = 0;
    while index < count {
        // SAFETY: the caller's promise.
        let exchange = unsafe { &*exchanges.wrapping_add(index) };
        // SAFETY: the caller's promise.
        unsafe {
            if read(exchange) == exchange.old {
                write(exchange);
            }
        }
        index += 1;
    }
}

/// # Safety
/// The address is mapped for reading.
unsafe fn read(exchange: &Exchange) -> u64 {
    let value: u64;
    // SAFETY: the caller's promise. Assembly, because statics may lie at odd addresses and nothing may be called.
    unsafe {
        if exchange.bytes == 8 {
            asm!("mov {}, [{}]", out(reg) value, in(reg) exchange.address, options(nostack, readonly, preserves_flags));
        } else {
            asm!("mov {0:e}, [{1}]", out(reg) value, in(reg) exchange.address, options(nostack, readonly, preserves_flags));
        }
    }
    value
}

/// # Safety
/// The address is mapped for writing.
unsafe fn write(exchange: &Exchange) {
    // SAFETY: the caller's promise.
    unsafe {
        if exchange.bytes == 8 {
            asm!("mov [{}], {}", in(reg) exchange.address, in(reg) exchange.new, options(nostack, preserves_flags));
        } else {
            asm!("mov [{0}], {1:e}", in(reg) exchange.address, in(reg) exchange.new, options(nostack, preserves_flags));
        }
    }
}
