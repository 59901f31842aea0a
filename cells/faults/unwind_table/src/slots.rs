//! The table: a fixed array of slots, each the text range of a cell.
//!
//! A slot goes FREE → WRITING → LIVE → DYING → FREE. Readers look at `end` first, which is zero unless the slot
//! is LIVE, and count themselves in `READERS` while they look. A slot leaves DYING (its entries are freed, its
//! fields may change) only when, after its `end` was cleared, no reader was seen: a reader that comes after that
//! sees the cleared `end`.

use alloc::boxed::Box;
use core::ptr;
use core::slice;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU16, AtomicU64, AtomicUsize};

use crate::{Found, FrameEntry, TableError, TextRange};

/// Text ranges that can be registered at once: every cell of the system has one or two, and during a swap twice.
const SLOTS: usize = 1024;
/// Remembered answers; a power of two. One per KiB of text keeps the frames of a usual stack apart.
const HINTS: usize = 256;

const FREE: u8 = 0;
const WRITING: u8 = 1;
const LIVE: u8 = 2;
const DYING: u8 = 3;

struct Slot {
    state: AtomicU8,
    start: AtomicU64,
    /// Zero unless the slot is LIVE.
    end: AtomicU64,
    eh_frame: AtomicPtr<u8>,
    eh_frame_length: AtomicUsize,
    entries: AtomicPtr<FrameEntry>,
    entry_count: AtomicUsize,
}

static TABLE: [Slot; SLOTS] = [const {
    Slot {
        state: AtomicU8::new(FREE),
        start: AtomicU64::new(0),
        end: AtomicU64::new(0),
        eh_frame: AtomicPtr::new(ptr::null_mut()),
        eh_frame_length: AtomicUsize::new(0),
        entries: AtomicPtr::new(ptr::null_mut()),
        entry_count: AtomicUsize::new(0),
    }
}; SLOTS];
/// Slots at and above this index were never used.
static HIGH_WATER: AtomicUsize = AtomicUsize::new(0);
static READERS: AtomicUsize = AtomicUsize::new(0);
/// The slot that answered last for an address with this hash. Only a hint: it is checked like any other slot.
static HINT: [AtomicU16; HINTS] = [const { AtomicU16::new(0) }; HINTS];

/// A registered text range; dropping it takes the range out of the table.
#[derive(Debug)]
#[must_use = "the range is unregistered when this is dropped"]
pub struct Registration {
    slot: usize,
}

/// Makes `entries` the frame information for the text in `range`.
///
/// # Errors
/// The range is empty, the entries are not of its text or not in order, or all slots are taken.
///
/// # Safety
/// - `eh_frame` is the relocated frame section of this text, where it lies in memory, and the text is as it says; `entries`
///   are the [`frame_entries`](crate::frame_entries) of it.
/// - The bytes stay as they are until the registration is dropped. It is dropped only when no stack holds a frame of this
///   text, and no walker stands on one.
pub unsafe fn register(
    range: TextRange,
    eh_frame: &'static [u8],
    entries: Box<[FrameEntry]>,
) -> Result<Registration, TableError> {
    if range.start >= range.end {
        return Err(TableError::EmptyRange(range));
    }
    // Each inside, before ends are compared: the sum of start and length of an entry elsewhere may not be a number.
    let inside = |entry: &FrameEntry| {
        entry.start >= range.start && entry.start < range.end && u64::from(entry.length) <= range.end - entry.start
    };
    if let Some(entry) = entries.iter().find(|entry| !inside(entry)) {
        return Err(TableError::Outside { start: entry.start });
    }
    if let Some(index) = entries.windows(2).position(|pair| pair[0].end() > pair[1].start) {
        return Err(TableError::Unsorted(index + 1));
    }
    sweep();
    let index = claim().ok_or(TableError::Full(SLOTS))?;
    let slot = &TABLE[index];
    slot.start.store(range.start, Relaxed);
    slot.eh_frame.store(eh_frame.as_ptr().cast_mut(), Relaxed);
    slot.eh_frame_length.store(eh_frame.len(), Relaxed);
    slot.entry_count.store(entries.len(), Relaxed);
    slot.entries.store(Box::into_raw(entries).cast(), Relaxed);
    slot.state.store(LIVE, Relaxed);
    slot.end.store(range.end, Release);
    HIGH_WATER.fetch_max(index + 1, SeqCst);
    Ok(Registration { slot: index })
}

