//! From the common entry to the handler, and what is done around each.

use core::mem::transmute;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU64, Ordering};
use core::{error, fmt};

use cpu_local::{MAX_CPUS, cpu_id, interrupt_depth, preempt_if_pending, set_interrupt_depth};
use registers::SavedRegisters;
use x86_64::instructions::{hlt, interrupts};

use crate::tables::{FAULT_LEVELS, move_fault_stack};
use crate::vectors;

/// Handles an interrupt: with interrupts off, on the stack of whatever it interrupted. It must be short, must not
/// block and must not wait for a lock that code with interrupts on can hold.
pub type Handler = fn(&mut SavedRegisters);

/// A place for a function, empty at first.
struct Hook(AtomicPtr<()>);

impl Hook {
    const fn empty() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    fn set(&self, hook: *mut ()) {
        self.0.store(hook, Ordering::Release);
    }

    fn handler(&self) -> Option<Handler> {
        let hook = self.0.load(Ordering::Acquire);
        // SAFETY: only `Handler`s are stored in the hooks that this is called on.
        (!hook.is_null()).then(|| unsafe { transmute::<*mut (), Handler>(hook) })
    }
}

static HANDLERS: [Hook; 256] = [const { Hook::empty() }; 256];
static EXCEPTION: Hook = Hook::empty();
static NMI: Hook = Hook::empty();
static END_OF_INTERRUPT: Hook = Hook::empty();
static LAST_RESORT: Hook = Hook::empty();
static HANDLED: [AtomicU64; MAX_CPUS] = [const { AtomicU64::new(0) }; MAX_CPUS];
/// Exceptions that each CPU is handling on its fault stack.
static FAULT_LEVEL: [AtomicU8; MAX_CPUS] = [const { AtomicU8::new(0) }; MAX_CPUS];

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

/// Has `handler` called for each interrupt by `vector`, on whichever CPU it comes. The interrupt is acknowledged
/// after the handler returns.
pub fn register(vector: u8, handler: Handler) -> Result<(), RegisterError> {
    if !vectors::is_registrable(vector) {
        return Err(RegisterError::Reserved(vector));
    }
    HANDLERS[usize::from(vector)]
        .0
        .compare_exchange(ptr::null_mut(), handler as *mut (), Ordering::AcqRel, Ordering::Relaxed)
        .map(drop)
        .map_err(|_| RegisterError::Taken(vector))
}

/// Takes the handler of `vector` away. A CPU that is calling it finishes the call.
pub fn unregister(vector: u8) {
    HANDLERS[usize::from(vector)].set(ptr::null_mut());
}

/// Sets what handles all exceptions but NMI. It runs on an emergency stack and must return soon; what it makes of
/// the registers is how the CPU goes on.
pub fn set_exception_hook(hook: Handler) {
    EXCEPTION.set(hook as *mut ());
}

/// Sets what handles NMIs. It may come between any two instructions, so it takes no lock.
pub fn set_nmi_hook(hook: Handler) {
    NMI.set(hook as *mut ());
}

/// Sets how an interrupt is acknowledged: for the local APIC's driver.
pub fn set_end_of_interrupt_hook(hook: fn()) {
    END_OF_INTERRUPT.set(hook as *mut ());
}

/// Sets what ends the system when exceptions nest too deeply or have no hook: it should log and reboot.
pub fn set_last_resort_hook(hook: fn(&SavedRegisters) -> !) {
    LAST_RESORT.set(hook as *mut ());
}

/// How many interrupts and exceptions a CPU has handled since boot.
pub fn handled(cpu: cpu_local::CpuId) -> u64 {
    HANDLED[cpu.index()].load(Ordering::Relaxed)
}

/// Where the common entry comes to. `registers` are those on the stack, from which the entry goes on afterwards.
///
/// # Safety
/// Only the common entry calls this.
pub(crate) unsafe extern "C-unwind" fn dispatch(registers: *mut SavedRegisters) {
    // SAFETY: the entry passes the registers that it has pushed, and does not touch them until this returns.
    let registers = unsafe { &mut *registers };
    let vector = vector_of(registers);
    let count = &HANDLED[cpu_id().index()];
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
        let hook = END_OF_INTERRUPT.0.load(Ordering::Acquire);
        if !hook.is_null() {
            // SAFETY: only `set_end_of_interrupt_hook` stores here, and it stores a `fn()`.
            unsafe { transmute::<*mut (), fn()>(hook)() };
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
    if let Some(hook) = NMI.handler() {
        hook(registers);
    }
}

fn exception(registers: &mut SavedRegisters) {
    let _depth = Depth::enter();
    match EXCEPTION.handler() {
        Some(hook) => hook(registers),
        None => give_up(registers, "nobody handles exceptions yet"),
    }
}

/// Gives the next exception a fresh part of the fault stack while this one is handled on it.
fn exception_on_fault_stack(registers: &mut SavedRegisters) {
    struct Level(cpu_local::CpuId);

    impl Drop for Level {
        fn drop(&mut self) {
            FAULT_LEVEL[self.0.index()].fetch_sub(1, Ordering::Relaxed);
            // SAFETY: takes back the move below.
            unsafe { move_fault_stack(self.0, 1) };
        }
    }

    let cpu = cpu_id();
    let before = FAULT_LEVEL[cpu.index()].fetch_add(1, Ordering::Relaxed);
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
    let hook = LAST_RESORT.0.load(Ordering::Acquire);
    if !hook.is_null() {
        // SAFETY: only `set_last_resort_hook` stores here, and it stores this type.
        unsafe { transmute::<*mut (), fn(&SavedRegisters) -> !>(hook)(registers) };
    }
    loop {
        interrupts::disable();
        hlt();
    }
}
