//! Supervised tasks that fail.

use alloc::sync::Arc;
use alloc::vec;
use core::hint::black_box;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;

use fault_context::FaultKind;
use self_check::{CheckError, Outcome, eventually, expect};
use supervisor::{Child, ChildState, Group, Intensity, Restart, SHORTEST_PAUSE, Strategy, supervise, withdraw};

/// Fails with a fault the first `failures` times, then waits.
fn unsteady(name: &str, failures: u64) -> (Child, Arc<AtomicU64>) {
    let starts = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&starts);
    let child = Child::new(name, move || {
        if counter.fetch_add(1, Ordering::SeqCst) < black_box(failures) {
            fault_injection::make(FaultKind::NullAccess);
        }
        loop {
            task::sleep(Duration::from_millis(10));
        }
    });
    (child, starts)
}

/// The supervisor's answer about a child: how often it was restarted, and after which pause the last time.
fn told(name: &str) -> Option<(u64, Duration)> {
    let child = supervisor::children().into_iter().find(|child| child.name.as_str() == name)?;
    matches!(child.state, ChildState::Running(_)).then_some((child.restarts, child.pause))
}

/// The pauses are those that the supervisor says it keeps: how long they last is the clock's affair.
pub(crate) fn restarted() -> Outcome {
    const NAME: &str = "check: unsteady";
    let (fails, starts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (failing, counter) = (Arc::clone(&fails), Arc::clone(&starts));
    let child = Child::new(NAME, move || {
        counter.fetch_add(1, Ordering::SeqCst);
        while !failing.swap(false, Ordering::SeqCst) {
            task::sleep(Duration::from_millis(2));
        }
        fault_injection::make(FaultKind::NullAccess);
    });
    let intensity = Intensity { restarts: 16, within: Duration::from_secs(1000) };
    let group = supervise(Group { intensity, ..Group::of_one(child) })?;
    let mut outcome = Ok(());
    let mut pauses = [Duration::ZERO; 4];
    for (restarts, pause) in (1..).zip(&mut pauses) {
        fails.store(true, Ordering::SeqCst);
        let again = || starts.load(Ordering::SeqCst) == restarts + 1 && told(NAME).is_some();
        outcome = outcome.and_then(|()| eventually("the next start", again));
        let (count, latest) = told(NAME).unwrap_or_default();
        outcome = outcome.and_then(|()| expect("restarts", count, restarts));
        *pause = latest;
    }
    withdraw(group);
    outcome?;
    let doubled = pauses[0] == SHORTEST_PAUSE && pauses.windows(2).all(|pair| pair[1] == 2 * pair[0]);
    expect("each pause is twice the one before", u64::from(doubled), 1)
}

/// The right to end any task does not extend to these. Faults can be made in them, and the work goes on under the same
/// number.
pub(crate) fn essential() -> Outcome {
    for name in ["reaper", "supervisor"] {
        let found = task::all().into_iter().find(|task| task.name().as_str() == name);
        let task = found.ok_or(CheckError::Missing("a task that the system cannot do without"))?;
        expect("there is no right to end it", u64::from(task_control::kill_capability(task.id()).is_err()), 1)?;
        for kind in fault_injection::INJECTABLE {
            let before = fault_log::count();
            fault_injection::inject(kind, task.id())?;
            eventually("the fault", || fault_log::count() > before)?;
            expect("it has not ended", u64::from(task.ended().is_none()), 1)?;
        }
    }
    // Both at work: one ends the task that does not end by itself, the other starts it anew.
    let (child, starts) = unsteady("check: after", 1);
    let group = supervise(Group::of_one(child))?;
    let outcome = eventually("the second start", || starts.load(Ordering::SeqCst) == 2);
    withdraw(group);
    outcome?;
    crate::delivery::kill_computing()
}

/// Whether the end of a [`Slow`] one may go on.
static MAY_END: AtomicBool = AtomicBool::new(false);

/// Takes its time to go.
struct Slow;

impl Drop for Slow {
    fn drop(&mut self) {
        while !MAY_END.load(Ordering::SeqCst) {
            task::sleep(Duration::from_millis(2));
        }
    }
}

thread_locals::thread_local! {
    static SLOW: Slow = Slow;
}

/// A child that has failed may be long in its destructors: the others are started anew meanwhile.
pub(crate) fn slow_to_end() -> Outcome {
    const NAME: &str = "check: slow";
    MAY_END.store(false, Ordering::SeqCst);
    let (fails, starts) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(0)));
    let (failing, counter) = (Arc::clone(&fails), Arc::clone(&starts));
    let slow = supervise(Group::of_one(Child::new(NAME, move || {
        counter.fetch_add(1, Ordering::SeqCst);
        SLOW.with(|_slow| ());
        if failing.swap(false, Ordering::SeqCst) {
            fault_injection::make(FaultKind::NullAccess);
        }
        loop {
            task::sleep(Duration::from_millis(2));
        }
    })))?;
    let failed = eventually("the first failure", || !fails.load(Ordering::SeqCst));
    let (child, other_starts) = unsteady("check: beside the slow one", 3);
    let other = supervise(Group::of_one(child))?;
    let outcome = failed.and_then(|()| eventually("three restarts", || other_starts.load(Ordering::SeqCst) == 4));
    let while_slow = starts.load(Ordering::SeqCst);
    MAY_END.store(true, Ordering::SeqCst);
    let outcome = outcome.and_then(|()| eventually("the slow one starts again", || starts.load(Ordering::SeqCst) == 2));
    withdraw(other);
    withdraw(slow);
    outcome?;
    expect("starts of the slow one until it could end", while_slow, 1)
}

pub(crate) fn given_up() -> Outcome {
    let (child, starts) = unsteady("check: hopeless", u64::MAX);
    let intensity = Intensity { restarts: 2, within: Duration::from_secs(60) };
    let group = supervise(Group { intensity, ..Group::of_one(child) })?;
    let is_given_up = || {
        let is_it = |name: &str| name == "check: hopeless";
        supervisor::children().iter().any(|child| is_it(child.name.as_str()) && child.state == ChildState::GivenUp)
    };
    let outcome = eventually("the supervisor gives up", is_given_up);
    withdraw(group);
    outcome?;
    expect("starts", starts.load(Ordering::SeqCst), 3)
}

pub(crate) fn rest_for_one() -> Outcome {
    let (first, first_starts) = unsteady("check: first", 0);
    let (second, second_starts) = unsteady("check: second", 1);
    let (third, third_starts) = unsteady("check: third", 0);
    let group = supervise(Group {
        strategy: Strategy::RestForOne,
        intensity: Intensity::default(),
        children: vec![first, second.restart(Restart::Transient), third],
    })?;
    let starts = || [&first_starts, &second_starts, &third_starts].map(|starts| starts.load(Ordering::SeqCst));
    let outcome = eventually("both restarts", || starts()[1] == 2 && starts()[2] >= 1);
    let settled = eventually("the third runs", || {
        let runs = |child: &supervisor::ChildStatus| matches!(child.state, ChildState::Running(_));
        supervisor::children().iter().any(|child| child.name.as_str() == "check: third" && runs(child))
    });
    let [first, second, _] = starts();
    withdraw(group);
    outcome?;
    settled?;
    expect("starts of the first", first, 1)?;
    expect("starts of the second", second, 2)
}
