//! Each policy keeps the contract of `policy_interface`, and its own promise.
use policy_interface::{AllQueues, Arrival, ImportError, MAX_CPUS, PolicyEntry, Priority, QueueAccess, Slot};
use proptest::prelude::*;
use scheduling_policy as round_robin;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[allow(dead_code, unreachable_pub, reason = "a crate root, here a module")]
#[path = "../../../../build/alternates/priority/scheduling_policy/src/lib.rs"]
mod fixed_priority;

#[allow(dead_code, unreachable_pub, reason = "a crate root, here a module")]
#[path = "../../../../build/alternates/mlfq/scheduling_policy/src/lib.rs"]
mod mlfq;

fn access(cpu: u32) -> QueueAccess {
    // SAFETY: `alone` lets one test at a time use the policies, from one thread.
    unsafe { QueueAccess::new(cpu) }
}

fn all_queues() -> AllQueues {
    // SAFETY: as in `access`.
    unsafe { AllQueues::new() }
}

/// The policies are statics: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

fn entry(task: usize, cpu: u32, base: u8, inherited: u8) -> PolicyEntry {
    let priority = |level| Priority::new(level).unwrap();
    PolicyEntry::new(Slot::new(task).unwrap(), priority(base)).inheriting(priority(inherited)).on(cpu)
}

/// All tasks of a policy, which has none any more.
fn all_of(export_state: fn(&mut AllQueues, &mut Vec<PolicyEntry>)) -> Vec<PolicyEntry> {
    let mut entries = Vec::new();
    export_state(&mut all_queues(), &mut entries);
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

/// How each policy looks from outside: per CPU a list, kept in the order given by `order`.
#[derive(Default)]
struct Model {
    queues: [Vec<PolicyEntry>; 3],
}

impl Model {
    fn insert(&mut self, entry: PolicyEntry, order: fn(PolicyEntry) -> u8) {
        let queue = &mut self.queues[entry.cpu()];
        let place = queue.iter().position(|other| order(*other) < order(entry)).unwrap_or(queue.len());
        queue.insert(place, entry);
    }

    fn holds(&self, task: Slot) -> bool {
        self.queues.iter().flatten().any(|entry| entry.task() == task)
    }

    fn remove(&mut self, cpu: u32, task: Slot) -> Option<PolicyEntry> {
        let queue = &mut self.queues[cpu as usize];
        let place = queue.iter().position(|entry| entry.task() == task)?;
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
                                if !model.holds(entry.task()) {
                                    $policy::insert(&mut access(cpu), entry, Arrival::New);
                                    model.insert(entry, $order);
                                }
                            }
                            Step::Take { cpu } => {
                                let first = model.queues[cpu as usize].first().map(|entry| entry.task());
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
                                prop_assert_eq!(taken, model.remove(cpu, wanted).map(PolicyEntry::task));
                            }
                        }
                    }
                    prop_assert_eq!(all_of($policy::export_state), model.all());
                    for cpu in (0u32..).take(MAX_CPUS) {
                        prop_assert_eq!($policy::take_next(&mut access(cpu)), None);
                    }
                }

                #[test]
                fn state_transfer_loses_and_doubles_no_task(
                    tasks in prop::collection::btree_map(0usize..200, (0u32..4, 0u8..32, 0u8..32), 0..40)
                ) {
                    let _alone = alone();
                    for export_state in [round_robin::export_state, fixed_priority::export_state, mlfq::export_state] {
                        all_of(export_state);
                    }
                    for (task, (cpu, base, inherited)) in &tasks {
                        $policy::insert(&mut access(*cpu), entry(*task, *cpu, *base, *inherited), Arrival::New);
                    }
                    let all: BTreeSet<_> = tasks.keys().map(|task| Slot::new(*task).unwrap()).collect();
                    let mut there = all_of($policy::export_state);
                    mlfq::import_state(&mut all_queues(), there.clone()).unwrap();
                    fixed_priority::import_state(&mut all_queues(), all_of(mlfq::export_state)).unwrap();
                    round_robin::import_state(&mut all_queues(), all_of(fixed_priority::export_state)).unwrap();
                    let mut found = all_of(round_robin::export_state);
                    prop_assert_eq!(found.iter().map(|entry| entry.task()).collect::<BTreeSet<_>>(), all);
                    found.sort_by_key(|entry| entry.task());
                    there.sort_by_key(|entry| entry.task());
                    prop_assert_eq!(found, there);
                }
            }

            #[test]
            fn a_refused_list_comes_back_whole() {
                let _alone = alone();
                all_of($policy::export_state);
                let twice = vec![entry(1, 0, 3, 0), entry(1, 1, 3, 0)];
                let (error, back) = $policy::import_state(&mut all_queues(), twice.clone()).unwrap_err();
                assert_eq!((error, back), (ImportError::Duplicate { task: twice[0].task() }, twice));
                assert_eq!(all_of($policy::export_state), []);

                $policy::insert(&mut access(0), entry(9, 0, 1, 0), Arrival::New);
                let (error, back) = $policy::import_state(&mut all_queues(), vec![entry(1, 0, 3, 0)]).unwrap_err();
                assert_eq!((error, back.len()), (ImportError::NotEmpty { tasks: 1 }, 1));
                assert_eq!(all_of($policy::export_state), [entry(9, 0, 1, 0)]);
            }
        }
    };
}

contract!(round_robin_contract, round_robin, |_| 0);
contract!(fixed_priority_contract, fixed_priority, |entry| entry.effective().level());
contract!(mlfq_contract, mlfq, |_| 0);

