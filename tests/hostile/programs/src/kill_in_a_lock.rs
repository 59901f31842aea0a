//! Ends tasks of its own, again and again, while they lock, wait, send and receive.
//!
//! Ends: returns. Locks of ended tasks are poisoned and free; nothing waits for ever.

use alloc::sync::Arc;
use core::time::Duration;

use application::{Environment, Failure};
use condition_variable::ConditionVariable;
use mutex::{LockResult, Mutex, MutexGuard};

const ROUNDS: u32 = 40;

struct Shared {
    number: Mutex<u64>,
    changed: ConditionVariable,
}

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let shared = Arc::new(Shared { number: Mutex::new(0), changed: ConditionVariable::new() });
    let (sender, receiver) = async_channel::channel(2).map_err(Failure::refused)?;
    for round in 0..ROUNDS {
        let (in_task, sends, receives) = (Arc::clone(&shared), sender.clone(), receiver.clone());
        let worker = task::spawn("hostile_worker", move || {
            loop {
                let mut number = owned(in_task.number.lock());
                *number += 1;
                in_task.changed.notify_one();
                let deadline = clock::now() + Duration::from_micros(300);
                drop(in_task.changed.wait_until(number, deadline));
                let _full = sends.try_send(1_u64);
                let _empty = receives.try_receive();
            }
        })
        .map_err(Failure::refused)?;
        task::sleep(Duration::from_micros(u64::from(round) * 173 % 3000));
        worker.kill_capability().kill();
        crate::expect(worker.join().is_err(), "a task that was ended has returned")?;
        let free = shared.number.lock_until(clock::now() + Duration::from_secs(5));
        crate::expect(!matches!(free, Err(mutex::TryLockError::WouldBlock)), "the lock of an ended task is held")?;
    }
    crate::harmless(environment, format_args!("{ROUNDS} tasks were ended"))
}

fn owned(result: LockResult<MutexGuard<'_, u64>>) -> MutexGuard<'_, u64> {
    result.unwrap_or_else(mutex::Poisoned::into_inner)
}
