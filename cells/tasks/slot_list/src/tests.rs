//! A list behaves like a `VecDeque` under any sequence of operations.
use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

fn slot(index: usize) -> Slot {
    Slot::new(index).unwrap()
}

#[test]
fn slots_end_where_the_table_ends() {
    assert!(Slot::new(MAX_TASKS).is_none());
    assert_eq!(slot(MAX_TASKS - 1).index(), MAX_TASKS - 1);
}

#[test]
fn a_new_list_is_empty() {
    let (links, mut list) = (Links::new(), List::new());
    assert!(list.is_empty());
    assert_eq!(list.pop_front(&links), None);
}

#[derive(Debug, Clone)]
enum Step {
    Push(usize),
    Pop,
    Remove(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![(0usize..8).prop_map(Step::Push), Just(Step::Pop), (0usize..8).prop_map(Step::Remove)]
}

proptest! {
    #[test]
    fn two_lists_over_one_table_keep_order(steps in prop::collection::vec((any::<bool>(), step()), 0..60)) {
        let links = Links::new();
        let mut lists = [List::new(), List::new()];
        let mut models = [VecDeque::new(), VecDeque::new()];
        for (which, step) in steps {
            let which = usize::from(which);
            match step {
                Step::Push(index) if models.iter().all(|model| !model.contains(&slot(index))) => {
                    lists[which].push_back(&links, slot(index));
                    models[which].push_back(slot(index));
                }
                Step::Pop => prop_assert_eq!(lists[which].pop_front(&links), models[which].pop_front()),
                Step::Remove(index) if models[which].contains(&slot(index)) => {
                    lists[which].remove(&links, slot(index));
                    models[which].retain(|other| *other != slot(index));
                }
                Step::Push(_) | Step::Remove(_) => {}
            }
            for (list, model) in lists.iter().zip(&models) {
                prop_assert_eq!(&list.iter(&links).collect::<VecDeque<_>>(), model);
                prop_assert_eq!(list.is_empty(), model.is_empty());
            }
        }
    }
}
