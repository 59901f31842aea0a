//! Making tasks ready, and choosing where.

use core::sync::atomic::{Ordering, fence};

use apic::ApicError;
use cpu_local::{CpuId, CpuSet, InterruptGuard};
use interrupts::{Interrupted, Registration};
use policy_interface::{Arrival, PolicyEntry};
use spin::Once;
use task_core::{InheritCap, SpawnCap, Task, Wake, WakeCap};

use crate::queues;

/// The message by which a CPU is asked to look at its run queue.
pub(crate) static RESCHEDULE: Once<Registration> = Once::new();
/// The message by which a CPU is asked to look at the orders for the task it runs.
pub(crate) static KILL: Once<Registration> = Once::new();

/// Wakes a blocked task. `false` if it is not blocked, or if another waker was faster. Any context may call this,
/// interrupt handlers too.
pub fn make_ready(right: WakeCap, task: &Task, why: Wake) -> bool {
    make_ready_irq_off(right, task, why, &InterruptGuard::new())
}

/// As [`make_ready`], where interrupts are off already.
#[inline]
pub fn make_ready_irq_off(right: WakeCap, task: &Task, why: Wake, irq_off: &InterruptGuard) -> bool {
    if !task.wake(right, why) {
        return false;
    }
    enqueue(task, wake_place(task), Arrival::Woken, irq_off);
    true
}

/// Puts a new task, which has been equipped, where there is room.
pub fn admit(_right: SpawnCap, task: &Task) {
    let irq_off = InterruptGuard::new();
    enqueue(task, least_loaded(task.affinity()), Arrival::New, &irq_off);
}

/// Where a woken task goes: a busy one to the CPU that is leaving it; else to where it last ran, if that CPU is idle
/// or the caller's own (its caches are warm and no CPU must be called); else to an idle CPU, if there is one.
fn wake_place(task: &Task) -> CpuId {
    let last = task.cpu();
    if task.is_busy() {
        return last;
    }
    let allowed = task.affinity();
    let idle = queues::idle().bits() & allowed.bits();
    if allowed.contains(last) && (last == cpu_local::cpu_id() || idle == 0 || CpuSet::from_bits(idle).contains(last)) {
        return last;
    }
    CpuSet::from_bits(idle).iter().next().unwrap_or_else(|| least_loaded(allowed))
}

fn least_loaded(allowed: CpuSet) -> CpuId {
    let online = CpuSet::from_bits(queues::online().bits() & allowed.bits());
    let here = cpu_local::cpu_id();
    let idle = queues::idle();
    let load = |cpu: &CpuId| queues::length(*cpu) + usize::from(!idle.contains(*cpu));
    let best = online.iter().min_by_key(load);
    match best {
        // Ties go to the CPU that is here: it needs no message.
        Some(best) if online.contains(here) && load(&here) == load(&best) => here,
        Some(best) => best,
        None => here,
    }
}

#[inline]
fn enqueue(task: &Task, cpu: CpuId, why: Arrival, irq_off: &InterruptGuard) {
    let (entry, backlog) = {
        let mut queue = queues::lock(cpu, irq_off);
        // The entry is made with the queue locked. A donor first changes what the task inherits and then looks for the task in
        // the queues: it finds the task here, or its change is in the entry.
        let entry = task.policy_entry(cpu);
        queue.insert(entry, why);
        (entry, queue.len() > 1)
    };
    notify(cpu, entry);
    if backlog {
        call_helper(task.affinity(), cpu);
    }
}

/// Has a CPU look at its queue if the new entry is a reason to.
#[inline]
fn notify(cpu: CpuId, entry: PolicyEntry) {
    if cpu == cpu_local::cpu_id() {
        if scheduling_policy::preempts(entry, queues::running(cpu)) || queues::idle().contains(cpu) {
            cpu_local::set_reschedule_pending();
        }
        return;
    }
    // First the queue, then the look at the idle CPUs: the counterpart of `idle::idle_turn` (docs/memory-order.md, 3).
    fence(Ordering::SeqCst);
    if queues::idle().contains(cpu) || scheduling_policy::preempts(entry, queues::running(cpu)) {
        call_or_log(cpu);
    }
}

/// Wakes one idle CPU that may take a task over from the queue of `cpu`.
#[cold]
fn call_helper(allowed: CpuSet, cpu: CpuId) {
    let helpers = CpuSet::from_bits(queues::idle().bits() & allowed.bits()).without(cpu);
    if let Some(helper) = helpers.without(cpu_local::cpu_id()).iter().next() {
        call_or_log(helper);
    }
}

/// Has another CPU look at its run queue.
///
/// # Errors
/// If the message cannot be sent; the CPU looks at its next tick.
pub fn call(cpu: CpuId) -> Result<(), ApicError> {
    RESCHEDULE.get().map_or(Ok(()), |message| apic::send_ipi(cpu, message))
}

fn call_or_log(cpu: CpuId) {
    note_sent(cpu, call(cpu));
}

/// If `task` runs, interrupts it, so that an order for it is carried out. Else that happens when it runs.
pub fn interrupt(_right: WakeCap, task: &Task) {
    if task.is_busy() {
        let cpu = task.cpu();
        note_sent(cpu, KILL.get().map_or(Ok(()), |message| apic::send_ipi(cpu, message)));
    }
}

/// A CPU that cannot be called looks at its next tick.
fn note_sent(cpu: CpuId, sent: Result<(), ApicError>) {
    if let Err(error) = sent {
        log::debug!("CPU {cpu} was not called: {error}");
    }
}

pub(crate) fn on_reschedule(_interrupted: &mut Interrupted<'_>) {
    refresh_running();
    cpu_local::set_reschedule_pending();
}

/// What a task inherits has changed: if it is in a run queue, it takes its new place there.
pub fn reprioritise(_right: InheritCap, task: &Task) {
    let irq_off = InterruptGuard::new();
    let last = task.cpu();
    // A ready task is in the queue of the CPU that its entry names, which need not be the one it last ran on.
    for cpu in core::iter::once(last).chain(queues::online().without(last).iter()) {
        let mut queue = queues::lock(cpu, &irq_off);
        if queue.remove(task.slot()) {
            // As in `enqueue`.
            let entry = task.policy_entry(cpu);
            queue.insert(entry, Arrival::Moved);
            drop(queue);
            notify(cpu, entry);
            return;
        }
    }
    // It runs, or is blocked: then its next entry says the new priority.
    if task.is_busy() {
        let cpu = task.cpu();
        if cpu == cpu_local::cpu_id() { refresh_running() } else { call_or_log(cpu) }
    }
}

/// Notes the present priority of the task that runs here. What a CPU runs is noted by that CPU alone: another one could be
/// late, and note a task that does not run there any more.
fn refresh_running() {
    if let Some(current) = task_core::current() {
        let cpu = cpu_local::cpu_id();
        queues::set_running(cpu, current.policy_entry(cpu));
    }
}
