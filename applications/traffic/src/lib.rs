//! `traffic [SECONDS]` sends numbered messages through a bounded channel and says whether one was lost or came twice: a
//! client of the channel that is at work, or parked in it, while the channel is replaced. It says so, too, if it is ended
//! before its time is over.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::sync::Arc;
use application::{Environment, ExitCode, Failure};
use async_channel::{Receiver, Sender};
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use task::{Builder, Ended, Joinable, SpawnError};

/// Few, so that both ends wait for each other often.
const CAPACITY: usize = 4;

/// Why no traffic could be made.
enum TrafficError {
    Channel(async_channel::CreateError),
    Spawn(SpawnError),
    Ended(&'static str, Ended),
    Wrong,
}

impl fmt::Display for TrafficError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(error) => write!(formatter, "no channel: {error}"),
            Self::Spawn(error) => write!(formatter, "no task: {error}"),
            Self::Ended(task, ended) => write!(formatter, "the {task} {ended}"),
            Self::Wrong => formatter.write_str("the channel is not to be trusted"),
        }
    }
}

/// The messages that were sent and those that arrived.
#[derive(Default)]
struct Totals {
    sent: AtomicU64,
    received: AtomicU64,
    lost: AtomicU64,
    doubled: AtomicU64,
}

impl Totals {
    /// Whether each message that was sent came once.
    fn are_whole(&self) -> bool {
        let [sent, received, lost, doubled] = self.numbers();
        received == sent && lost == 0 && doubled == 0
    }

    fn numbers(&self) -> [u64; 4] {
        [&self.sent, &self.received, &self.lost, &self.doubled].map(|number| number.load(Ordering::Relaxed))
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [sent, received, lost, doubled] = self.numbers();
        write!(formatter, "{sent} sent, {received} received, {lost} lost, {doubled} doubled")
    }
}

/// Tells the totals also if this task is ended before its time is over. Then both ends of the channel have ended before.
struct Report<'a> {
    environment: &'a mut Environment,
    totals: Arc<Totals>,
    done: bool,
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        if !self.done {
            // No stream is left that could tell of a failure.
            let _ = writeln!(self.environment, "{}", self.totals);
        }
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
    let totals = Arc::new(Totals::default());
    let mut report = Report { environment, totals: Arc::clone(&totals), done: false };
    exchange(Duration::from_secs(seconds.into()), &totals).map_err(Failure::refused)?;
    report.done = true;
    writeln!(report.environment, "{totals}")?;
    if totals.are_whole() { Ok(()) } else { Err(Failure::refused(TrafficError::Wrong)) }
}

fn exchange(time: Duration, totals: &Arc<Totals>) -> Result<(), TrafficError> {
    let (sender, receiver) = async_channel::channel(CAPACITY).map_err(TrafficError::Channel)?;
    let stop = Arc::new(AtomicBool::new(false));
    let (told, sent, received) = (Arc::clone(&stop), Arc::clone(totals), Arc::clone(totals));
    let consumer = Partner::new("traffic-in", &stop, move || consume(&receiver, &received))?;
    let producer = Partner::new("traffic-out", &stop, move || produce(&sender, &told, &sent))?;
    task::sleep(time);
    stop.store(true, Ordering::Release);
    producer.join().map_err(|ended| TrafficError::Ended("sender", ended))?;
    consumer.join().map_err(|ended| TrafficError::Ended("receiver", ended))
}

fn produce(sender: &Sender<u64>, stop: &AtomicBool, totals: &Totals) {
    let mut next = 0;
    while !stop.load(Ordering::Acquire) && sender.send(next).is_ok() {
        next += 1;
        totals.sent.store(next, Ordering::Relaxed);
    }
}

fn consume(receiver: &Receiver<u64>, totals: &Totals) {
    let mut expected = 0;
    while let Ok(number) = receiver.receive() {
        totals.received.fetch_add(1, Ordering::Relaxed);
        match number.checked_sub(expected) {
            Some(missing) => {
                totals.lost.fetch_add(missing, Ordering::Relaxed);
                expected = number + 1;
            }
            None => {
                totals.doubled.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// A task that never outlives this application, since it runs the application's code: dropping it waits for its end.
struct Partner {
    task: Option<Joinable<()>>,
    stop: Arc<AtomicBool>,
}

impl Partner {
    fn new(name: &str, stop: &Arc<AtomicBool>, body: impl FnOnce() + Send + 'static) -> Result<Self, TrafficError> {
        let task = Builder::new().name(name).spawn(body).map_err(TrafficError::Spawn)?;
        Ok(Self { task: Some(task), stop: Arc::clone(stop) })
    }

    fn join(mut self) -> Result<(), Ended> {
        match self.task.take() {
            Some(task) => task.join(),
            None => Err(Ended::Exited),
        }
    }
}

impl Drop for Partner {
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