#[test]
fn round_robin_gives_each_task_a_quantum() {
    let _alone = alone();
    all_of(round_robin::export_state);
    let mut queue = access(0);
    let running = entry(0, 0, 0, 0);
    assert!((0..100).all(|_| !round_robin::tick(&mut queue, running)), "a task that is alone does not give way");
    round_robin::insert(&mut queue, entry(1, 0, 0, 0), Arrival::New);
    assert_eq!(round_robin::take_next(&mut queue), Slot::new(1));
    round_robin::insert(&mut queue, running, Arrival::Preempted);
    let ticks = (1..).find(|_| round_robin::tick(&mut queue, entry(1, 0, 0, 0)));
    assert_eq!(ticks, Some(round_robin::QUANTUM_TICKS));
    all_of(round_robin::export_state);
}

#[test]
fn fixed_priority_displaces_at_once_and_inherits() {
    let _alone = alone();
    all_of(fixed_priority::export_state);
    let mut queue = access(0);
    assert!(fixed_priority::preempts(entry(1, 0, 5, 0), entry(2, 0, 4, 0)));
    assert!(!fixed_priority::preempts(entry(1, 0, 5, 0), entry(2, 0, 4, 6)));
    fixed_priority::insert(&mut queue, entry(1, 0, 5, 0), Arrival::New);
    fixed_priority::insert(&mut queue, entry(2, 0, 4, 6), Arrival::New);
    assert!(fixed_priority::tick(&mut queue, entry(3, 0, 5, 0)), "a more urgent task does not wait for a quantum");
    assert_eq!(fixed_priority::take_next(&mut queue), Slot::new(2));
    assert_eq!(fixed_priority::take_next(&mut queue), Slot::new(1));
}

/// One CPU under the feedback queue. Each test has a CPU of its own, because a CPU counts ticks from one boost to the next.
struct Cpu {
    number: u32,
    queue: QueueAccess,
    running: Option<PolicyEntry>,
}

impl Cpu {
    fn new(number: u32) -> Self {
        all_of(mlfq::export_state);
        Self { number, queue: access(number), running: None }
    }

    fn arrive(&mut self, task: usize, why: Arrival) {
        mlfq::insert(&mut self.queue, entry(task, self.number, 0, 0), why);
    }

    /// One tick. Returns the task that ran.
    fn tick(&mut self) -> Option<usize> {
        if self.running.is_none() {
            self.running = mlfq::take_next(&mut self.queue).map(|task| entry(task.index(), self.number, 0, 0));
        }
        let running = self.running?;
        if mlfq::tick(&mut self.queue, running) {
            mlfq::insert(&mut self.queue, running, Arrival::Preempted);
            self.running = None;
        }
        Some(running.task().index())
    }
}

#[test]
fn mlfq_lets_a_task_that_computes_sink_and_one_that_waits_run_at_once() {
    let _alone = alone();
    let mut cpu = Cpu::new(5);
    cpu.arrive(1, Arrival::New);
    let ticks: u32 = mlfq::ALLOTMENT[..mlfq::LEVELS - 1].iter().map(|ticks| u32::from(*ticks)).sum();
    let (computes, waits) = (entry(1, 0, 0, 0), entry(2, 0, 0, 0));
    for _ in 1..ticks {
        assert_eq!(cpu.tick(), Some(1));
    }
    cpu.arrive(2, Arrival::New);
    assert!(mlfq::preempts(waits, computes), "before its last tick there the task is above the last level");
    assert_eq!(cpu.tick(), Some(1));
    assert_eq!(cpu.tick(), Some(2), "the task of the higher level runs next");
    // It blocks after each tick, and is woken: it stays above the other one until it has used its allotment.
    for _ in 1..mlfq::ALLOTMENT[0] {
        cpu.running = None;
        cpu.arrive(2, Arrival::Woken);
        assert!(mlfq::preempts(waits, computes));
        assert_eq!(cpu.tick(), Some(2));
    }
}

#[test]
fn mlfq_counts_what_a_task_used_before_it_waited() {
    let _alone = alone();
    let mut cpu = Cpu::new(6);
    cpu.arrive(1, Arrival::New);
    cpu.arrive(2, Arrival::New);
    // Task 1 gives its CPU up one tick before its allotment is used up, and comes back at once.
    for _ in 1..mlfq::ALLOTMENT[0] {
        assert_eq!(cpu.tick(), Some(1));
    }
    cpu.running = None;
    cpu.arrive(1, Arrival::Woken);
    assert_eq!(cpu.tick(), Some(2));
    for _ in 1..mlfq::ALLOTMENT[0] {
        assert_eq!(cpu.tick(), Some(2));
    }
    assert_eq!(cpu.tick(), Some(1), "one tick is left of its allotment");
    assert!(mlfq::preempts(entry(3, 0, 0, 0), entry(1, 0, 0, 0)), "it has sunk although it waited in between");
}

proptest! {
    /// New tasks come all the time and keep the top level full; a task that has sunk to the last level runs again soon.
    #[test]
    fn mlfq_starves_no_task(gap in 1u32..5) {
        let _alone = alone();
        let mut cpu = Cpu::new(7);
        cpu.arrive(0, Arrival::New);
        let sinks = mlfq::ALLOTMENT.iter().map(|ticks| u32::from(*ticks)).sum();
        for _ in 0u32..sinks {
            prop_assert_eq!(cpu.tick(), Some(0));
        }
        let bound = mlfq::BOOST_TICKS * (1 + u32::from(mlfq::ALLOTMENT[0]));
        let mut news = 1usize..;
        let again = (0..bound).find(|tick| {
            if tick % gap == 0 {
                cpu.arrive(news.next().unwrap(), Arrival::New);
            }
            // The first tick is still that of the task that is running.
            cpu.tick() == Some(0) && *tick > 0
        });
        prop_assert!(again.is_some(), "not within {} ticks", bound);
        all_of(mlfq::export_state);
    }
}
