//! Frees replaced cells when nothing refers to them any more.
//!
//! A replaced cell becomes a *zombie*. A scan goes over the heap, all statics, and of every task the part of the stack that
//! is in use (with the registers saved there) and the thread locals, and takes each aligned word that could be an address
//! in a zombie's text, constants or left-over stubs for a reference. The scan is conservative: it may keep a zombie for a
//! word that only looks like an address, it never frees one that is referred to. It runs while all CPUs stand still, so
//! that no reference can move from what is still to be scanned to what has been scanned. Freed heap memory holds nothing:
//! the heap clears what is given back.
//!
//! Source: Boehm and Weiser, "Garbage collection in an uncooperative environment" (1988).
#![no_std]

extern crate alloc;

use alloc::{string::String, vec::Vec};
use core::ops::Range;

use addresses::PAGE_SIZE;
use namespace::replace::Retired;
use pages::Region;
use spin::Once;
use spin_lock::PreemptLock;

/// A replaced cell that something still refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zombie {
    /// Name of the cell.
    pub cell: String,
    /// Bytes that it keeps.
    pub bytes: usize,
    /// Where the first reference to it was found; 0 before the first scan.
    pub holder: u64,
}

struct Kept {
    retired: Retired,
    holder: u64,
}

static ZOMBIES: PreemptLock<Vec<Kept>> = PreemptLock::new(Vec::new());

/// A static that is dead after the boot, and full of what the boot left there.
static BOOT_STACK: Once<Range<u64>> = Once::new();

/// Says where the stack is that nobody uses after the boot. The first word counts.
pub fn set_boot_stack(range: Range<u64>) {
    BOOT_STACK.call_once(|| range);
}

/// Keeps replaced cells until a scan finds nothing that refers to them.
pub fn retire(cells: Vec<Retired>) {
    ZOMBIES.lock().extend(cells.into_iter().map(|retired| Kept { retired, holder: 0 }));
}

/// The zombies that are left.
#[must_use]
pub fn zombies() -> Vec<Zombie> {
    let kept = ZOMBIES.lock();
    kept.iter()
        .map(|kept| Zombie {
            cell: String::from(kept.retired.name()),
            bytes: kept.retired.bytes(),
            holder: kept.holder,
        })
        .collect()
}

/// A range that is looked for, and what was found.
struct Target {
    range: Range<u64>,
    zombie: usize,
}

/// What a scan needs, made before the CPUs stop: it allocates nothing itself.
pub struct Scan {
    targets: Vec<Target>,
    books: Vec<Range<u64>>,
    holders: Vec<u64>,
    statics: Vec<Range<u64>>,
    lowest: u64,
    highest: u64,
}

impl Scan {
    /// Makes ready to look for all zombies; `None` if there are none.
    #[must_use]
    pub fn prepare() -> Option<Self> {
        let kept = ZOMBIES.lock();
        if kept.is_empty() {
            return None;
        }
        let mut targets = Vec::new();
        let mut books = Vec::new();
        for (zombie, kept) in kept.iter().enumerate() {
            targets.extend(kept.retired.ranges().into_iter().map(|range| Target { range, zombie }));
            books.extend(kept.retired.books());
        }
        books.extend(BOOT_STACK.get().cloned());
        let holders = alloc::vec![0; kept.len()];
        let lowest = targets.iter().map(|target| target.range.start).min().unwrap_or(u64::MAX);
        let highest = targets.iter().map(|target| target.range.end).max().unwrap_or(0);
        Some(Self { targets, books, holders, statics: namespace::replace::data_ranges(), lowest, highest })
    }

    /// Looks at every word that may hold a reference. Runs while all other CPUs stand still. What lies below `floor` on
    /// the caller's own stack is the engine's and holds none.
    pub fn run(&mut self, floor: u64) {
        let start = Region::Heap.start().as_u64();
        let heap = start..start + (Region::Heap.pages() * PAGE_SIZE) as u64;
        mapping::for_each_mapping(|mapping| {
            let page = mapping.page.start().as_u64();
            if heap.contains(&page) && mapping.present {
                self.scan(page..page + PAGE_SIZE as u64);
            }
        });
        for index in 0..self.statics.len() {
            self.scan(self.statics[index].clone());
        }
        let current = task_core::current_id();
        let thread_locals = thread_local_image::size() as u64;
        task_core::visit(&mut |task| {
            if !task.has_begun() || task.ended().is_some() {
                return;
            }
            let lowest = match task.saved_stack_pointer() {
                _ if Some(task.id()) == current => floor,
                Some(stack_pointer) => stack_pointer,
                None => standstill::stopped_at(task.cpu()),
            };
            let stack = task.faults.stack.get();
            self.scan(lowest.max(stack.low)..stack.high);
            let pointer = task.thread_pointer();
            self.scan(pointer.saturating_sub(thread_locals)..pointer);
        });
    }

    #[expect(clippy::cast_possible_truncation, reason = "an address of this machine is a usize")]
    fn scan(&mut self, range: Range<u64>) {
        let mut address = range.start & !7;
        while address + 8 <= range.end {
            let word: *const u64 = core::ptr::with_exposed_provenance(address as usize);
            // SAFETY: heap, statics, stacks in use and thread locals are mapped. The word may belong to anybody, who does
            // not run now; volatile, since it is not ours.
            let value = unsafe { word.read_volatile() };
            if value >= self.lowest && value < self.highest {
                self.note(address, value);
            }
            address += 8;
        }
    }

    fn note(&mut self, address: u64, value: u64) {
        let Some(target) = self.targets.iter().find(|target| target.range.contains(&value)) else { return };
        let zombie = target.zombie;
        if self.holders[zombie] == 0 && !self.is_book(address) {
            self.holders[zombie] = address;
        }
    }

    /// Whether the word at `address` is part of what the loader or this scan keep about zombies.
    fn is_book(&self, address: u64) -> bool {
        fn covers<T>(list: &[T], address: u64) -> bool {
            let start = list.as_ptr().addr() as u64;
            (start..start + size_of_val(list) as u64).contains(&address)
        }
        covers(&self.targets, address)
            || covers(&self.books, address)
            || covers(&self.statics, address)
            || self.books.iter().any(|range| range.contains(&address))
    }

    /// Frees the zombies that nothing refers to; returns how many were freed.
    #[must_use]
    pub fn finish(self) -> usize {
        let mut freed = Vec::new();
        let mut kept = ZOMBIES.lock();
        // Text of a zombie that is held may call others, which are held by it.
        let mut holders = self.holders;
        let count = holders.len().min(kept.len());
        while let Some((held, holder)) = (0..count).find_map(|free| {
            let holds = |&by: &usize| holders[by] != 0 && kept[by].retired.refers_to(&kept[free].retired);
            (0..count).find(holds).filter(|_| holders[free] == 0).map(|by| (free, holders[by]))
        }) {
            holders[held] = holder;
        }
        // Newer zombies stand behind the ones that were scanned.
        for (zombie, &holder) in holders.iter().enumerate().take(count).rev() {
            kept[zombie].holder = holder;
            if holder == 0 {
                freed.push(kept.remove(zombie));
            }
        }
        drop(kept);
        freed.len()
    }
}
