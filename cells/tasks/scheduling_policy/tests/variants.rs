//! Both variants keep the contract of `policy_interface`, and each its own promise.
use policy_interface::{ImportError, MAX_CPUS, PolicyEntry, Priority, QueueAccess, Slot};
use proptest::prelude::*;
use scheduling_policy as round_robin;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[allow(dead_code, unreachable_pub, reason = "a crate root, here a module")]
#[path = "../../../../build/alternates/priority/scheduling_policy/src/lib.rs"]
mod fixed_priority;

fn access(cpu: u32) -> QueueAccess {
    // SAFETY: `alone` lets one test at a time use the policies, from one thread.
    unsafe { QueueAccess::new(cpu) }
}

/// The policies are statics: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

fn entry(task: usize, cpu: u32, base: u8, inherited: u8) -> PolicyEntry {
    PolicyEntry {
        task: Slot::new(task).unwrap(),
        cpu,
        base: Priority::new(base).unwrap(),
        inherited: Priority::new(inherited).unwrap(),
    }
}

/// What a policy gives up.
fn all_of(export_state: fn(&mut Vec<PolicyEntry>)) -> Vec<PolicyEntry> {
    let mut entries = Vec::new();
    export_state(&mut entries);
    entries
}

#[derive(Debug, Clone)]
enum Step {
    Insert { task: usize, cpu: u32, base: u8, inherited: u8 },
    Take { cpu: u32 },
    Remove { task: usize, cpu: u32 },
    Steal { cpu: u32, task: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let insert = (0usize..12, 0u32..3, 0u8..32, 0u8..32);
    prop_oneof![
        3 => insert.prop_map(|(task, cpu, base, inherited)| Step::Insert { task, cpu, base, inherited }),
        1 => (0u32..3).prop_map(|cpu| Step::Take { cpu }),
        1 => (0usize..12, 0u32..3).prop_map(|(task, cpu)| Step::Remove { task, cpu }),
        1 => (0usize..12, 0u32..3).prop_map(|(task, cpu)| Step::Steal { task, cpu }),
    ]
}

/// What any policy must look like from outside: per CPU a list, kept in the order given by `order`.
#[derive(Default)]
struct Model {
    queues: [Vec<PolicyEntry>; 3],
}

impl Model {
    fn insert(&mut self, entry: PolicyEntry, order: fn(&PolicyEntry) -> u8) {
        let queue = &mut self.queues[entry.cpu as usize];
        let place = queue.iter().position(|other| order(other) < order(&entry)).unwrap_or(queue.len());
        queue.insert(place, entry);
    }

    fn holds(&self, task: Slot) -> bool {
        self.queues.iter().flatten().any(|entry| entry.task == task)
    }

    fn remove(&mut self, cpu: u32, task: Slot) -> Option<PolicyEntry> {
        let queue = &mut self.queues[cpu as usize];
        let place = queue.iter().position(|entry| entry.task == task)?;
        Some(queue.remove(place))
    }

