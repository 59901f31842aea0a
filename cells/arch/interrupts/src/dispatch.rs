//! From the common entry to the handler, and the bookkeeping around each.

use core::sync::atomic::{AtomicU64, Ordering};

use cpu_local::{MAX_CPUS, PerCpu, cpu_id, interrupt_depth, preempt_if_pending, set_interrupt_depth};
use registers::SavedRegisters;
use x86_64::instructions::{hlt, interrupts};

use crate::fault_levels::Level;
use crate::interrupted::Interrupted;
use crate::{hooks, interrupt, vectors};

static HANDLED: PerCpu<AtomicU64> = PerCpu::new([const { AtomicU64::new(0) }; MAX_CPUS]);

/// The number of interrupts and exceptions that a CPU has handled since boot.
pub fn handled(cpu: cpu_local::CpuId) -> u64 {
    HANDLED[cpu].load(Ordering::Relaxed)
}

/// The target of the common entry. `registers` are those on the stack, from which the entry goes on afterwards.
///
/// # Safety
/// Only the common entry calls this.
pub(crate) unsafe extern "C-unwind" fn dispatch(registers: *mut SavedRegisters) {
    // SAFETY: the entry passes the registers that it has pushed, and does not touch them until this returns.
    let registers = unsafe { &mut *registers };
    let vector = vector_of(registers);
    let count = &HANDLED[cpu_id()];
    count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    let interrupted = &mut Interrupted::new(registers);
    match vector {
        vectors::NMI => non_maskable(interrupted),
        vectors::DOUBLE_FAULT | vectors::MACHINE_CHECK => exception(interrupted),
        0..vectors::EXCEPTIONS => exception_on_fault_stack(interrupted),
        _ => maskable(vector, interrupted),
    }
}

/// The vector, as the entry stored it.
#[expect(clippy::cast_possible_truncation, reason = "the entries store vectors, which are below 256")]
fn vector_of(registers: &SavedRegisters) -> u8 {
    registers.vector as u8
}

/// Counts up the depth of this CPU while it lives, also if a handler is unwound.
struct Depth;

impl Depth {
    fn enter() -> Self {
        // SAFETY: taken back on drop.
        unsafe { set_interrupt_depth(interrupt_depth() + 1) };
        Self
    }
}

impl Drop for Depth {
    fn drop(&mut self) {
        // Recovery may have set the depth to zero when it left this handler behind.
        // SAFETY: takes back the step of `enter`.
        unsafe { set_interrupt_depth(interrupt_depth().saturating_sub(1)) };
    }
}

/// Acknowledges an interrupt when dropped, also if its handler is unwound: the APIC would send no more otherwise. For a frame that is
/// given up, [`leave_handlers`] does it.
struct Acknowledge;

impl Drop for Acknowledge {
    fn drop(&mut self) {
        // SAFETY: the interrupt's handler has returned or was unwound, and this value is dropped once.
        unsafe { hooks::END_OF_INTERRUPT.get()() };
    }
}

/// Leaves behind the handlers that began on this CPU since its [depth](interrupt_depth) was `depth`, and acknowledges their
/// interrupts: the values in their frames that would do so are lost. An acknowledgement for which no interrupt is in service has no
/// effect (Intel SDM, volume 3A, 12.8.5).
///
/// # Safety
/// Interrupts have been off since the last of these handlers stopped, and no frame of any of them goes on or is unwound.
pub unsafe fn leave_handlers(depth: u32) {
    for _ in depth..interrupt_depth() {
        // SAFETY: the handler is over, and its own acknowledgement is lost with its frame.
        unsafe { hooks::END_OF_INTERRUPT.get()() };
    }
    // SAFETY: the caller's promise.
    unsafe { set_interrupt_depth(depth) };
}

fn maskable(vector: u8, interrupted: &mut Interrupted<'_>) {
    {
        let _depth = Depth::enter();
        let _acknowledge = (vector != vectors::SPURIOUS).then_some(Acknowledge);
        interrupt::handle(vector, interrupted);
    }
    // At depth zero this runs as a part of the interrupted task, which goes on from here when it runs again.
    preempt_if_pending();
}

fn non_maskable(interrupted: &mut Interrupted<'_>) {
    let _depth = Depth::enter();
    hooks::NMI.get()(interrupted);
}

fn exception(interrupted: &mut Interrupted<'_>) {
    let _depth = Depth::enter();
    hooks::EXCEPTION.get()(interrupted);
}

/// Gives the next exception a fresh part of the fault stack while this one is handled on it.
fn exception_on_fault_stack(interrupted: &mut Interrupted<'_>) {
    // SAFETY: the gates of these exceptions switch interrupts off and switch to the fault stack.
    let level = unsafe { Level::enter() };
    if level.is_last() {
        give_up(interrupted.registers(), "exceptions nest too deeply");
    }
    exception(interrupted);
}

pub(crate) fn give_up(registers: &SavedRegisters, why: &str) -> ! {
    let name = vectors::exception_name(vector_of(registers));
    log::error!("{name}, and {why}");
    log::error!("{registers}");
    hooks::LAST_RESORT.get()(registers)
}

/// Stops this CPU for good.
pub(crate) fn halt() -> ! {
    loop {
        interrupts::disable();
        hlt();
    }
}
