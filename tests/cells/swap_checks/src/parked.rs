//! A cell replaced under tasks that wait in it.

use async_channel::Receiver;
use self_check::{Outcome, eventually, expect, holds};
use task::{Joinable, State};

use crate::CELL;

/// More than there is room for, so that both sides wait again and again.
const MESSAGES: u64 = 100;

/// A receiver waits for the first message all the while.
pub(crate) fn receiver() -> Outcome {
    let (sender, receiver) = async_channel::channel(1)?;
    let child = task::spawn("receives", move || in_order(receiver))?;
    let outcome = replaced_under(&child);
    let sent = (0..MESSAGES).all(|number| sender.send(number).is_ok());
    drop(sender);
    let received = child.join()?;
    outcome?;
    holds("all was sent", sent)?;
    expect("messages that came once and in order", received, MESSAGES)
}

/// A sender waits for room all the while.
pub(crate) fn sender() -> Outcome {
    let (sender, receiver) = async_channel::channel(1)?;
    let child = task::spawn("sends", move || (0..MESSAGES).all(|number| sender.send(number).is_ok()))?;
    let outcome = replaced_under(&child);
    let received = in_order(receiver);
    let sent = child.join()?;
    outcome?;
    holds("all was sent", sent)?;
    expect("messages that came once and in order", received, MESSAGES)
}

/// Replaces the channel's cell while the task waits in it.
fn replaced_under<T>(task: &Joinable<T>) -> Outcome {
    waits(task)?;
    let report = evolution::reload(CELL)?;
    holds("it is the only cell that was replaced", matches!(&*report.changes, [change] if change.cell == CELL))?;
    waits(task)
}

/// Waits until the task waits for something that is not a lock.
fn waits<T>(task: &Joinable<T>) -> Outcome {
    let task = task.observe();
    eventually("the task waits", || task.state() == State::Blocked && task.waits_for().is_none())
}

/// How many messages come as they were sent, up to the first that does not.
#[expect(clippy::needless_pass_by_value, reason = "nobody is to send to it any more afterwards")]
fn in_order(receiver: Receiver<u64>) -> u64 {
    let mut expected = 0;
    while receiver.receive().is_ok_and(|number| number == expected) {
        expected += 1;
    }
    expected
}
