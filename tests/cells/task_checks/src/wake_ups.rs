//! Wake-ups for a task that ends before it has made use of them: the next task in the queue is to have them.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use core::time::Duration;

use condition_variable::ConditionVariable;
use mutex::Mutex;
use self_check::{CheckError, Outcome, eventually, expect, holds};
use task::{Ended, Joinable, State};
use wait_queue::{WaitQueue, wait_for};

use crate::locks::POISONED;

/// How often a wake-up and a kill are sent at the same time.
const ROUNDS: u32 = 100;
/// How long a try takes that a check wants to disturb.
const LONG_TRY: Duration = Duration::from_millis(20);

/// Tokens to be waited for, each for one task.
#[derive(Default)]
struct Tokens {
    left: AtomicU32,
    queue: WaitQueue,
}

impl Tokens {
    fn give(&self) {
        self.left.fetch_add(1, Ordering::SeqCst);
        self.queue.wake_one();
    }

    fn try_take(&self) -> Option<()> {
        self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).ok().map(drop)
    }
}

/// Waits until the task waits for something that is not a lock.
fn waits<T>(task: &Joinable<T>) -> Outcome {
    let task = task.observe();
    eventually("the task waits", || task.state() == State::Blocked && task.waits_for().is_none())
}

/// A task that waits for a token, and after its first try in vain does `then` instead of taking one.
fn waiter(tokens: &Arc<Tokens>, then: fn(&Tokens) -> Option<()>) -> Result<Joinable<()>, CheckError> {
    let tokens = Arc::clone(tokens);
    let task = task::spawn("waits", move || {
        let mut is_first_try = true;
        wait_for(&tokens.queue, || if core::mem::take(&mut is_first_try) { tokens.try_take() } else { then(&tokens) });
    })?;
    match waits(&task) {
        Ok(()) => Ok(task),
        Err(error) => {
            task.kill_capability().kill();
            task.detach();
            Err(error)
        }
    }
}

/// The result of a task that must end by itself soon; if it does not it is ended.
fn in_time<T>(task: Joinable<T>) -> Result<Result<T, Ended>, CheckError> {
    let outcome = eventually("the end of a task whose turn it is", || task.has_ended());
    if outcome.is_err() {
        task.kill_capability().kill();
    }
    let end = task.join();
    outcome.map(|()| end)
}

pub(crate) fn panic_passes_on() -> Outcome {
    let tokens = Arc::new(Tokens::default());
    let first = waiter(&tokens, |_| panic!("woken, and panics, as the check wants it"))?;
    let second = waiter(&tokens, Tokens::try_take);
    tokens.give();
    holds("the first panicked", matches!(in_time(first)?, Err(Ended::Panicked(_))))?;
    holds("the second has the token", in_time(second?)?.is_ok())
}

/// Tries for long. A kill that comes meanwhile takes effect after the try.
fn try_for_long(tokens: &Tokens) -> Option<()> {
    TRIES.store(true, Ordering::SeqCst);
    let end = clock::now() + LONG_TRY;
    while clock::now() < end {
        core::hint::spin_loop();
    }
    tokens.try_take()
}

static TRIES: AtomicBool = AtomicBool::new(false);

pub(crate) fn woken_tries_once() -> Outcome {
    TRIES.store(false, Ordering::SeqCst);
    let tokens = Arc::new(Tokens::default());
    let task = waiter(&tokens, try_for_long)?;
    tokens.give();
    let outcome = eventually("the task tries again", || TRIES.load(Ordering::SeqCst));
    task.kill_capability().kill_within(Duration::ZERO);
    let end = task.join();
    outcome?;
    holds("the task returned or was killed", end.is_ok() || end == Err(Ended::Killed))?;
    expect("tokens left", tokens.left.load(Ordering::SeqCst).into(), 0)
}

/// The first is notified, and killed while it waits for the mutex.
pub(crate) fn notification_is_passed_on() -> Outcome {
    let shared = Arc::new((Mutex::new(0u32), ConditionVariable::new()));
    let wait = || {
        let shared = Arc::clone(&shared);
        task::spawn("waits", move || {
            let guard = shared.0.lock().map_err(drop)?;
            let mut value = shared.1.wait_while(guard, |value| *value == 0).map_err(drop)?;
            *value -= 1;
            Ok::<(), ()>(())
        })
    };
    let first = wait()?;
    let mut outcome = waits(&first);
    let second = wait()?;
    outcome = outcome.and_then(|()| waits(&second));
    let mut guard = shared.0.lock().map_err(|_| POISONED)?;
    *guard = 1;
    shared.1.notify_one();
    let is_next = || first.observe().waits_for().is_some();
    outcome = outcome.and_then(|()| eventually("the first waits for the mutex", is_next));
    first.kill_capability().kill();
    let killed = first.join();
    drop(guard);
    let end = in_time(second)?;
    outcome?;
    holds("the first was killed", killed == Err(Ended::Killed))?;
    holds("the second was notified", end == Ok(Ok(())))
}

/// One message, two receivers, and the first receiver in the queue is killed at the same time: the message is received.
pub(crate) fn message_finds_a_receiver() -> Outcome {
    for _ in 0..ROUNDS {
        let (sender, receiver) = async_channel::channel::<u32>(1)?;
        let (first, second) = (receiver.clone(), receiver);
        let first = task::spawn("receives", move || first.receive())?;
        let mut outcome = waits(&first);
        let second = task::spawn("receives", move || second.receive())?;
        outcome = outcome.and_then(|()| waits(&second));
        let is_sent = sender.send(7).is_ok();
        first.kill_capability().kill_within(Duration::ZERO);
        let had = first.join() == Ok(Ok(7));
        // One that is killed with the message in its hands takes it along.
        outcome = outcome.and_then(|()| eventually("somebody receives the message", || sender.is_empty()));
        drop(sender);
        let has = second.join() == Ok(Ok(7));
        outcome?;
        holds("the message was sent", is_sent)?;
        holds("not both have it", !(had && has))?;
    }
    Ok(())
}
