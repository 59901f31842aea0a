//! `traffic [SECONDS]` sends numbered messages through a bounded channel and says whether one was lost or came twice: a
//! client of the channel that is at work, or parked in it, while the channel is replaced.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::sync::Arc;
use application::{Environment, ExitCode, Failure};
use async_channel::{Receiver, Sender};
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use task::{Builder, Ended, Joinable, SpawnError};

/// Few, so that both ends wait for each other often.
const CAPACITY: usize = 4;

/// Why no traffic could be made.
enum TrafficError {
    Channel(async_channel::CreateError),
    Spawn(SpawnError),
    Ended(&'static str, Ended),
    Wrong(Count),
}

impl fmt::Display for TrafficError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(error) => write!(formatter, "no channel: {error}"),
            Self::Spawn(error) => write!(formatter, "no task: {error}"),
            Self::Ended(who, ended) => write!(formatter, "the {who} {ended}"),
            Self::Wrong(count) => write!(formatter, "the channel is not to be trusted: {count}"),
        }
    }
}

/// What arrived.
#[derive(Clone, Copy, Default)]
struct Count {
    received: u64,
    lost: u64,
    doubled: u64,
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} received, {} lost, {} doubled", self.received, self.lost, self.doubled)
    }
}

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let seconds = match &*environment.arguments() {
        [] => 5,
        [seconds] => seconds.parse::<u32>().map_err(|_| manual::TRAFFIC.usage)?,
        _ => return Err(manual::TRAFFIC.usage.into()),
    };
    let (sent, count) = exchange(Duration::from_secs(seconds.into())).map_err(Failure::refused)?;
    writeln!(environment, "{sent} sent, {count}")?;
    if count.received == sent && count.lost == 0 && count.doubled == 0 {
        Ok(())
    } else {
        Err(Failure::refused(TrafficError::Wrong(count)))
    }
}

fn exchange(time: Duration) -> Result<(u64, Count), TrafficError> {
    let (sender, receiver) = async_channel::channel(CAPACITY).map_err(TrafficError::Channel)?;
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let consumer = Partner::new("traffic-in", &stop, move || consume(&receiver))?;
    let producer = Partner::new("traffic-out", &stop, move || produce(&sender, &told))?;
    task::sleep(time);
    stop.store(true, Ordering::Release);
    let sent = producer.join().map_err(|ended| TrafficError::Ended("sender", ended))?;
    let count = consumer.join().map_err(|ended| TrafficError::Ended("receiver", ended))?;
    Ok((sent, count))
}

fn produce(sender: &Sender<u64>, stop: &AtomicBool) -> u64 {
    let mut sent = 0;
    while !stop.load(Ordering::Acquire) && sender.send(sent).is_ok() {
        sent += 1;
    }
    sent
}

fn consume(receiver: &Receiver<u64>) -> Count {
    let mut count = Count::default();
    let mut expected = 0;
    while let Ok(number) = receiver.receive() {
        count.received += 1;
        match number.checked_sub(expected) {
            Some(missing) => {
                count.lost += missing;
                expected = number + 1;
            }
            None => count.doubled += 1,
        }
    }
    count
}

/// A task that never outlives this application, whose code it runs: whoever drops it waits for its end.
struct Partner<T: Send + 'static> {
    task: Option<Joinable<T>>,
    stop: Arc<AtomicBool>,
}

impl<T: Send + 'static> Partner<T> {
    fn new(
        name: &str,
        stop: &Arc<AtomicBool>,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Self, TrafficError> {
        let task = Builder::new().name(name).spawn(body).map_err(TrafficError::Spawn)?;
        Ok(Self { task: Some(task), stop: Arc::clone(stop) })
    }

    fn join(mut self) -> Result<T, Ended> {
        match self.task.take() {
            Some(task) => task.join(),
            None => Err(Ended::Exited),
        }
    }
}

impl<T: Send + 'static> Drop for Partner<T> {
    fn drop(&mut self) {
        let Some(task) = self.task.take() else { return };
        self.stop.store(true, Ordering::Release);
        // Joining would be left at once by a task that is being ended itself.
        while !task.has_ended() {
            task::yield_now();
        }
        let _ = task.join();
    }
}
