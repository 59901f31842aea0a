//! The queue agrees with a sorted list under any sequence of operations.
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn slot(index: usize) -> Slot {
    Slot::new(index).unwrap()
}

#[test]
fn a_full_table_pops_in_order() {
    let mut queue = Box::new(TimerQueue::new());
    for index in 0..MAX_TASKS {
        queue.set(slot(index), (index as u64 * 7919) % 4096);
    }
    assert_eq!(queue.len(), MAX_TASKS);
    for deadline in 0..MAX_TASKS as u64 {
        assert_eq!(queue.next_deadline(), Some(deadline));
        assert!(queue.pop_due(deadline).is_some());
        assert!(queue.pop_due(deadline).is_none());
    }
    assert!(queue.is_empty());
}

proptest! {
    #[test]
    fn agrees_with_a_map(steps in prop::collection::vec((0usize..3, 0usize..20, 0u64..50), 0..200)) {
        let mut queue = Box::new(TimerQueue::new());
        let mut model: BTreeMap<usize, u64> = BTreeMap::new();
        for (what, index, time) in steps {
            match what {
                0 => {
                    queue.set(slot(index), time);
                    model.insert(index, time);
                }
                1 => prop_assert_eq!(queue.cancel(slot(index)), model.remove(&index).is_some()),
                _ => match queue.pop_due(time) {
                    Some(task) => {
                        let earliest = model.values().min().copied();
                        let deadline = model.remove(&task.index());
                        prop_assert_eq!(deadline, earliest);
                        prop_assert!(deadline.is_some_and(|deadline| deadline <= time));
                    }
                    None => prop_assert!(model.values().all(|deadline| *deadline > time)),
                },
            }
            prop_assert_eq!(queue.next_deadline(), model.values().min().copied());
            prop_assert_eq!(queue.len(), model.len());
        }
    }
}
