//! One look at all memory for references to replaced cells.

use alloc::{sync::Arc, vec::Vec};
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};

use addresses::PAGE_SIZE;
use namespace::CellId;
use namespace::parts::{self, ReclaimCap, Traces};
use pages::Region as Pages;
use spin::Once;
use task_core::TaskId;

use crate::found::{Found, Region};

// SAFETY: a cell is said to have no holder only by a scan that has run (`Scanned`), and found no frame and no word.
const RIGHT: ReclaimCap = unsafe { ReclaimCap::new() };

/// A static that is dead after the boot, and full of words that the boot left there.
static BOOT_STACK: Once<Range<u64>> = Once::new();

/// Tells the place of the stack that is not in use after the boot. The first call counts.
///
/// # Safety
/// No reference lies in the range that any code may still follow.
pub unsafe fn set_boot_stack(range: Range<u64>) {
    BOOT_STACK.call_once(|| range);
}

/// A range to which a word may lead that refers to a retired cell.
struct Target {
    range: Range<u64>,
    /// Place of the retired cell in `retired_cells`.
    retired_cell: usize,
    /// Whether words on stacks count.
    counts_on_stacks: bool,
}

/// The frames that stand in text of retired cells, as a walk over all stacks finds them.
pub struct Frames {
    texts: Vec<Text>,
}

struct Text {
    range: Range<u64>,
    /// Number of the task, and the address at which its frame stands; 0 for none.
    task: AtomicU64,
    address: AtomicU64,
}

impl Frames {
    /// Notes that a frame of the task stands at the address. Any CPU may call this.
    pub fn note(&self, task: Option<TaskId>, address: u64) {
        if let Some(text) = self.texts.iter().find(|text| text.range.contains(&address)) {
            text.task.store(task.map_or(0, TaskId::number), Ordering::Relaxed);
            text.address.store(address, Ordering::Relaxed);
        }
    }
}

/// A scan that has run.
pub struct Scanned(Scan);

impl Scanned {
    /// Frees the retired cells to which the scan found no reference; returns how many were freed.
    pub fn finish(self) -> usize {
        let name = |(cell, found): (CellId, Option<Found>)| {
            (cell, found.map(|found| found.name(parts::retired_name_at(cell, found.value).as_deref())))
        };
        parts::free_retired(RIGHT, self.0.retired_cells.into_iter().map(name).collect())
    }
}

/// All that a scan needs, made before the CPUs stop: a scan allocates nothing.
pub struct Scan {
    retired_cells: Vec<(CellId, Option<Found>)>,
    /// The text of each retired cell.
    texts: Vec<Range<u64>>,
    /// The number of retired cells to which no reference has been found.
    unheld: usize,
    targets: Vec<Target>,
    /// The range in which all targets lie: its start and its size.
    start: u64,
    size: u64,
    /// Words that are no references though they look like it.
    notes: Vec<Range<u64>>,
    statics: Vec<Range<u64>>,
    /// The object files, as clones, so that their memory is not given to others meanwhile; sorted by address. They take most of
    /// the heap, and hold bytes only.
    files: Vec<Arc<[u8]>>,
}

impl Scan {
    /// Makes ready to look for all retired cells; `None` if there are none.
    #[must_use]
    pub fn prepare() -> Option<Self> {
        let traces = parts::retired_traces();
        if traces.is_empty() {
            return None;
        }
        let (mut ids, mut texts, mut targets) = (Vec::new(), Vec::new(), Vec::new());
        for (number, Traces { cell, text, referable, handed_over }) in traces.into_iter().enumerate() {
            ids.push((cell, None));
            texts.push(text);
            let target = |counts_on_stacks| move |range| Target { range, retired_cell: number, counts_on_stacks };
            targets.extend(referable.into_iter().map(target(true)));
            targets.extend(handed_over.into_iter().map(target(false)));
        }
        let (table, bytes) = unwind_table::table();
        let table = table as u64..(table + bytes) as u64;
        let notes = BOOT_STACK.get().cloned().into_iter().chain([stacks::pool_record(), table]).collect();
        let mut files = parts::files();
        files.sort_unstable_by_key(|file| file.as_ptr().addr());
        let start = targets.iter().map(|target| target.range.start).min().unwrap_or(u64::MAX);
        let end = targets.iter().map(|target| target.range.end).max().unwrap_or(start);
        Some(Self {
            unheld: ids.len(),
            retired_cells: ids,
            texts,
            targets,
            start,
            size: end - start,
            notes,
            statics: parts::data_ranges(),
            files,
        })
    }

    /// Takes the notes of a walk over all stacks, which comes before the scan.
    #[must_use]
    pub fn frames(&mut self) -> Frames {
        let text = |range| Text { range, task: AtomicU64::new(0), address: AtomicU64::new(0) };
        Frames { texts: core::mem::take(&mut self.texts).into_iter().map(text).collect() }
    }

