//! From the common entry to the handler, and what is done around each.

use core::mem::{self, transmute};
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU64, Ordering};
use core::{error, fmt};

use cpu_local::{MAX_CPUS, PerCpu, cpu_id, interrupt_depth, preempt_if_pending, set_interrupt_depth};
use registers::SavedRegisters;
use spin::Once;
use x86_64::instructions::{hlt, interrupts};

use crate::tables::{FAULT_LEVELS, move_fault_stack};
use crate::vectors;

/// Handles an interrupt: with interrupts off, on the stack of whatever it interrupted. It must be short, must not
/// block and must not wait for a lock that code with interrupts on can hold.
pub type Handler = fn(&mut SavedRegisters);

/// What handles the interrupts by a vector, if anything does.
struct Place(AtomicPtr<()>);

impl Place {
    const fn empty() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    fn handler(&self) -> Option<Handler> {
        let handler = self.0.load(Ordering::Acquire);
        // SAFETY: only `register` stores here, and it stores this type.
        (!handler.is_null()).then(|| unsafe { transmute::<*mut (), Handler>(handler) })
    }
}

static HANDLERS: [Place; 256] = [const { Place::empty() }; 256];
static EXCEPTION: Once<Handler> = Once::new();
static NMI: Once<Handler> = Once::new();
static END_OF_INTERRUPT: Once<fn()> = Once::new();
static LAST_RESORT: Once<fn(&SavedRegisters) -> !> = Once::new();
static HANDLED: PerCpu<AtomicU64> = PerCpu::new([const { AtomicU64::new(0) }; MAX_CPUS]);
/// Exceptions that each CPU is handling on its fault stack.
static FAULT_LEVEL: PerCpu<AtomicU8> = PerCpu::new([const { AtomicU8::new(0) }; MAX_CPUS]);

/// Why a handler was not registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegisterError {
    /// The vector belongs to the processor or has no entry.
    Reserved(u8),
    /// The vector has a handler.
    Taken(u8),
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reserved(vector) => write!(f, "vector {vector:#x} is not for devices or messages"),
            Self::Taken(vector) => write!(f, "vector {vector:#x} has a handler already"),
        }
    }
}

impl error::Error for RegisterError {}

/// The right to a vector. Nobody else can take its handler away; dropping it does.
#[derive(Debug)]
#[must_use = "the handler is taken away when this is dropped; `keep` leaves it there for good"]
pub struct Registration {
    vector: u8,
}

impl Registration {
    /// Leaves the handler where it is for as long as the system runs.
    pub fn keep(self) {
        mem::forget(self);
    }
}

impl Drop for Registration {
    /// A CPU that is calling the handler finishes the call.
    fn drop(&mut self) {
        HANDLERS[usize::from(self.vector)].0.store(ptr::null_mut(), Ordering::Release);
    }
}

/// Has `handler` called for each interrupt by `vector`, on whichever CPU it comes, until the registration is dropped. The
/// interrupt is acknowledged after the handler returns.
pub fn register(vector: u8, handler: Handler) -> Result<Registration, RegisterError> {
    if !vectors::is_registrable(vector) {
        return Err(RegisterError::Reserved(vector));
    }
    HANDLERS[usize::from(vector)]
        .0
        .compare_exchange(ptr::null_mut(), handler as *mut (), Ordering::AcqRel, Ordering::Relaxed)
        .map(|_free| Registration { vector })
        .map_err(|_| RegisterError::Taken(vector))
}

// The boot sets each of these once; nobody can replace them afterwards.

/// Sets what handles all exceptions but NMI. It runs on an emergency stack and must return soon; what it makes of
/// the registers is how the CPU goes on. The first hook stays.
pub fn set_exception_hook(hook: Handler) {
    EXCEPTION.call_once(|| hook);
}

/// Sets what handles NMIs. It may come between any two instructions, so it takes no lock. The first hook stays.
pub fn set_nmi_hook(hook: Handler) {
    NMI.call_once(|| hook);
}

/// Sets how an interrupt is acknowledged: for the local APIC's driver. The first hook stays.
pub fn set_end_of_interrupt_hook(hook: fn()) {
    END_OF_INTERRUPT.call_once(|| hook);
}

/// Sets what ends the system when exceptions nest too deeply or have no hook: it should log and reboot. The first hook stays.
pub fn set_last_resort_hook(hook: fn(&SavedRegisters) -> !) {
    LAST_RESORT.call_once(|| hook);
}

