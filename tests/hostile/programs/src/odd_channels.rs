//! Moves and drops the ends of channels in odd orders: an end sent through its own channel, an end dropped by a task that is
//! ended, both ends dropped while a task waits.
//!
//! Ends: returns. Each waiting task is told that the other end has gone.

use core::time::Duration;

use application::{Environment, Failure};

/// An end of a channel of ends.
struct End(#[expect(dead_code, reason = "it is only moved and dropped")] async_channel::Receiver<End>);

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    // The receiving end is in the channel, which holds itself: a leak of its own memory.
    let (sender, receiver) = async_channel::channel(1).map_err(Failure::refused)?;
    crate::expect(sender.try_send(End(receiver)).is_ok(), "a channel refused an end")?;
    drop(sender);
    let (sender, receiver) = rendezvous::channel::<u8>();
    let waiter = task::spawn("hostile_waiter", move || receiver.receive().is_err()).map_err(Failure::refused)?;
    task::sleep(Duration::from_millis(20));
    drop(sender);
    crate::expect(waiter.join().ok() == Some(true), "a receiver waits for an end that has gone")?;
    let (sender, receiver) = async_channel::channel::<u8>(1).map_err(Failure::refused)?;
    let holder = task::spawn("hostile_holder", move || {
        let _end = receiver;
        task::sleep(Duration::from_secs(600));
    })
    .map_err(Failure::refused)?;
    crate::expect(sender.try_send(1).is_ok() && sender.try_send(2).is_err(), "a channel took too much")?;
    let full = task::spawn("hostile_sender", move || sender.send(3).is_err()).map_err(Failure::refused)?;
    task::sleep(Duration::from_millis(20));
    holder.kill_capability().kill();
    crate::expect(holder.join().is_err(), "a sleeper was not ended")?;
    crate::expect(full.join().ok() == Some(true), "a sender waits for an end that has gone")?;
    crate::harmless(environment, "every waiting task was told")
}
