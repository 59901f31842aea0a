//! Taking over work from other CPUs.

use cpu_local::{CpuId, InterruptGuard};

use policy_interface::Arrival;

use crate::queues;

/// How many more ready tasks another CPU must have before one of them moves: a difference of one would only swap
/// the roles.
const WORTH_MOVING: usize = 2;

/// An idle CPU takes a ready task from the CPU that has most. Whether it found one.
pub(crate) fn steal(here: CpuId, irq_off: &InterruptGuard) -> bool {
    take_over(here, 1, irq_off)
}

/// Takes a ready task over if another CPU has noticeably more. Whether one moved.
pub fn balance() -> bool {
    let irq_off = InterruptGuard::new();
    let here = cpu_local::cpu_id();
    take_over(here, queues::length(here) + WORTH_MOVING, &irq_off)
}

/// Moves one task here from the CPU with most ready tasks, if it has at least `least`.
fn take_over(here: CpuId, least: usize, irq_off: &InterruptGuard) -> bool {
    let others = queues::online().without(here);
    let busiest = others.iter().max_by_key(|cpu| queues::length(*cpu));
    let Some(busiest) = busiest.filter(|cpu| queues::length(*cpu) >= least) else { return false };
    let may_come = |slot| {
        // SAFETY: `Queues` asks about tasks in the queue that is locked around this call.
        let task = unsafe { task_core::by_slot(slot) };
        !task.is_busy() && task.affinity().contains(here)
    };
    let Some(slot) = queues::lock(busiest, irq_off).take_for(&may_come) else { return false };
    // Between the two locks the task belongs to this CPU, which cannot be interrupted here.
    // SAFETY: taken out of a run queue, the task is this CPU's to run or to queue.
    let task = unsafe { task_core::by_slot(slot) };
    queues::lock(here, irq_off).insert(task.policy_entry(here), Arrival::Moved);
    true
}