    /// Looks at every word that may hold a reference, or until there is one to each retired cell. Takes and frees no memory.
    ///
    /// # Safety
    /// All other CPUs are stopped. A walk over all stacks has noted their frames in `frames` since they stopped. No reference
    /// lies below `floor` on the caller's own stack.
    #[must_use]
    pub unsafe fn run(mut self, frames: &Frames, floor: u64) -> Scanned {
        for (retired_cell, text) in frames.texts.iter().enumerate() {
            let (task, address) = (text.task.load(Ordering::Relaxed), text.address.load(Ordering::Relaxed));
            if address != 0 {
                self.hold(retired_cell, Found { address, value: address, region: Region::Frame(task) });
            }
        }
        // Stacks come first: they are small, and most retired cells that are held are held from there.
        self.scan_tasks(floor);
        for index in 0..self.statics.len() {
            self.scan(self.statics[index].clone(), Region::Statics);
        }
        self.scan_heap();
        Scanned(self)
    }

    fn scan_tasks(&mut self, floor: u64) {
        let current = task_core::current_id();
        let thread_locals = thread_local_image::size() as u64;
        task_core::visit(&mut |task| {
            if !task.has_begun() || task.ended().is_some() {
                return;
            }
            let lowest = match task.saved_stack_pointer() {
                _ if Some(task.id()) == current => floor,
                Some(stack_pointer) => stack_pointer,
                None => stop_machine::stopped_at(task.cpu()),
            };
            let stack = task.stack_bounds();
            self.scan(lowest.max(stack.low)..stack.high, Region::Stack(task.id()));
            let pointer = task.thread_pointer();
            self.scan(pointer.saturating_sub(thread_locals)..pointer, Region::ThreadLocals(task.id()));
        });
    }

    fn scan_heap(&mut self) {
        let start = Pages::Heap.start().as_u64();
        let heap = start..start + (Pages::Heap.pages() * PAGE_SIZE) as u64;
        let mut next_file = 0;
        mapping::for_each_mapping(|mapping| {
            let page = mapping.page.start().as_u64();
            if self.unheld > 0 && heap.contains(&page) && mapping.present {
                self.scan_between_files(page..page + PAGE_SIZE as u64, &mut next_file);
            }
        });
    }

    /// Scans the words that belong to no object file. `next` is the first file that may end behind the start of `range`; ranges
    /// come in ascending order.
    fn scan_between_files(&mut self, range: Range<u64>, next: &mut usize) {
        let mut start = range.start;
        while start < range.end {
            let words = match self.files.get(*next) {
                // Words that lie in the file as a whole.
                Some(file) => {
                    let first = file.as_ptr().addr() as u64;
                    first.next_multiple_of(8)..(first + file.len() as u64) & !7
                }
                None => range.end..range.end,
            };
            if words.end <= start && *next < self.files.len() {
                *next += 1;
                continue;
            }
            self.scan(start..words.start.clamp(start, range.end), Region::Heap);
            start = words.end.max(start).min(range.end);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "an address of this machine is a usize")]
    fn scan(&mut self, range: Range<u64>, region: Region) {
        let mut address = range.start & !7;
        while address + 8 <= range.end && self.unheld > 0 {
            let word: *const u64 = core::ptr::with_exposed_provenance(address as usize);
            // SAFETY: heap, statics, stacks in use and thread locals are mapped. The word may belong to any task, and none runs
            // now (`Scan::run`); volatile, because the compiler does not see the writer.
            let value = unsafe { word.read_volatile() };
            if value.wrapping_sub(self.start) < self.size {
                self.note(Found { address, value, region });
            }
            address += 8;
        }
    }

    fn note(&mut self, found: Found) {
        let Some(target) = self.targets.iter().find(|target| target.range.contains(&found.value)) else { return };
        if !target.counts_on_stacks && matches!(found.region, Region::Stack(_)) {
            return;
        }
        let retired_cell = target.retired_cell;
        // Stacks are looked at while the tasks are, which then cannot be asked.
        let is_record = matches!(found.region, Region::Heap) && task_core::is_record(found.address);
        if !is_record && !self.is_note(found.address) {
            self.hold(retired_cell, found);
        }
    }

    fn hold(&mut self, retired_cell: usize, found: Found) {
        if let Some((_, first @ None)) = self.retired_cells.get_mut(retired_cell) {
            *first = Some(found);
            self.unheld -= 1;
        }
    }

    /// Whether the word at `address` is part of the notes that the loader or this scan keep about retired cells.
    fn is_note(&self, address: u64) -> bool {
        fn covers<T>(list: &[T], address: u64) -> bool {
            let start = list.as_ptr().addr() as u64;
            (start..start + size_of_val(list) as u64).contains(&address)
        }
        covers(&self.targets, address)
            || covers(&self.notes, address)
            || covers(&self.statics, address)
            || covers(&self.retired_cells, address)
            || self.notes.iter().any(|range| range.contains(&address))
            || parts::is_record(address)
    }
}
