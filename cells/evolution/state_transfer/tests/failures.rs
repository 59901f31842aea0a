//! Policies that fail in every way, and no task is lost.
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use policy_interface::{AllQueues, ImportError, PolicyEntry, Priority, Slot};
use state_transfer::{Catch, GivenBack, Import, Reason, StateTransfer};

/// Tasks, in order.
type Tasks = Vec<PolicyEntry>;

thread_local! {
    static OLD: RefCell<Tasks> = const { RefCell::new(Vec::new()) };
    static NEW: RefCell<Tasks> = const { RefCell::new(Vec::new()) };
    /// How many exports are still to fail.
    static FAILURES: RefCell<u32> = const { RefCell::new(0) };
}

struct Host;

impl Catch for Host {
    type Fault = ();

    fn catch<T>(&self, body: impl FnOnce() -> T) -> Result<T, ()> {
        catch_unwind(AssertUnwindSafe(body)).map_err(drop)
    }
}

fn entry(task: usize) -> PolicyEntry {
    PolicyEntry::new(Slot::new(task).unwrap(), Priority::NORMAL)
}

fn export_state(_: &mut AllQueues, entries: &mut Tasks) {
    let fails = FAILURES.with_borrow_mut(|left| std::mem::replace(left, left.saturating_sub(1)) > 0);
    OLD.with_borrow_mut(|tasks| {
        let given = if fails { tasks.len() / 2 } else { tasks.len() };
        entries.extend(tasks.drain(..given));
    });
    assert!(!fails, "told to fail half way");
}

fn take(policy: &RefCell<Tasks>, entries: Tasks) -> Result<(), (ImportError, Tasks)> {
    let tasks = policy.borrow().len();
    if tasks != 0 {
        return Err((ImportError::NotEmpty { tasks }, entries));
    }
    *policy.borrow_mut() = entries;
    Ok(())
}

fn give_back(_: &mut AllQueues, entries: Tasks) -> Result<(), (ImportError, Tasks)> {
    OLD.with(|policy| take(policy, entries))
}

fn import_state(_: &mut AllQueues, entries: Tasks) -> Result<(), (ImportError, Tasks)> {
    NEW.with(|policy| take(policy, entries))
}

fn refuse(_: &mut AllQueues, mut entries: Tasks) -> Result<(), (ImportError, Tasks)> {
    // It need not be honest.
    entries.pop();
    Err((ImportError::Insufficient, entries))
}

fn panic_at_once(_: &mut AllQueues, _: Tasks) -> Result<(), (ImportError, Tasks)> {
    panic!("told to panic")
}

/// Its static is that of the old policy, and it dies when it has put half of the tasks there.
fn panic_half_way(_: &mut AllQueues, entries: Tasks) -> Result<(), (ImportError, Tasks)> {
    OLD.with_borrow_mut(|tasks| tasks.extend(&entries[..entries.len() / 2]));
    panic!("told to panic half way")
}

/// The result of a state transfer of four tasks that the old policy has, and the tasks that each policy has then.
fn outcome(import_state: Import, failures: u32) -> (Result<(), GivenBack<()>>, Vec<usize>, Vec<usize>) {
    OLD.set((0..4).map(entry).collect());
    NEW.set(Vec::new());
    FAILURES.set(failures);
    let mut state_transfer = StateTransfer::new(export_state, give_back, import_state);
    state_transfer.prepare().unwrap();
    let result = {
        // SAFETY: the queues of this test are thread locals.
        let mut queues = unsafe { AllQueues::new() };
        state_transfer.carry_out(&mut queues, &Host)
    };
    let numbers = |tasks: &RefCell<Tasks>| tasks.borrow().iter().map(|entry| entry.task().index()).collect();
    (result, OLD.with(numbers), NEW.with(numbers))
}

const ALL: [usize; 4] = [0, 1, 2, 3];

#[test]
fn tasks_go_to_the_new_policy_in_order() {
    assert_eq!(outcome(import_state, 0), (Ok(()), vec![], ALL.to_vec()));
}

#[test]
fn refused_tasks_are_with_the_old_policy_whatever_list_comes_back() {
    let reason = Reason::Refused(ImportError::Insufficient);
    assert_eq!(outcome(refuse, 0), (Err(GivenBack { reason, lost: 0 }), ALL.to_vec(), vec![]));
}

#[test]
fn tasks_survive_a_new_policy_that_panics() {
    for import_state in [panic_at_once as Import, panic_half_way] {
        let reason = Reason::Import(());
        assert_eq!(outcome(import_state, 0), (Err(GivenBack { reason, lost: 0 }), ALL.to_vec(), vec![]));
    }
}

#[test]
fn tasks_survive_an_old_policy_that_panics_half_way() {
    let reason = Reason::Export(());
    assert_eq!(outcome(import_state, 1), (Err(GivenBack { reason, lost: 0 }), ALL.to_vec(), vec![]));
}

#[test]
fn what_an_old_policy_does_not_take_back_is_counted() {
    // It gives up half, fails, gives up half of the rest, and fails again: it is not empty.
    let (result, old, _) = outcome(import_state, 2);
    assert_eq!(result, Err(GivenBack { reason: Reason::Export(()), lost: 3 }));
    assert_eq!(old, [3]);
}