fn claim() -> Option<usize> {
    TABLE.iter().position(|slot| {
        slot.state.load(Relaxed) == FREE && slot.state.compare_exchange(FREE, WRITING, Acquire, Relaxed).is_ok()
    })
}

/// Where the table itself is: start and size in bytes. It holds first and last addresses of text.
#[must_use]
pub fn table() -> (usize, usize) {
    (ptr::from_ref(&TABLE).addr(), size_of_val(&TABLE))
}

impl Drop for Registration {
    fn drop(&mut self) {
        let slot = &TABLE[self.slot];
        // First `end`, then the look at the readers in `sweep`: the counterpart of `find` (docs/memory-order.md, 8).
        slot.end.store(0, SeqCst);
        slot.state.store(DYING, SeqCst);
        sweep();
    }
}

/// Frees the entries of dropped registrations, unless a reader is counted just now; then the next call does.
fn sweep() {
    for slot in &TABLE[..HIGH_WATER.load(SeqCst)] {
        if slot.state.load(SeqCst) != DYING
            || READERS.load(SeqCst) != 0
            || slot.state.compare_exchange(DYING, WRITING, SeqCst, Relaxed).is_err()
        {
            continue;
        }
        let entries = slot.entries.swap(ptr::null_mut(), Relaxed);
        let count = slot.entry_count.swap(0, Relaxed);
        // SAFETY: `register` made the pointer from a box of this many entries. `end` was cleared before the
        // slot became DYING and no reader has been seen since, so no reader looks at them; the exchange above
        // makes this call the only one to free them.
        drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(entries, count)) });
        slot.state.store(FREE, Release);
    }
}

/// How many text ranges are registered.
pub fn registered() -> usize {
    TABLE[..HIGH_WATER.load(Acquire)].iter().filter(|slot| slot.end.load(Relaxed) != 0).count()
}

/// The frame entry that covers `address`, if a registered range has one.
pub fn entry(address: u64) -> Option<FrameEntry> {
    // SAFETY: the section is not looked at, and the entry is a copy.
    unsafe { find(address) }.map(|found| found.entry)
}

/// The frame entry that covers `address`, if a registered range has one, and the section in which its description lies.
///
/// # Safety
/// The section is not used after the text at `address` is unloaded. Text is not unloaded while a stack holds a frame of it:
/// the caller walks such a stack, which does not change meanwhile.
pub unsafe fn find(address: u64) -> Option<Found> {
    // First the count, then the look at `end`; a drop does it the other way round (docs/memory-order.md, 8).
    READERS.fetch_add(1, SeqCst);
    let hint = &HINT[(address >> 10) as usize % HINTS];
    let hinted = usize::from(hint.load(Relaxed));
    let found = TABLE[hinted].look_up(address).or_else(|| {
        let (index, found) = TABLE[..HIGH_WATER.load(Acquire)]
            .iter()
            .enumerate()
            .find_map(|(index, slot)| Some((index, slot.look_up(address)?)))?;
        hint.store(u16::try_from(index).unwrap_or(0), Relaxed);
        Some(found)
    });
    READERS.fetch_sub(1, SeqCst);
    found
}

