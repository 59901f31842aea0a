//! The few lines of assembly: putting registers back, and the one frame that catches.
//!
//! All of it carries frame information, so that stacks with these frames on them can be walked.

use core::arch::naked_asm;
use core::mem::offset_of;

use fault_context::CatchRecord;

use crate::capture::store_callers_registers;
use crate::frame_registers::Registers;

/// The body of a [`catching_frame`].
pub(crate) type Body = unsafe extern "C-unwind" fn(*mut u8);

/// The beginning of a function in which an interrupted task goes on, with the instruction pointer and the stack pointer
/// that it had in `rsi` and `rdx`: pushes the two, and tells at every instruction where they are. A walker takes this for an
/// interrupt entry: the frame above was interrupted, and its landing pads say nothing about where it stood. Follows
/// `.cfi_startproc`.
#[macro_export]
macro_rules! enter_from_interruption {
    () => {
        ".cfi_signal_frame
         .cfi_def_cfa rsp, 0
         .cfi_register rip, rsi
         .cfi_register rsp, rdx
         push rdx
         .cfi_def_cfa_offset 8
         push rsi
         .cfi_def_cfa_offset 16
         .cfi_offset rip, -16
         .cfi_offset rsp, -8"
    };
}

/// Continues with `registers`: those that a landing pad or an interrupted function depends on.
///
/// # Safety
/// The registers are those of a frame that is still on the stack, at an address where it can go on.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn install(registers: *const Registers) -> ! {
    naked_asm!(
        ".cfi_startproc
         mov rax, [rdi]
         mov rdx, [rdi + 8]
         mov rbx, [rdi + 24]
         mov rbp, [rdi + 48]
         mov r12, [rdi + 96]
         mov r13, [rdi + 104]
         mov r14, [rdi + 112]
         mov r15, [rdi + 120]
         mov rsp, [rdi + 56]
         jmp [rdi + 128]
         .cfi_endproc"
    )
}

/// Calls `body(data)`. Returns 0 when it returned; returns 1 when [`go_to_record`] went to the address that this
/// stores in `record`, with the stack pointer that this stores there.
///
/// The record is linked into the chain at `top` when it is complete, and unlinked while its frame still stands:
/// a fault may come between any two instructions. The caller of `go_to_record` has unlinked it before.
///
/// # Safety
/// `body` may be called with `data`; `record` names the chain's present top as its previous one.
#[unsafe(naked)]
pub(crate) unsafe extern "C-unwind" fn catching_frame(
    body: Body,
    data: *mut u8,
    record: *mut CatchRecord,
    top: *mut *const CatchRecord,
) -> u64 {
    naked_asm!(
        ".cfi_startproc
         push rbp
         .cfi_adjust_cfa_offset 8
         .cfi_rel_offset rbp, 0
         push rbx
         .cfi_adjust_cfa_offset 8
         .cfi_rel_offset rbx, 0
         push r12
         .cfi_adjust_cfa_offset 8
         .cfi_rel_offset r12, 0
         push r13
         .cfi_adjust_cfa_offset 8
         .cfi_rel_offset r13, 0
         push r14
         .cfi_adjust_cfa_offset 8
         .cfi_rel_offset r14, 0
         push r15
         .cfi_adjust_cfa_offset 8
         .cfi_rel_offset r15, 0
         sub rsp, 8
         .cfi_adjust_cfa_offset 8
         mov rbx, rdx
         mov r12, rcx
         mov [rbx + {rsp_field}], rsp
         lea rax, [rip + 2f]
         mov [rbx + {rip_field}], rax
         mov [r12], rbx
         mov rax, rdi
         mov rdi, rsi
         call rax
         mov rax, [rbx + {previous_field}]
         mov [r12], rax
         xor eax, eax
         jmp 3f
         2:
         mov eax, 1
         3:
         add rsp, 8
         .cfi_adjust_cfa_offset -8
         pop r15
         .cfi_adjust_cfa_offset -8
         .cfi_restore r15
         pop r14
         .cfi_adjust_cfa_offset -8
         .cfi_restore r14
         pop r13
         .cfi_adjust_cfa_offset -8
         .cfi_restore r13
         pop r12
         .cfi_adjust_cfa_offset -8
         .cfi_restore r12
         pop rbx
         .cfi_adjust_cfa_offset -8
         .cfi_restore rbx
         pop rbp
         .cfi_adjust_cfa_offset -8
         .cfi_restore rbp
         ret
         .cfi_endproc",
        rsp_field = const offset_of!(CatchRecord, rsp),
        rip_field = const offset_of!(CatchRecord, rip),
        previous_field = const offset_of!(CatchRecord, previous),
    )
}

/// Goes on in the frame that made `record`.
///
/// # Safety
/// That frame is still on the stack, and all below it is given up.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn go_to_record(record: *const CatchRecord) -> ! {
    naked_asm!(
        ".cfi_startproc
         mov rsp, [rdi]
         jmp [rdi + 8]
         .cfi_endproc"
    )
}

/// Where a faulted task goes on, on its own stack, below the faulting frame: with the context, the interrupted
/// instruction pointer and the interrupted stack pointer as arguments, and the callee-saved registers untouched.
///
/// It pushes the two itself: when a device interrupted the task, the interrupt's frame still lies where they go, and is
/// used until the very instruction that comes here.
#[unsafe(naked)]
pub(crate) unsafe extern "C-unwind" fn fault_entry(context: *mut u8, rip: u64, rsp: u64) {
    naked_asm!(
        ".cfi_startproc",
        enter_from_interruption!(),
        "cld
         call {start}
         ud2
         .cfi_endproc",
        start = sym crate::raise::start_fault
    )
}

/// Where a task goes on if its stack is not to be unwound: just below its root, the only frame that is kept.
#[unsafe(naked)]
pub(crate) unsafe extern "C-unwind" fn abandon_entry(context: *mut u8) {
    naked_asm!(
        ".cfi_startproc
         .cfi_undefined rip
         cld
         call {start}
         ud2
         .cfi_endproc",
        start = sym crate::raise::start_abandon
    )
}

/// Landing pads call this at their end, with their exception as argument: the task's context. The name is the one that
/// the compiler refers to.
///
/// # Safety
/// For landing pads that [`install`] entered.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
#[unsafe(naked)]
#[allow(non_snake_case, reason = "the name is given")]
pub unsafe extern "C-unwind" fn _Unwind_Resume(exception: *mut u8) -> ! {
    naked_asm!(
        ".cfi_startproc",
        store_callers_registers!(),
        "mov rsi, rsp
         call {resume}
         ud2
         .cfi_endproc",
        resume = sym crate::raise::resume
    )
}
