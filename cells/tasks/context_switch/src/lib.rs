//! The one place where a CPU goes from one stack to another.
//!
//! Guarantees, to the scheduler: [`switch`] saves what a call must preserve as a [`SwitchFrame`] on the stack that
//! it leaves, stores that frame's address, and clears the flag that kept others off that stack only when it no
//! longer touches it. [`prepare`] makes a stack look as if its task had once called [`switch`]. Every instruction
//! here has frame information, so that a stack which was switched out can be walked. Nothing here can fail.
#![no_std]

use core::arch::naked_asm;
use core::mem::size_of;

use registers::SwitchFrame;

/// Leaves the running stack for another; returns when a CPU switches back to it.
///
/// # Safety
/// - Interrupts are off, and the code that goes on on the other stack expects that.
/// - `save` and `busy` belong to the task that runs, and live until it has been switched back to or has ended.
/// - `stack_pointer` was stored by this function or by [`prepare`], and no other CPU switches to it.
#[unsafe(naked)]
pub unsafe extern "C" fn switch(save: *mut u64, stack_pointer: u64, busy: *mut bool) {
    naked_asm!(
        ".cfi_startproc",
        "push rbp",
        ".cfi_adjust_cfa_offset 8",
        ".cfi_rel_offset rbp, 0",
        "push rbx",
        ".cfi_adjust_cfa_offset 8",
        ".cfi_rel_offset rbx, 0",
        "push r12",
        ".cfi_adjust_cfa_offset 8",
        ".cfi_rel_offset r12, 0",
        "push r13",
        ".cfi_adjust_cfa_offset 8",
        ".cfi_rel_offset r13, 0",
        "push r14",
        ".cfi_adjust_cfa_offset 8",
        ".cfi_rel_offset r14, 0",
        "push r15",
        ".cfi_adjust_cfa_offset 8",
        ".cfi_rel_offset r15, 0",
        "mov [rdi], rsp",
        // From here on the frame is the other stack's, which has the same shape.
        "mov rsp, rsi",
        // Stores are not reordered: a CPU that sees the flag clear sees the saved frame.
        "mov byte ptr [rdx], 0",
        "pop r15",
        ".cfi_adjust_cfa_offset -8",
        ".cfi_restore r15",
        "pop r14",
        ".cfi_adjust_cfa_offset -8",
        ".cfi_restore r14",
        "pop r13",
        ".cfi_adjust_cfa_offset -8",
        ".cfi_restore r13",
        "pop r12",
        ".cfi_adjust_cfa_offset -8",
        ".cfi_restore r12",
        "pop rbx",
        ".cfi_adjust_cfa_offset -8",
        ".cfi_restore rbx",
        "pop rbp",
        ".cfi_adjust_cfa_offset -8",
        ".cfi_restore rbp",
        "ret",
        ".cfi_endproc",
    )
}

/// The outermost frame of every task: calls the function in `rbx` and has no caller itself.
#[unsafe(naked)]
unsafe extern "C" fn outermost() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "xor ebp, ebp",
        "call rbx",
        // The function does not return.
        "ud2",
        ".cfi_endproc",
    )
}

/// Lays the first frame on a new stack: the task will begin with `main`, interrupts off. Gives the stack pointer.
///
/// # Safety
/// `top` is the first address above a writable stack that is not in use, and 16-byte aligned.
pub unsafe fn prepare(top: u64, main: extern "C-unwind" fn() -> !) -> u64 {
    // One word stays free above the frame: reading a return address there must not leave the stack. The callee of
    // `switch` starts at `outermost` with the stack aligned as a call instruction needs it.
    let frame = top - 16 - size_of::<SwitchFrame>() as u64;
    let first = SwitchFrame {
        rbx: main as usize as u64,
        rip: outermost as *const () as usize as u64,
        ..SwitchFrame::default()
    };
    // SAFETY: the frame lies inside the stack, which the caller owns.
    unsafe {
        core::ptr::write(frame as *mut SwitchFrame, first);
        core::ptr::write_bytes((top - 16) as *mut u8, 0, 16);
    }
    frame
}