impl Slot {
    /// The caller is counted in `READERS`.
    fn look_up(&self, address: u64) -> Option<Found> {
        let end = self.end.load(SeqCst);
        if address >= end || address < self.start.load(Relaxed) {
            return None;
        }
        let entries = self.entries.load(Relaxed);
        // SAFETY: `end` was not zero, so the slot is LIVE or became DYING after this reader was counted; either
        // way the box that `register` put here is not freed before the reader leaves.
        let entries = unsafe { slice::from_raw_parts(entries, self.entry_count.load(Relaxed)) };
        let after = entries.partition_point(|entry| entry.start <= address);
        let entry = *entries[..after].last().filter(|entry| entry.contains(address))?;
        // SAFETY: these are the parts of the `&'static [u8]` that `register` was given.
        let eh_frame =
            unsafe { slice::from_raw_parts(self.eh_frame.load(Relaxed), self.eh_frame_length.load(Relaxed)) };
        Some(Found { entry, eh_frame })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// The table is one for the process: tests that count slots take turns.
    static TURN: Mutex<()> = Mutex::new(());

    fn register(range: TextRange, entries: Box<[FrameEntry]>) -> Result<Registration, TableError> {
        // SAFETY: the section is empty, and no test looks at it.
        unsafe { super::register(range, &[], entries) }
    }

    fn entries(starts: &[u64]) -> Box<[FrameEntry]> {
        starts
            .iter()
            .map(|&start| FrameEntry { start, length: 0x10, fde_offset: start as u32, is_async_cancel_safe: false })
            .collect()
    }

    #[test]
    fn an_address_is_found_from_its_first_to_its_last_byte() {
        let _turn = TURN.lock();
        let range = TextRange { start: 0x1000, end: 0x2000 };
        let registration = register(range, entries(&[0x1000, 0x1010, 0x1800])).expect("room");
        for (address, expected) in [
            (0xfff, None),
            (0x1000, Some(0x1000)),
            (0x100f, Some(0x1000)),
            (0x1010, Some(0x1010)),
            (0x1020, None),
            (0x180f, Some(0x1800)),
            (0x2000, None),
        ] {
            assert_eq!(entry(address).map(|entry| entry.start), expected, "{address:#x}");
        }
        drop(registration);
        assert!(entry(0x1000).is_none());
    }

    #[test]
    fn a_dropped_range_gives_its_slot_back() {
        let _turn = TURN.lock();
        let before = registered();
        for _ in 0..3 * SLOTS {
            let range = TextRange { start: 0x10_0000, end: 0x20_0000 };
            drop(register(range, entries(&[0x10_0000])).expect("slots are reused"));
        }
        assert_eq!(registered(), before);
    }

    #[test]
    fn a_full_table_refuses() {
        let _turn = TURN.lock();
        let held: Vec<_> = (0..)
            .map_while(|index| {
                let start = 0x100_0000 + index * 0x100;
                register(TextRange { start, end: start + 0x100 }, entries(&[start])).ok()
            })
            .collect();
        let range = TextRange { start: 0x10, end: 0x20 };
        assert_eq!(register(range, entries(&[])).err(), Some(TableError::Full(SLOTS)));
        assert_eq!(entry(0x100_0000 + 7 * 0x100).map(|entry| entry.start), Some(0x100_0700));
        drop(held);
    }

    #[test]
    fn overlapping_entries_foreign_entries_and_empty_ranges_are_refused() {
        let range = TextRange { start: 0x3000, end: 0x4000 };
        for start in [0x2ff0, 0x3ff1, 0x4000, u64::MAX - 3] {
            assert_eq!(register(range, entries(&[start])).err(), Some(TableError::Outside { start }));
        }
        assert_eq!(register(range, entries(&[0x3000, 0x3008])).err(), Some(TableError::Unsorted(1)));
        let empty = TextRange { start: 0x3000, end: 0x3000 };
        assert_eq!(register(empty, entries(&[])).err(), Some(TableError::EmptyRange(empty)));
    }

    #[test]
    fn readers_never_see_a_half_written_range() {
        let _turn = TURN.lock();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                for _ in 0..20_000 {
                    if let Some(entry) = entry(0x50_0004) {
                        assert_eq!(entry.start, 0x50_0000);
                    }
                }
            });
            while !reader.is_finished() {
                let range = TextRange { start: 0x50_0000, end: 0x50_1000 };
                // A reader that the host suspends in the middle keeps slots from being reused.
                drop(register(range, entries(&[0x50_0000, 0x50_0010])));
            }
        });
    }
}
