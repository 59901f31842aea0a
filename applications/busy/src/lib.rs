//! `busy [SECONDS]` keeps a processor busy: load for measurements, and a task to make a fault in. When it is unwound it
//! says so, which shows that destructors run. `busy aside` has a task `busy_aside` do that and ends: that task goes on in the
//! application's code. `busy locked` holds a lock while it works, so that a fault meets a task that holds one.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};
use core::hint::black_box;
use core::time::Duration;
use mutex::Mutex;

/// The work between two looks at the clock: well under a tick of the timer.
const ROUND: u32 = 20_000;

/// The work between two moments in which the lock is free: so much that those are hardly ever met.
const LOCKED_ROUND: u32 = 50_000_000;

/// The lock that `busy locked` holds.
static WORK: Mutex<()> = Mutex::new(());

/// How long a task without a joiner works, if it is not ended.
const LONG: Duration = Duration::from_secs(600);

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let seconds = match &*environment.arguments() {
        [] => 10,
        [word] if word == "aside" => return aside(),
        [word] if word == "locked" => {
            locked();
            return Ok(());
        }
        [seconds] => seconds.parse::<u32>().map_err(|_| manual::BUSY.usage)?,
        _ => return Err(manual::BUSY.usage.into()),
    };
    let started = clock::since_boot();
    let mut work = Work { environment, rounds: 0, done: false };
    while clock::since_boot().saturating_sub(started) < Duration::from_secs(seconds.into()) {
        work_a_round();
        work.rounds += 1;
    }
    work.done = true;
    let rounds = work.rounds;
    drop(work);
    Ok(writeln!(environment, "busy: {rounds} rounds")?)
}

/// Has a task work that has no joiner.
fn aside() -> Result<(), Failure> {
    let until = clock::now() + LONG;
    let work = move || {
        while clock::now() < until {
            work_a_round();
        }
    };
    task::spawn("busy_aside", work).map_err(Failure::refused)?.detach();
    Ok(())
}

/// Works with a lock held. It ends between two holds of the lock, or by a fault.
fn locked() {
    let until = clock::now() + LONG;
    while clock::now() < until {
        hold_and_work();
        task::cancellation_point();
    }
}

/// The lock is held by the very function that computes: a fault there loses its guard with its frame.
#[inline(never)]
fn hold_and_work() {
    let held = WORK.lock();
    for step in 0..LOCKED_ROUND {
        black_box(step);
    }
    drop(held);
}

fn work_a_round() {
    for step in 0..ROUND {
        black_box(step);
    }
    task::cancellation_point();
}

/// Work that notices when it is not finished.
struct Work<'a> {
    environment: &'a mut Environment,
    rounds: u64,
    done: bool,
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        if !self.done {
            // No reader is left to be told of a failure.
            let _ = writeln!(self.environment, "busy: left off after {} rounds", self.rounds);
        }
    }
}
