//! Giving up the CPU.

use core::arch::asm;
use core::sync::atomic::{AtomicPtr, Ordering};

use cpu_local::{CpuId, InterruptGuard, MAX_CPUS, PerCpu};
use hook::Hook;
use policy_interface::Arrival;
use task_core::{BlockCap, Current, SpawnCap, Task};

use crate::{FAULT, SCHEDULE, queues};

/// For each CPU the task that it runs when there is nothing to do.
static IDLE_TASKS: PerCpu<AtomicPtr<Task>> = PerCpu::new([const { AtomicPtr::new(core::ptr::null_mut()) }; MAX_CPUS]);

pub(crate) fn set_idle_task(cpu: CpuId, task: &'static Task) {
    IDLE_TASKS[cpu].store(core::ptr::from_ref(task).cast_mut(), Ordering::Release);
}

#[inline]
fn idle_task(cpu: CpuId) -> &'static Task {
    // SAFETY: set before the CPU runs its first task, to a task that never ends.
    unsafe { &*IDLE_TASKS[cpu].load(Ordering::Acquire) }
}

/// Panics where a task must not give up its CPU.
///
/// # Panics
/// A spin lock is held, interrupts are off for another reason, an interrupt is being handled, or there are no tasks yet.
#[track_caller]
pub fn assert_may_block() {
    drop(irq_off_to_block());
}

/// Turns interrupts off, for a task that is about to give up its CPU.
///
/// # Panics
/// As [`assert_may_block`].
#[inline]
#[track_caller]
pub fn begin_to_block(_right: BlockCap) -> InterruptGuard {
    irq_off_to_block()
}

#[inline]
#[track_caller]
fn irq_off_to_block() -> InterruptGuard {
    let irq_off = InterruptGuard::new();
    if !irq_off.is_outermost() || !cpu_local::preemption_enabled() || cpu_local::current_task().is_null() {
        must_not_block(&irq_off);
    }
    irq_off
}

#[cold]
#[track_caller]
fn must_not_block(irq_off: &InterruptGuard) -> ! {
    panic!(
        "this must not block here: {} guards forbid it, {} interrupts are being handled, interrupts were {}",
        cpu_local::preempt_count(),
        cpu_local::interrupt_depth(),
        if irq_off.is_outermost() { "on" } else { "off" }
    );
}

/// Lets other ready tasks of this CPU run, as the policy decides. A cancellation point.
pub fn yield_now() {
    unwinder::cancellation_point();
    let irq_off = irq_off_to_block();
    if let Some(current) = task_core::current() {
        give_way(current, &irq_off);
    }
}

/// Is called on each CPU whenever its task is about to be preempted: a point at which the CPU holds no spin lock and
/// handles no interrupt. `stop_machine` stops the CPU there. The unset hook lets it go on.
pub static STOP_MACHINE: Hook<fn()> = Hook::new(|| {});

/// Lets `stop_machine` stop the CPU here.
pub(crate) fn answer_stop_machine() {
    STOP_MACHINE.get()();
}

/// The running task stays ready and lets the policy choose: the function for [`cpu_local::RESCHEDULE`].
///
/// # Safety
/// No guard forbids preemption, and the CPU handles no interrupt.
pub unsafe fn preempt() {
    // An idle task answers where it stands in no text of this cell but the shortest.
    if task_core::current().is_some_and(|current| !current.is_idle()) {
        answer_stop_machine();
    }
    let irq_off = InterruptGuard::new();
    cpu_local::take_reschedule_pending();
    if let Some(current) = task_core::current() {
        give_way(current, &irq_off);
    }
}

#[inline]
fn give_way(current: Current, irq_off: &InterruptGuard) {
    let cpu = cpu_local::cpu_id();
    if queues::length(cpu) == 0 {
        return;
    }
    let next = {
        let mut queue = queues::lock(cpu, irq_off);
        if !current.is_idle() {
            queue.insert(current.policy_entry(cpu), Arrival::Preempted);
        }
        let Some(slot) = queue.take_next() else { return };
        // SAFETY: `Queues` gives out tasks that were in the run queue. Taken out of it, the task is this CPU's to run.
        unsafe { task_core::by_slot(slot) }
    };
    current.with_record(|previous| to(previous, next, cpu));
}

