//! Packing loses nothing; a list is checked entry by entry; a wrong policy harms no task.
use super::*;

fn slot(task: usize) -> Slot {
    Slot::new(task).unwrap()
}

fn entry(task: usize, cpu: u32) -> PolicyEntry {
    PolicyEntry::new(slot(task), Priority::NORMAL).on(cpu)
}

#[test]
fn packing_is_lossless() {
    for (task, base, inherited, cpu) in [(0, 0, 0, 0), (MAX_TASKS - 1, 31, 7, 31), (77, 12, 31, 5)] {
        let (base, inherited) = (Priority::new(base).unwrap(), Priority::new(inherited).unwrap());
        let entry = PolicyEntry::new(slot(task), base).inheriting(inherited).on(cpu);
        let parts = |entry: PolicyEntry| (entry.task(), entry.base(), entry.inherited(), entry.cpu());
        assert_eq!(parts(entry), (slot(task), base, inherited, cpu as usize));
        assert_eq!(PolicyEntry::from_word(entry.word()), Some(entry));
        let elsewhere = entry.on(3).inheriting(Priority::LOWEST);
        assert_eq!(parts(elsewhere), (slot(task), base, Priority::LOWEST, 3));
    }
    assert_eq!(PolicyEntry::from_word(0), None);
}

#[test]
fn priorities_end_at_31() {
    assert!(Priority::new(32).is_none());
    assert_eq!(Priority::new(31), Some(Priority::HIGHEST));
}

#[test]
fn a_bad_list_is_refused_with_its_reason() {
    assert_eq!(check(&[entry(1, 0)], 3), Err(ImportError::NotEmpty { tasks: 3 }));
    assert_eq!(check(&[entry(1, 0), entry(1, 1)], 0), Err(ImportError::Duplicate { task: slot(1) }));
    assert_eq!(check(&[entry(1, 0), entry(2, 31)], 0), Ok(()));
}

/// Says that the same task is next, in every state.
struct Stubborn;

impl Policy for Stubborn {
    const NAME: &'static str = "stubborn";
    const EMPTY: Self = Self;

    fn insert(&mut self, _: &Links, _: PolicyEntry, _: Arrival) {}

    fn take_next(&mut self, _: &Links) -> Option<Slot> {
        Slot::new(7)
    }

    fn remove(&mut self, _: &Links, _: PolicyEntry) {}

    fn waiting<'a>(&'a self, _: &'a Links) -> impl Iterator<Item = Slot> {
        Slot::new(7).into_iter()
    }

    fn tick(&mut self, _: &Links, _: PolicyEntry) -> bool {
        false
    }

    fn preempts(_: PolicyEntry, _: PolicyEntry) -> bool {
        false
    }
}

#[test]
fn a_wrong_policy_gives_out_no_task_that_is_not_in_the_queue() {
    static QUEUES: Queues<Stubborn> = Queues::new();
    // SAFETY: this test alone uses the queues, from one thread.
    let (mut here, mut there, mut all) = unsafe { (QueueAccess::new(0), QueueAccess::new(1), AllQueues::new()) };
    let exported = |all: &mut AllQueues| {
        let mut entries = Vec::new();
        QUEUES.export_state(all, &mut entries);
        entries
    };
    assert_eq!(QUEUES.take_next(&mut here), None, "the task was never inserted");
    QUEUES.insert(&mut here, entry(7, 0), Arrival::New);
    assert_eq!(QUEUES.take_next(&mut there), None, "the task is in another queue");
    assert_eq!(QUEUES.take_for(&mut there, &|_| true), None, "the task is in another queue");
    assert_eq!(QUEUES.take_next(&mut here), Some(slot(7)));
    assert_eq!(QUEUES.take_next(&mut here), None, "the task was taken before");
    assert!(!QUEUES.remove(&mut here, slot(7)));
    QUEUES.insert(&mut here, entry(7, 0), Arrival::Woken);
    assert_eq!(exported(&mut all), [entry(7, 0)], "exporting ends");
}
