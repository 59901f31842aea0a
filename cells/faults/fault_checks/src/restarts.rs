//! Supervised tasks that fail.

use alloc::sync::Arc;
use alloc::vec;
use core::hint::black_box;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use fault_context::FaultKind;
use supervisor::{Child, ChildState, Group, Intensity, Restart, Strategy, supervise, withdraw};

use crate::{CheckError, equal, wait_until};

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

pub(crate) fn restarted() -> Result<(), CheckError> {
    let (child, starts) = unsteady("check: unsteady", 2);
    let begin = clock::now();
    let group = supervise(Group::of_one(child))?;
    let outcome = wait_until("the third start", || starts.load(Ordering::SeqCst) == 3);
    let pauses = begin.elapsed();
    withdraw(group);
    outcome?;
    // 50 ms before the first restart and 100 ms before the second.
    equal("the pauses were kept", u64::from(pauses >= Duration::from_millis(150)), 1)
}

pub(crate) fn given_up() -> Result<(), CheckError> {
    let (child, starts) = unsteady("check: hopeless", u64::MAX);
    let intensity = Intensity { restarts: 2, within: Duration::from_secs(60) };
    let group = supervise(Group { intensity, ..Group::of_one(child) })?;
    let is_given_up = || {
        let is_it = |name: &str| name == "check: hopeless";
        supervisor::children().iter().any(|child| is_it(child.name.as_str()) && child.state == ChildState::GivenUp)
    };
    let outcome = wait_until("the supervisor gives up", is_given_up);
    withdraw(group);
    outcome?;
    equal("starts", starts.load(Ordering::SeqCst), 3)
}

pub(crate) fn rest_for_one() -> Result<(), CheckError> {
    let (first, first_starts) = unsteady("check: first", 0);
    let (second, second_starts) = unsteady("check: second", 1);
    let (third, third_starts) = unsteady("check: third", 0);
    let group = supervise(Group {
        strategy: Strategy::RestForOne,
        intensity: Intensity::default(),
        children: vec![first, second.restart(Restart::Transient), third],
    })?;
    let starts = || [&first_starts, &second_starts, &third_starts].map(|starts| starts.load(Ordering::SeqCst));
    let outcome = wait_until("both restarts", || starts()[1] == 2 && starts()[2] >= 1);
    let settled = wait_until("the third runs", || {
        let runs = |child: &supervisor::ChildStatus| matches!(child.state, ChildState::Running(_));
        supervisor::children().iter().any(|child| child.name.as_str() == "check: third" && runs(child))
    });
    let [first, second, _] = starts();
    withdraw(group);
    outcome?;
    settled?;
    equal("starts of the first", first, 1)?;
    equal("starts of the second", second, 2)
}
