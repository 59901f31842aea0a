//! Rendezvous and bounded channels.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use self_check::{CheckError, Outcome, eventually, expect, holds};
use task::Joinable;

pub(crate) fn rendezvous_meets() -> Outcome {
    let (sender, receiver) = rendezvous::channel::<u64>();
    let mut children = Vec::new();
    for part in 0..4 {
        let sender = sender.clone();
        children.push(task::spawn("sends", move || (0..100).all(|number| sender.send(part * 100 + number).is_ok()))?);
    }
    drop(sender);
    let (mut sum, mut count) = (0, 0);
    while let Ok(number) = receiver.receive() {
        sum += number;
        count += 1;
    }
    for child in children {
        holds("all was sent", child.join()?)?;
    }
    expect("messages", count, 400)?;
    expect("their sum", sum, 399 * 400 / 2)
}

pub(crate) fn rendezvous_disconnects() -> Outcome {
    let (sender, receiver) = rendezvous::channel::<u64>();
    let child = task::spawn("waits in vain", move || sender.send(9).is_err_and(|error| error.into_message() == 9))?;
    drop(receiver);
    holds("the message comes back", child.join()?)?;
    let (sender, receiver) = rendezvous::channel::<u64>();
    let child = task::spawn("waits in vain", move || receiver.receive().is_err())?;
    drop(sender);
    holds("the receiver is told", child.join()?)
}

pub(crate) fn rendezvous_gives_back() -> Outcome {
    let (sender, receiver) = rendezvous::channel::<u64>();
    let soon = clock::now() + Duration::from_millis(5);
    holds("nobody takes it", sender.send_until(3, soon).is_err_and(|error| error.into_message() == 3))?;
    holds("nothing is left on offer", receiver.try_receive().is_err())?;
    let counter = Arc::new(AtomicU64::new(0));
    let (sender, receiver) = rendezvous::channel::<Counted>();
    let message = Counted(Arc::clone(&counter));
    let child = task::spawn("is killed", move || drop(sender.send(message)))?;
    eventually("it waits", || child.observe().state() == task::State::Blocked)?;
    child.kill_capability().kill();
    holds("it was killed", child.join().is_err())?;
    expect("messages dropped", counter.load(Ordering::Relaxed), 1)?;
    holds("no sender is left", receiver.receive().is_err())
}

/// Counts how many were dropped.
struct Counted(Arc<AtomicU64>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

pub(crate) fn channel_keeps_order() -> Outcome {
    let (sender, receiver) = async_channel::channel::<u64>(3)?;
    let child = task::spawn("sends", move || (0..500).all(|number| sender.send(number).is_ok()))?;
    for number in 0..500 {
        expect("the next message", receiver.receive()?, number)?;
    }
    holds("all was sent", child.join()?)
}

pub(crate) fn channel_loses_nothing() -> Outcome {
    let (sender, receiver) = async_channel::channel::<u64>(7)?;
    let sum = Arc::new(AtomicU64::new(0));
    let mut children: Vec<Joinable<bool>> = Vec::new();
    for part in 0..3 {
        let sender = sender.clone();
        children.push(task::spawn("sends", move || (0..200).all(|number| sender.send(part * 200 + number).is_ok()))?);
        let (receiver, sum) = (receiver.clone(), Arc::clone(&sum));
        children.push(task::spawn("receives", move || {
            while let Ok(number) = receiver.receive() {
                sum.fetch_add(number, Ordering::Relaxed);
            }
            true
        })?);
    }
    drop((sender, receiver));
    for child in children {
        holds("all was sent", child.join()?)?;
    }
    expect("the sum", sum.load(Ordering::Relaxed), 599 * 600 / 2)
}

pub(crate) fn channel_disconnects() -> Outcome {
    let (sender, receiver) = async_channel::channel::<u8>(1)?;
    holds("there is room for one", sender.try_send(1).is_ok())?;
    holds("and for no more", sender.try_send(2).is_err_and(|error| error.into_message() == 2))?;
    drop(sender);
    expect("what is left", receiver.receive()?.into(), 1)?;
    holds("then it is over", receiver.receive().is_err())?;
    let (sender, receiver) = async_channel::channel::<u8>(1)?;
    holds("there is room for one", sender.try_send(1).is_ok())?;
    let child = task::spawn("waits in vain", move || sender.send(2).is_err())?;
    eventually("it waits", || child.observe().state() == task::State::Blocked)?;
    drop(receiver);
    holds("the sender is told", child.join()?)
}

pub(crate) fn channel_drops_the_rest() -> Outcome {
    let counter = Arc::new(AtomicU64::new(0));
    let (sender, receiver) = async_channel::channel::<Counted>(5)?;
    for _ in 0..4 {
        holds("there is room", sender.try_send(Counted(Arc::clone(&counter))).is_ok())?;
    }
    drop((sender, receiver));
    expect("messages dropped with the channel", counter.load(Ordering::Relaxed), 4)
}

/// A parked task that is made to return to its loop, over and over, still gets its message.
pub(crate) fn kick_is_harmless() -> Outcome {
    let (sender, receiver) = async_channel::channel::<u64>(1)?;
    let child = task::spawn("waits", move || receiver.receive().unwrap_or(0))?;
    let look = child.observe();
    let mut kicks = 0;
    for _ in 0..20 {
        eventually("it waits again", || look.state() == task::State::Blocked)?;
        kicks += u64::from(wait_queue::kick(&look));
    }
    let sent = sender.send(77);
    let received = child.join()?;
    sent.map_err(|_| CheckError::Not("the receiver is still there"))?;
    expect("what was received", received, 77)?;
    holds("it was kicked", kicks > 0)
}