/// How many levels of a CPU's fault stack are in use: one for each exception that is being handled there.
pub fn fault_levels(cpu: cpu_local::CpuId) -> u8 {
    FAULT_LEVEL[cpu].load(Ordering::Relaxed)
}

/// Gives back the levels of this CPU's fault stack that handlers took which will not return, because they faulted or
/// panicked themselves.
///
/// # Safety
/// Interrupts are off, and the CPU neither stands on one of its emergency stacks nor returns to one.
pub unsafe fn leave_fault_stack() {
    let cpu = cpu_id();
    let levels = &FAULT_LEVEL[cpu];
    if levels.load(Ordering::Relaxed) != 0 {
        let levels = levels.swap(0, Ordering::Relaxed);
        // SAFETY: takes back the moves of the handlers that are gone.
        unsafe { move_fault_stack(cpu, levels.into()) };
    }
}

/// How many interrupts and exceptions a CPU has handled since boot.
pub fn handled(cpu: cpu_local::CpuId) -> u64 {
    HANDLED[cpu].load(Ordering::Relaxed)
}

/// Where the common entry comes to. `registers` are those on the stack, from which the entry goes on afterwards.
///
/// # Safety
/// Only the common entry calls this.
pub(crate) unsafe extern "C-unwind" fn dispatch(registers: *mut SavedRegisters) {
    // SAFETY: the entry passes the registers that it has pushed, and does not touch them until this returns.
    let registers = unsafe { &mut *registers };
    let vector = vector_of(registers);
    let count = &HANDLED[cpu_id()];
    count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    match vector {
        vectors::NMI => non_maskable(registers),
        vectors::DOUBLE_FAULT | vectors::MACHINE_CHECK => exception(registers),
        0..vectors::EXCEPTIONS => exception_on_fault_stack(registers),
        _ => interrupt(vector, registers),
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
        // SAFETY: takes back what `enter` added.
        unsafe { set_interrupt_depth(interrupt_depth().saturating_sub(1)) };
    }
}

/// Acknowledges an interrupt when dropped, also if its handler is unwound: the APIC would send no more otherwise.
struct Acknowledge;

impl Drop for Acknowledge {
    fn drop(&mut self) {
        if let Some(acknowledge) = END_OF_INTERRUPT.get() {
            acknowledge();
        }
    }
}

fn interrupt(vector: u8, registers: &mut SavedRegisters) {
    {
        let _depth = Depth::enter();
        let _acknowledge = (vector != vectors::SPURIOUS).then_some(Acknowledge);
        if let Some(handler) = HANDLERS[usize::from(vector)].handler() {
            handler(registers);
        }
    }
    // At depth zero this runs as a part of the interrupted task, which goes on from here when it runs again.
    preempt_if_pending();
}

fn non_maskable(registers: &mut SavedRegisters) {
    let _depth = Depth::enter();
    if let Some(hook) = NMI.get() {
        hook(registers);
    }
}

fn exception(registers: &mut SavedRegisters) {
    let _depth = Depth::enter();
    match EXCEPTION.get() {
        Some(hook) => hook(registers),
        None => give_up(registers, "nobody handles exceptions yet"),
    }
}

/// Gives the next exception a fresh part of the fault stack while this one is handled on it.
fn exception_on_fault_stack(registers: &mut SavedRegisters) {
    struct Level(cpu_local::CpuId);

    impl Drop for Level {
        fn drop(&mut self) {
            FAULT_LEVEL[self.0].fetch_sub(1, Ordering::Relaxed);
            // SAFETY: takes back the move below.
            unsafe { move_fault_stack(self.0, 1) };
        }
    }

    let cpu = cpu_id();
    let before = FAULT_LEVEL[cpu].fetch_add(1, Ordering::Relaxed);
    // SAFETY: this runs on the fault stack with interrupts off, and `Level` takes the move back.
    unsafe { move_fault_stack(cpu, -1) };
    let _level = Level(cpu);
    if before + 1 >= FAULT_LEVELS {
        give_up(registers, "exceptions nest too deeply");
    }
    exception(registers);
}

fn give_up(registers: &SavedRegisters, why: &str) -> ! {
    let name = vectors::exception_name(vector_of(registers));
    log::error!("{name}, and {why}");
    log::error!("{registers}");
    if let Some(hook) = LAST_RESORT.get() {
        hook(registers);
    }
    loop {
        interrupts::disable();
        hlt();
    }
}
