//! Nothing is lost, doubled or reordered, in any order of the steps.
use super::*;
use proptest::prelude::*;
use std::collections::{BTreeSet, VecDeque};

proptest! {
    #[test]
    fn a_ring_is_a_bounded_queue(capacity in 1usize..6, steps in prop::collection::vec(any::<bool>(), 0..100)) {
        let mut ring = Ring::new(capacity);
        let mut places = vec![None; capacity];
        let (mut model, mut next) = (VecDeque::new(), 0);
        for push in steps {
            if push {
                match ring.push() {
                    Step::Place(place) => {
                        prop_assert_eq!(places[place].replace(next), None, "the place was free");
                        model.push_back(next);
                        next += 1;
                    }
                    step => prop_assert!(step == Step::Wait && model.len() == capacity),
                }
            } else {
                match ring.pop() {
                    Step::Place(place) => prop_assert_eq!(places[place].take(), model.pop_front()),
                    step => prop_assert!(step == Step::Wait && model.is_empty()),
                }
            }
            prop_assert_eq!(ring.len(), model.len());
        }
    }

    #[test]
    fn every_offer_is_taken_once_or_given_back(steps in prop::collection::vec(0u8..4, 0..100)) {
        let mut state = Rendezvous::new();
        let mut open: Option<u64> = None;
        let (mut taken, mut back, mut made) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for step in steps {
            match step {
                0 => match state.offer() {
                    Offer::Made(number) => {
                        prop_assert!(open.is_none() && made.insert(number));
                        open = Some(number);
                    }
                    Offer::Busy => prop_assert!(open.is_some()),
                    Offer::Disconnected => prop_assert!(false, "there is a receiver"),
                },
                1 => match state.take() {
                    Take::Taken(number) => {
                        prop_assert_eq!(open.take(), Some(number));
                        prop_assert!(taken.insert(number));
                        prop_assert_eq!(state.complete(number), Completion::Taken);
                    }
                    other => prop_assert!(open.is_none() && other == Take::Empty),
                },
                2 => if let Some(number) = open {
                    prop_assert_eq!(state.complete(number), Completion::Pending);
                },
                _ => if let Some(number) = open.take() {
                    prop_assert!(state.withdraw(number) && back.insert(number));
                    prop_assert!(!state.is_offered());
                },
            }
        }
        taken.extend(back);
        taken.extend(open);
        prop_assert_eq!(taken, made);
    }
}

#[test]
fn a_taken_offer_cannot_be_withdrawn() {
    let mut state = Rendezvous::new();
    let Offer::Made(number) = state.offer() else { panic!() };
    assert!(matches!(state.take(), Take::Taken(_)));
    assert!(!state.withdraw(number));
}

#[test]
fn the_last_receiver_gives_the_message_back() {
    let mut state = Rendezvous::new();
    let Offer::Made(number) = state.offer() else { panic!() };
    state.endpoints.receivers = 0;
    assert_eq!(state.complete(number), Completion::Withdrawn);
    assert_eq!(state.offer(), Offer::Disconnected);
}

#[test]
fn receivers_get_what_is_left_before_they_are_told() {
    let mut ring = Ring::new(2);
    assert_eq!(ring.push(), Step::Place(0));
    ring.endpoints.senders = 0;
    assert_eq!(ring.pop(), Step::Place(0));
    assert_eq!(ring.pop(), Step::Disconnected);

    let mut state = Rendezvous::new();
    assert!(matches!(state.offer(), Offer::Made(_)));
    state.endpoints.senders = 0;
    assert!(matches!(state.take(), Take::Taken(_)));
    assert_eq!(state.take(), Take::Disconnected);
}
