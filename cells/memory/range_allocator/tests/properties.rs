//! The allocator against the plainest model there is: one `bool` per number.

use proptest::prelude::*;
use range_allocator::{RangeAllocator, RangeError, words_for};

#[derive(Clone, Debug)]
enum Step {
    Allocate { count: usize, alignment: usize },
    Within { start: usize, end: usize, count: usize },
    Reserve { start: usize, count: usize },
    Overlapping { start: usize, count: usize, taken: bool },
    Free { start: usize, count: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..90usize, 0..5u32).prop_map(|(count, shift)| Step::Allocate { count, alignment: 1 << shift }),
        (0..400usize, 0..400usize, 1..70usize).prop_map(|(start, end, count)| Step::Within { start, end, count }),
        (0..320usize, 0..100usize).prop_map(|(start, count)| Step::Reserve { start, count }),
        (0..320usize, 0..200usize, any::<bool>()).prop_map(|(start, count, taken)| Step::Overlapping {
            start,
            count,
            taken
        }),
        (0..320usize, 0..100usize).prop_map(|(start, count)| Step::Free { start, count }),
    ]
}

/// The lowest place by trying each.
fn search(model: &[bool], start: usize, end: usize, count: usize, alignment: usize) -> Option<usize> {
    let end = end.min(model.len());
    (start..end).find(|first| {
        count > 0
            && first % alignment == 0
            && first + count <= end
            && model[*first..first + count].iter().all(|taken| !taken)
    })
}

fn claim(model: &[bool], start: usize, count: usize, wanted: bool) -> Result<(), RangeError> {
    if count == 0 || start + count > model.len() {
        return Err(RangeError::OutOfBounds);
    }
    match (start..start + count).find(|number| model[*number] != wanted) {
        None => Ok(()),
        Some(number) if wanted => Err(RangeError::Free(number)),
        Some(number) => Err(RangeError::Taken(number)),
    }
}

proptest! {
    #[test]
    fn agrees_with_the_model(length in 1..300usize, full: bool, steps in prop::collection::vec(step(), 1..80)) {
        let mut map = vec![0; words_for(length)];
        let mut allocator =
            if full { RangeAllocator::all_taken(&mut map, length) } else { RangeAllocator::all_free(&mut map, length) };
        let mut model = vec![full; length];
        for step in steps {
            match step {
                Step::Allocate { count, alignment } => {
                    let expected = search(&model, 0, length, count, alignment);
                    prop_assert_eq!(allocator.allocate_within(0..length, count, alignment), expected);
                    if let Some(first) = expected { model[first..first + count].fill(true) }
                }
                Step::Within { start, end, count } => {
                    let expected = search(&model, start, end, count, 1);
                    prop_assert_eq!(allocator.allocate_within(start..end, count, 1), expected);
                    if let Some(first) = expected { model[first..first + count].fill(true) }
                }
                Step::Reserve { start, count } => {
                    let expected = claim(&model, start, count, false);
                    prop_assert_eq!(allocator.reserve(start, count), expected);
                    if expected.is_ok() { model[start..start + count].fill(true) }
                }
                Step::Overlapping { start, count, taken } => {
                    let range = start.min(length)..(start + count).min(length);
                    let expected = model[range.clone()].iter().filter(|now| **now != taken).count();
                    let changed = if taken {
                        allocator.reserve_overlapping(start, count)
                    } else {
                        allocator.free_overlapping(start, count)
                    };
                    prop_assert_eq!(changed, expected);
                    model[range].fill(taken);
                }
                Step::Free { start, count } => {
                    let expected = claim(&model, start, count, true);
                    prop_assert_eq!(allocator.free(start, count), expected);
                    if expected.is_ok() { model[start..start + count].fill(false) }
                }
            }
            prop_assert_eq!(allocator.free_count(), model.iter().filter(|taken| !**taken).count());
            for (number, taken) in model.iter().enumerate() {
                prop_assert_eq!(allocator.is_free(number), !taken);
            }
        }
    }
}

#[test]
fn nothing_is_not_a_range() {
    let mut map = [0; 1];
    let mut allocator = RangeAllocator::all_free(&mut map, 64);
    assert_eq!(allocator.allocate(0), None);
    assert_eq!(allocator.reserve(3, 0), Err(RangeError::OutOfBounds));
    assert_eq!(allocator.free(usize::MAX, 2), Err(RangeError::OutOfBounds));
}

#[test]
fn numbers_beyond_the_length_are_never_handed_out() {
    let mut map = [0; 2];
    let mut allocator = RangeAllocator::all_free(&mut map, 70);
    assert_eq!(allocator.allocate(70), Some(0));
    assert_eq!(allocator.allocate(1), None);
    assert_eq!(allocator.free(64, 7), Err(RangeError::OutOfBounds));
}
