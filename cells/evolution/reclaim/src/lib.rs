//! Frees replaced cells when nothing refers to them any more.
//!
//! A replaced cell becomes a *retired cell*. Two things keep it: a frame on some stack that stands in its text, which a walk over
//! all stacks finds, and a word that leads to it. A scan goes over the heap, all statics, and of every task the part of the
//! stack that is in use (with the registers saved there) and the thread locals, and takes each aligned word that could be
//! an address in a retired cell's constants, statics or left-over stubs for a reference. Words that lead to *text*, or to the
//! tables for unwinding it, are none: function pointers are addresses of stubs, so such a word is a return address of a
//! frame, which the walk knows, or what somebody left behind or wrote down.
//!
//! The scan is conservative: it may keep a retired cell for a word that only looks like an address, it never frees one that is
//! referred to. It runs while all CPUs stand still, so that no reference can move from what is still to be scanned to what
//! has been scanned. Free memory of the heap holds nothing: the heap clears what it gets and what is given back.
//!
//! One scan at a time: the engine sees to it.
//!
//! Source: Boehm and Weiser, "Garbage collection in an uncooperative environment" (1988).
#![no_std]

extern crate alloc;

mod holder;
mod scan;

use alloc::{collections::TryReserveError, string::String, vec::Vec};
use core::ops::Range;

pub use holder::{Holder, Place};
use namespace::replace::Retired;
pub use scan::{Frames, Scan};
use spin::Once;
use spin_lock::PreemptLock;

/// A replaced cell that something still refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetiredCell {
    /// Name of the cell.
    pub cell: String,
    /// Bytes that it keeps.
    pub bytes: usize,
    /// The first reference to it that the last scan found.
    pub holder: Holder,
}

struct Kept {
    retired: Retired,
    holder: Holder,
}

static RETIRED_CELLS: PreemptLock<Vec<Kept>> = PreemptLock::new(Vec::new());

/// A static that is dead after the boot, and full of what the boot left there.
static BOOT_STACK: Once<Range<u64>> = Once::new();

/// Says where the stack is that nobody uses after the boot. The first word counts.
pub fn set_boot_stack(range: Range<u64>) {
    BOOT_STACK.call_once(|| range);
}

/// Makes room for `more` replaced cells.
///
/// # Errors
/// There is no memory.
pub fn make_room(more: usize) -> Result<(), TryReserveError> {
    RETIRED_CELLS.lock().try_reserve(more)
}

/// Keeps replaced cells until a scan finds nothing that refers to them. Takes no memory if room was made for them.
pub fn retire(cells: Vec<Retired>) {
    let unknown = || Holder { address: 0, place: Place::Unknown, target: String::new() };
    RETIRED_CELLS.lock().extend(cells.into_iter().map(|retired| Kept { retired, holder: unknown() }));
}

/// Whether there are retired cells.
#[must_use]
pub fn is_needed() -> bool {
    !RETIRED_CELLS.lock().is_empty()
}

/// The retired cells that are left.
#[must_use]
pub fn retired_cells() -> Vec<RetiredCell> {
    let kept = RETIRED_CELLS.lock();
    kept.iter()
        .map(|kept| RetiredCell {
            cell: String::from(kept.retired.name()),
            bytes: kept.retired.bytes(),
            holder: kept.holder.clone(),
        })
        .collect()
}

impl Scan {
    /// Makes ready to look for all retired cells; `None` if there are none.
    #[must_use]
    pub fn prepare() -> Option<Self> {
        let kept = RETIRED_CELLS.lock();
        // What was said of holders so far names addresses, also where a retired cell that is freed was in the list.
        let list = kept.as_ptr().addr() as u64;
        let list = list..list + (kept.capacity() * size_of::<Kept>()) as u64;
        let books = BOOT_STACK.get().cloned().into_iter().chain([list, stacks::pool_record()]);
        (!kept.is_empty()).then(|| Self::new(kept.iter().map(|kept| &kept.retired), books))
    }

    /// Frees the retired cells that nothing refers to; returns how many were freed.
    #[must_use]
    pub fn finish(self) -> usize {
        let mut kept = RETIRED_CELLS.lock();
        let mut found = self.result();
        // Whoever has come since was not looked for, and stays.
        let mut holders: Vec<Option<Holder>> = kept
            .iter()
            .map(|kept| match found.iter_mut().find(|(id, _)| *id == kept.retired.id()) {
                Some((_, None)) => None,
                Some((_, Some(found))) => Some(found.name(kept.retired.name_at(found.value).as_deref())),
                None => Some(kept.holder.clone()),
            })
            .collect();
        // Text of a retired cell that is held may call others, which are held by it.
        while let Some((held, by)) = (0..kept.len()).filter(|&free| holders[free].is_none()).find_map(|free| {
            let holds = |&by: &usize| holders[by].is_some() && kept[by].retired.refers_to(&kept[free].retired);
            (0..kept.len()).find(holds).map(|by| (free, by))
        }) {
            let cell = String::from(kept[by].retired.name());
            holders[held] = Some(Holder { address: 0, place: Place::RetiredCell { cell }, target: String::new() });
        }
        let mut freed = Vec::new();
        for (retired_cell, holder) in holders.into_iter().enumerate().rev() {
            match holder {
                Some(holder) => kept[retired_cell].holder = holder,
                None => freed.push(kept.remove(retired_cell)),
            }
        }
        // Their memory goes when the list is free again.
        drop(kept);
        freed.len()
    }
}
