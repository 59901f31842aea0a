//! Taking the registers of a running function, to walk or unwind from it.

use core::arch::naked_asm;

use fault_context::FaultContext;

use crate::frame_registers::Registers;
use crate::walker::Walker;

/// A function that [`take_registers`] calls, with its first argument and the registers of its caller.
pub(crate) type WithRegisters = unsafe extern "C-unwind" fn(*mut u8, *const Registers);

/// Stores the callee-saved registers, the stack pointer and the instruction pointer that the caller of a
/// function will have when it returns, in [`Registers`]' order; 17 words below the return address keep the
/// stack aligned. The other registers say nothing about the caller and are left as they are: any bits do.
macro_rules! store_callers_registers {
    () => {
        "sub rsp, 136
         .cfi_adjust_cfa_offset 136
         mov [rsp + 24], rbx
         mov [rsp + 48], rbp
         mov [rsp + 96], r12
         mov [rsp + 104], r13
         mov [rsp + 112], r14
         mov [rsp + 120], r15
         lea rax, [rsp + 144]
         mov [rsp + 56], rax
         mov rax, [rsp + 136]
         mov [rsp + 128], rax"
    };
}

pub(crate) use store_callers_registers;

/// Calls `then` with `data` and the registers that the caller has when this returns.
///
/// # Safety
/// `then` may be called with `data`.
#[unsafe(naked)]
pub(crate) unsafe extern "C-unwind" fn take_registers(data: *mut u8, then: WithRegisters) {
    naked_asm!(
        ".cfi_startproc",
        store_callers_registers!(),
        "mov rax, rsi
         mov rsi, rsp
         call rax
         add rsp, 136
         .cfi_adjust_cfa_offset -136
         ret
         .cfi_endproc"
    )
}

/// Calls `visit` with a walker over the caller's own stack, beginning with the caller of this function. Before there are
/// tasks there is no stack to walk, and `visit` is not called.
#[inline(never)]
pub fn capture_here(visit: &mut dyn FnMut(Walker<'_>)) {
    if let Some(context) = fault_context::current() {
        // SAFETY: the context is that of the stack on which this runs.
        unsafe { capture_in(context, visit) };
    }
}

/// As [`capture_here`], in a context that the caller names.
///
/// # Safety
/// The context is that of the stack on which this runs.
#[inline(never)]
pub unsafe fn capture_in(context: &FaultContext, visit: &mut dyn FnMut(Walker<'_>)) {
    struct Capture<'a> {
        context: &'a FaultContext,
        visit: &'a mut dyn FnMut(Walker<'_>),
    }
    unsafe extern "C-unwind" fn walk(data: *mut u8, registers: *const Registers) {
        // SAFETY: `capture_in` passes the address of its own `Capture`, and `take_registers` a valid set.
        let (capture, registers) = unsafe { (&mut *data.cast::<Capture<'_>>(), *registers) };
        // SAFETY: the registers are those of `capture_in`'s frame, which stands on this stack, together with the frames
        // further out, for as long as the walker lives.
        (capture.visit)(unsafe { Walker::from_call(registers, capture.context.stack.get()) });
    }
    let mut capture = Capture { context, visit };
    // SAFETY: `walk` expects exactly this pointer.
    unsafe { take_registers((&raw mut capture).cast(), walk) }
}