    fn all(&self) -> Vec<PolicyEntry> {
        self.queues.iter().flatten().copied().collect()
    }
}

macro_rules! contract {
    ($module:ident, $policy:ident, $order:expr) => {
        mod $module {
            use super::*;

            proptest! {
                #[test]
                fn behaves_like_its_model(steps in prop::collection::vec(step(), 0..80)) {
                    let _alone = alone();
                    all_of($policy::export_state);
                    let mut model = Model::default();
                    for step in steps {
                        match step {
                            Step::Insert { task, cpu, base, inherited } => {
                                let entry = entry(task, cpu, base, inherited);
                                if !model.holds(entry.task) {
                                    $policy::insert(&mut access(cpu), &entry);
                                    model.insert(entry, $order);
                                }
                            }
                            Step::Take { cpu } => {
                                let first = model.queues[cpu as usize].first().map(|entry| entry.task);
                                prop_assert_eq!($policy::take_next(&mut access(cpu)), first);
                                first.map(|task| model.remove(cpu, task));
                            }
                            Step::Remove { task, cpu } => {
                                let task = Slot::new(task).unwrap();
                                let there = model.remove(cpu, task).is_some();
                                prop_assert_eq!($policy::remove(&mut access(cpu), task), there);
                            }
                            Step::Steal { task, cpu } => {
                                let wanted = Slot::new(task).unwrap();
                                let taken = $policy::take_for(&mut access(cpu), &|task| task == wanted);
                                prop_assert_eq!(taken, model.remove(cpu, wanted).map(|entry| entry.task));
                            }
                        }
                        for (cpu, queue) in model.queues.iter().enumerate() {
                            prop_assert_eq!($policy::length(cpu), queue.len());
                        }
                    }
                    prop_assert_eq!(all_of($policy::export_state), model.all());
                    prop_assert_eq!((0..MAX_CPUS).map($policy::length).sum::<usize>(), 0);
                }

                #[test]
                fn state_transfer_loses_and_doubles_nobody(
                    tasks in prop::collection::btree_map(0usize..200, (0u32..4, 0u8..32, 0u8..32), 0..40)
                ) {
                    let _alone = alone();
                    all_of(round_robin::export_state);
                    all_of(fixed_priority::export_state);
                    for (task, (cpu, base, inherited)) in &tasks {
                        $policy::insert(&mut access(*cpu), &entry(*task, *cpu, *base, *inherited));
                    }
                    let all: BTreeSet<_> = tasks.keys().map(|task| Slot::new(*task).unwrap()).collect();
                    let there = all_of($policy::export_state);
                    fixed_priority::import_state(there.clone()).unwrap();
                    let back = all_of(fixed_priority::export_state);
                    round_robin::import_state(back).unwrap();
                    let mut found = all_of(round_robin::export_state);
                    prop_assert_eq!(found.iter().map(|entry| entry.task).collect::<BTreeSet<_>>(), all);
                    let mut there = there;
                    found.sort_by_key(|entry| entry.task);
                    there.sort_by_key(|entry| entry.task);
                    prop_assert_eq!(found, there);
                }
            }

            #[test]
            fn a_refused_list_comes_back_whole() {
                let _alone = alone();
                all_of($policy::export_state);
                let twice = vec![entry(1, 0, 3, 0), entry(1, 1, 3, 0)];
                let (error, back) = $policy::import_state(twice.clone()).unwrap_err();
                assert_eq!((error, back), (ImportError::Duplicate { task: twice[0].task }, twice));
                assert_eq!($policy::length(0), 0);

                $policy::insert(&mut access(0), &entry(9, 0, 1, 0));
                let (error, back) = $policy::import_state(vec![entry(1, 0, 3, 0)]).unwrap_err();
                assert_eq!((error, back.len()), (ImportError::NotEmpty { tasks: 1 }, 1));
                all_of($policy::export_state);
            }
        }
    };
}

contract!(round_robin_contract, round_robin, |_| 0);
contract!(fixed_priority_contract, fixed_priority, |entry| entry.effective().level());

#[test]
fn round_robin_gives_everybody_a_quantum() {
    let _alone = alone();
    all_of(round_robin::export_state);
    let mut queue = access(0);
    let running = entry(0, 0, 0, 0);
    assert!((0..100).all(|_| !round_robin::tick(&mut queue, &running)), "alone, nobody gives way");
    round_robin::insert(&mut queue, &entry(1, 0, 0, 0));
    assert_eq!(round_robin::take_next(&mut queue), Slot::new(1));
    round_robin::insert(&mut queue, &running);
    let ticks = (1..).find(|_| round_robin::tick(&mut queue, &entry(1, 0, 0, 0)));
    assert_eq!(ticks, Some(round_robin::QUANTUM_TICKS));
    all_of(round_robin::export_state);
}

#[test]
fn fixed_priority_displaces_at_once_and_inherits() {
    let _alone = alone();
    all_of(fixed_priority::export_state);
    let mut queue = access(0);
    assert!(fixed_priority::preempts(&entry(1, 0, 5, 0), &entry(2, 0, 4, 0)));
    assert!(!fixed_priority::preempts(&entry(1, 0, 5, 0), &entry(2, 0, 4, 6)));
    fixed_priority::insert(&mut queue, &entry(1, 0, 5, 0));
    fixed_priority::insert(&mut queue, &entry(2, 0, 4, 6));
    assert!(fixed_priority::tick(&mut queue, &entry(3, 0, 5, 0)), "a more urgent task does not wait for a quantum");
    assert_eq!(fixed_priority::take_next(&mut queue), Slot::new(2));
    assert_eq!(fixed_priority::take_next(&mut queue), Slot::new(1));
}
