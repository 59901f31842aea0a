//! The faults themselves.

use alloc::vec::Vec;
use core::arch::asm;
use core::hint::black_box;

use fault_context::FaultKind;

/// The kinds that can be made, in the order in which the demonstration shows them.
pub const INJECTABLE: [FaultKind; 8] = [
    FaultKind::Panic,
    FaultKind::NullAccess,
    FaultKind::GeneralProtection,
    FaultKind::DivideError,
    FaultKind::InvalidOpcode,
    FaultKind::StackOverflow,
    FaultKind::Deadlock,
    FaultKind::OutOfMemory,
];

/// More than any machine has, and less than the greatest length: the heap is asked and has to refuse.
const TOO_MUCH: usize = 1 << 40;

/// Makes a fault of this kind here and now.
///
/// # Panics
/// If that is the kind that is asked for, or if the kind is not made on purpose.
pub fn make(kind: FaultKind) {
    match kind {
        FaultKind::NullAccess => null_access(),
        FaultKind::GeneralProtection => general_protection(),
        FaultKind::DivideError => divide_error(),
        FaultKind::InvalidOpcode => invalid_opcode(),
        FaultKind::Breakpoint => breakpoint(),
        FaultKind::StackOverflow => drop(black_box(overflow(black_box(0)))),
        FaultKind::Deadlock => crate::deadlock::wait_for_oneself(),
        FaultKind::OutOfMemory => out_of_memory(),
        FaultKind::PageFault => page_fault(),
        FaultKind::WildJump => wild_jump(),
        FaultKind::Panic => panic!("a panic was asked for"),
        other => panic!("a fault of kind '{}' cannot be made on purpose", other.word()),
    }
}

#[inline(never)]
fn out_of_memory() {
    drop(black_box(Vec::<u8>::with_capacity(black_box(TOO_MUCH))));
}

// Each fault that the processor finds has a function of its own, which owns nothing: only values of the interrupted code
// are lost with the faulting frame, and none of this cell.

#[inline(never)]
fn null_access() {
    // SAFETY: not sound, and meant to fault: the first page is never mapped, so nothing is read.
    unsafe { asm!("mov {out}, [{address}]", out = out(reg) _, address = in(reg) 8u64, options(nostack, readonly)) };
}

#[inline(never)]
fn page_fault() {
    // SAFETY: as above; the last page below the user half's end is never mapped.
    unsafe {
        asm!("mov {out}, [{address}]", out = out(reg) _, address = in(reg) 0x7fff_ffff_f000u64,
            options(nostack, readonly));
    }
}

#[inline(never)]
fn general_protection() {
    // SAFETY: as above; the address is not canonical, so the access is refused before anything is read.
    unsafe {
        asm!("mov {out}, [{address}]", out = out(reg) _, address = in(reg) 0x8000_0000_0000_0000u64,
            options(nostack, readonly));
    }
}

#[inline(never)]
fn divide_error() {
    // SAFETY: the instruction is refused before it changes anything.
    unsafe {
        asm!("div {zero:e}", zero = in(reg) 0u32, inout("eax") 1u32 => _, inout("edx") 0u32 => _, options(nostack))
    };
}

#[inline(never)]
fn invalid_opcode() {
    // SAFETY: the instruction is refused and changes nothing.
    unsafe { asm!("ud2", options(nostack)) };
}

#[inline(never)]
fn breakpoint() {
    // SAFETY: the exception's handler decides how the task goes on.
    unsafe { asm!("int3", options(nostack)) };
}

#[inline(never)]
fn wild_jump() {
    // SAFETY: not sound, and meant to fault: nothing is mapped there, so nothing is executed.
    unsafe { asm!("call {nowhere}", nowhere = in(reg) 0x7fff_ffff_e000u64, clobber_abi("C")) };
}

/// Takes the stack, a little at a time, until there is none.
#[inline(never)]
#[allow(unconditional_recursion, reason = "that is the point")]
fn overflow(depth: u64) -> u64 {
    let filler = black_box([depth; 32]);
    overflow(depth + 1) + filler[(depth % 32) as usize]
}