/// Gives up the CPU after the running task has declared itself blocked ([`Task::block`]); returns when it was woken. Interrupts
/// have been off since before the declaration.
pub fn switch_away(_right: BlockCap, irq_off: &InterruptGuard) {
    leave(irq_off);
}

#[inline]
fn leave(irq_off: &InterruptGuard) {
    let Some(current) = task_core::current() else { return };
    let cpu = cpu_local::cpu_id();
    current.with_record(|previous| to(previous, next_or_idle(cpu, irq_off), cpu));
}

#[inline]
fn next_or_idle(cpu: CpuId, irq_off: &InterruptGuard) -> &'static Task {
    let next = queues::lock(cpu, irq_off).take_next();
    match next {
        // SAFETY: as in `give_way`.
        Some(slot) => unsafe { task_core::by_slot(slot) },
        None => idle_task(cpu),
    }
}

/// Leaves the running task for good: it has ended ([`Task::end`]), with interrupts off, and its stack may be taken
/// away as soon as it is no longer busy.
pub fn exit(_right: SpawnCap) -> ! {
    let irq_off = InterruptGuard::new();
    leave(&irq_off);
    // The state word keeps an ended task from being made ready.
    unreachable!("an ended task was switched to")
}

/// The register that FS-relative accesses start from.
const FS_BASE: u32 = 0xc000_0100;

/// Makes thread locals those below `address`.
///
/// # Safety
/// `address` is the thread pointer of the task that runs from now on.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the instruction takes the halves")]
unsafe fn set_thread_pointer(address: u64) {
    // SAFETY: the caller's promise; a thread pointer is canonical, being an address in use.
    unsafe {
        asm!("wrmsr", in("ecx") FS_BASE, in("eax") address as u32, in("edx") (address >> 32) as u32,
            options(nostack, preserves_flags));
    }
}

/// Switches from `previous`, which runs here, to `next`. Interrupts are off.
#[inline]
fn to(previous: &Task, next: &'static Task, cpu: CpuId) {
    if core::ptr::eq(previous, next) {
        return;
    }
    if previous.is_idle() {
        queues::clear_idle(cpu);
    }
    next.execution(SCHEDULE).enter(cpu);
    queues::set_running(cpu, next.policy_entry(cpu));
    let (save, busy) = previous.execution(SCHEDULE).switch_words();
    let (stack_pointer, _) = next.execution(SCHEDULE).switch_words();
    // SAFETY: `next` was taken out of a run queue or is this CPU's idle task, so no other CPU runs it or stands on
    // its stack (see the head of the crate), and the switch or `prepare` has left its stack pointer there. Its
    // record lives at least until it has ended and another task runs here, and so does that of `previous`.
    unsafe {
        let guards = cpu_local::interrupt_guards();
        cpu_local::set_current_task(core::ptr::from_ref(next).cast());
        fault_context::install(next.faults(FAULT));
        cpu_local::set_ledger(&next.faults(FAULT).ledger);
        set_thread_pointer(next.thread_pointer());
        context_switch::switch(save, stack_pointer.read(), busy);
        // These are this task's guards again, maybe on another CPU. A task that begins has none.
        cpu_local::set_interrupt_guards(guards);
    }
}

/// Begins with this CPU's idle task; what runs now is forgotten. Interrupts are off.
pub(crate) fn begin_idle(cpu: CpuId) -> ! {
    let idle = idle_task(cpu);
    idle.execution(SCHEDULE).enter(cpu);
    queues::set_running(cpu, idle.policy_entry(cpu));
    let (stack_pointer, _) = idle.execution(SCHEDULE).switch_words();
    let (mut save, mut busy) = (0, false);
    // SAFETY: the idle task is new and this CPU's own. The two words are those of a context to which no CPU returns; the last
    // store to them comes before the switch is complete.
    unsafe {
        cpu_local::set_current_task(core::ptr::from_ref(idle).cast());
        fault_context::install(idle.faults(FAULT));
        cpu_local::set_ledger(&idle.faults(FAULT).ledger);
        set_thread_pointer(idle.thread_pointer());
        // The count with which a CPU begins stood for what ends here.
        cpu_local::set_preempt_count(0);
        context_switch::switch(&mut save, stack_pointer.read(), &mut busy);
    }
    unreachable!("the context in which a CPU booted was switched to")
}
