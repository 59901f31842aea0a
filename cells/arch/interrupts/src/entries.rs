//! The assembly through which the processor enters and leaves a handler.
//!
//! Each vector has a short entry that makes the stack look alike for all (an error code, then the vector) and goes
//! on in [`common`]. The frame information says at every instruction where the interrupted code's registers are: the
//! canonical frame address is the end of what the processor pushed, so `rip` lies at -40 and `rsp` at -16 from it.
//! `.cfi_signal_frame` tells an unwinder that `rip` is an instruction not yet executed rather than a return address.

use core::arch::naked_asm;

use crate::dispatch::dispatch;

/// The address of an entry, as it goes into the descriptor table.
pub(crate) type Entry = unsafe extern "C" fn();

/// A vector for which the processor pushes no error code.
///
/// # Safety
/// Only the processor enters here.
#[unsafe(naked)]
unsafe extern "C" fn without_error_code<const VECTOR: u8>() {
    naked_asm!(
        ".cfi_startproc simple",
        ".cfi_signal_frame",
        ".cfi_def_cfa rsp, 40",
        ".cfi_offset rip, -40",
        ".cfi_offset rsp, -16",
        "push 0",
        ".cfi_adjust_cfa_offset 8",
        "push {vector}",
        ".cfi_adjust_cfa_offset 8",
        "jmp {common}",
        ".cfi_endproc",
        vector = const VECTOR,
        common = sym common,
    )
}

/// A vector for which the processor pushes an error code.
///
/// # Safety
/// Only the processor enters here.
#[unsafe(naked)]
unsafe extern "C" fn with_error_code<const VECTOR: u8>() {
    naked_asm!(
        ".cfi_startproc simple",
        ".cfi_signal_frame",
        ".cfi_def_cfa rsp, 48",
        ".cfi_offset rip, -40",
        ".cfi_offset rsp, -16",
        "push {vector}",
        ".cfi_adjust_cfa_offset 8",
        "jmp {common}",
        ".cfi_endproc",
        vector = const VECTOR,
        common = sym common,
    )
}

/// Completes the `SavedRegisters` on the stack, has them dispatched, and goes on from them. The processor aligned the
/// stack before it pushed, and 22 words keep it aligned to 16 bytes for the call.
///
/// # Safety
/// Only the entries above jump here.
#[unsafe(naked)]
unsafe extern "C" fn common() {
    naked_asm!(
        ".cfi_startproc simple",
        ".cfi_signal_frame",
        ".cfi_def_cfa rsp, 56",
        ".cfi_offset rip, -40",
        ".cfi_offset rsp, -16",
        ".macro save register",
        "push \\register",
        ".cfi_adjust_cfa_offset 8",
        ".cfi_rel_offset \\register, 0",
        ".endm",
        ".macro restore register",
        "pop \\register",
        ".cfi_adjust_cfa_offset -8",
        ".cfi_restore \\register",
        ".endm",
        "save rax",
        "save rbx",
        "save rcx",
        "save rdx",
        "save rsi",
        "save rdi",
        "save rbp",
        "save r8",
        "save r9",
        "save r10",
        "save r11",
        "save r12",
        "save r13",
        "save r14",
        "save r15",
        "cld",
        "mov rdi, rsp",
        "call {dispatch}",
        "restore r15",
        "restore r14",
        "restore r13",
        "restore r12",
        "restore r11",
        "restore r10",
        "restore r9",
        "restore r8",
        "restore rbp",
        "restore rdi",
        "restore rsi",
        "restore rdx",
        "restore rcx",
        "restore rbx",
        "restore rax",
        "add rsp, 16",
        ".cfi_adjust_cfa_offset -16",
        "iretq",
        ".purgem save",
        ".purgem restore",
        ".cfi_endproc",
        dispatch = sym dispatch,
    )
}

macro_rules! without_error_code {
    ($($vector:literal)*) => { [$(($vector, without_error_code::<$vector> as Entry)),*] };
}

macro_rules! with_error_code {
    ($($vector:literal)*) => { [$(($vector, with_error_code::<$vector> as Entry)),*] };
}

/// Exceptions that push an error code.
pub(crate) fn exceptions_with_error_code() -> [(u8, Entry); 10] {
    with_error_code!(8 10 11 12 13 14 17 21 29 30)
}

/// Exceptions that do not. 9, 15, 22 to 27 and 31 are reserved and do not occur.
pub(crate) fn exceptions_without_error_code() -> [(u8, Entry); 13] {
    without_error_code!(0 1 2 3 4 5 6 7 16 18 19 20 28)
}

/// Devices and messages.
pub(crate) fn interrupts() -> [(u8, Entry); 48] {
    without_error_code!(
        0x20 0x21 0x22 0x23 0x24 0x25 0x26 0x27 0x28 0x29 0x2a 0x2b 0x2c 0x2d 0x2e 0x2f
        0x30 0x31 0x32 0x33 0x34 0x35 0x36 0x37 0x38 0x39 0x3a 0x3b 0x3c 0x3d 0x3e 0x3f
        0xf0 0xf1 0xf2 0xf3 0xf4 0xf5 0xf6 0xf7 0xf8 0xf9 0xfa 0xfb 0xfc 0xfd 0xfe 0xff
    )
}
