//! The record of a loaded cell.

use alloc::{collections::TryReserveError, string::String, sync::Arc, vec::Vec};
use core::ops::Range;

use layout::{Layout, Segment};
use linker::{Address, Bases, CellId, Input, Reference};
use manifest::CellEntry;
use mapping::{Executable, InUse, MappedPages, ReadOnly};
use object::{Binding, Object, ObjectError, SectionKind, SymbolKind};
use unwind_table::Registration;

use crate::{holder::Holder, segments::Segments};

/// A function of a cell, for naming an address in the text.
#[derive(Clone, Copy, Debug)]
struct Function {
    /// Offset from the start of the text, bytes.
    start: u32,
    size: u32,
    section: u32,
    /// Where its mangled name lies in the object file.
    name: (u32, u32),
}

/// A loaded cell.
#[derive(Debug)]
pub struct Cell {
    /// Its number.
    pub id: CellId,
    /// Its entry in the manifest.
    pub entry: Arc<CellEntry>,
    /// The pristine object: names, and the original for repair.
    pub(crate) file: Arc<[u8]>,
    /// The places of its sections in its segments.
    pub layout: Layout,
    /// The addresses of its segments.
    pub bases: Bases,
    /// The references of this cell to others: to which, where and how.
    pub references: Vec<Reference>,
    /// The cells that refer to this one, sorted.
    pub users: Vec<CellId>,
    /// It left while a replacement was under way, and is to be taken out when that is over.
    pub(crate) leaving: bool,
    /// Of a replaced cell: the reference that the last scan found.
    pub(crate) holder: Holder,
    /// Its frame table; taken out of the unwinder's sight when this is dropped, which is before the text goes.
    pub(crate) frames: Option<Registration>,
    /// Its thread locals, present in every task as long as this lives.
    pub(crate) thread_locals: Option<thread_local_image::Registration>,
    /// Its memory. Declared after `frames`, so that it is dropped after it.
    pub(crate) segments: Segments,
    functions: Arc<[Function]>,
}

/// The names in a cell that is prepared, but not in the tables yet.
#[derive(Debug)]
pub struct PendingCell {
    entry: Arc<CellEntry>,
    file: Arc<[u8]>,
    text: Address,
    functions: Arc<[Function]>,
}

impl PendingCell {
    /// The name of the cell.
    pub(crate) fn name(&self) -> &str {
        &self.entry.name
    }

    /// As [`Cell::function_at`].
    pub(crate) fn function_at(&self, address: u64) -> Option<(&str, u32, u64)> {
        function_at(&self.functions, &self.file, address.checked_sub(self.text.get())?)
    }
}

/// The one of `functions` around `offset` in the text: its mangled name in `file`, its section and the distance from its start.
fn function_at<'a>(functions: &[Function], file: &'a [u8], offset: u64) -> Option<(&'a str, u32, u64)> {
    let after = functions.partition_point(|function| u64::from(function.start) <= offset);
    let function = functions.get(after.checked_sub(1)?)?;
    let (start, size) = (u64::from(function.start), u64::from(function.size));
    if offset >= start + size.max(1) {
        return None;
    }
    let (name, length) = (function.name.0 as usize, function.name.1 as usize);
    let name = core::str::from_utf8(file.get(name..name + length)?).ok()?;
    Some((name, function.section, offset - start))
}

/// Everything about a cell but its memory, made while it is prepared.
pub(crate) struct Description {
    functions: Arc<[Function]>,
}

impl Description {
    /// Lists the functions of `object`, which was read from `file`.
    pub(crate) fn new(object: &Object<'_>, layout: &Layout, file: &[u8]) -> Self {
        let mut functions = Vec::new();
        for symbol in &object.symbols {
            let (Some((section, offset)), SymbolKind::Function) = (symbol.definition, symbol.kind) else { continue };
            if object.sections[section].kind != SectionKind::Text {
                continue;
            }
            let name_start = symbol.name.as_ptr().addr().wrapping_sub(file.as_ptr().addr());
            functions.push(Function {
                start: narrow(layout.placements[section].offset + offset),
                size: narrow(symbol.size),
                section: narrow(section),
                name: (narrow(name_start), narrow(symbol.name.len())),
            });
        }
        functions.sort_unstable_by_key(|function| function.start);
        Self { functions: functions.into() }
    }
}

fn narrow(number: usize) -> u32 {
    // An object file is at most 16 MiB (`archive`), so every offset in it fits.
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Cell {
    pub(crate) fn new(
        id: CellId,
        entry: Arc<CellEntry>,
        file: Arc<[u8]>,
        layout: Layout,
        bases: Bases,
        description: Description,
    ) -> Self {
        Self {
            id,
            entry,
            file,
            layout,
            bases,
            segments: Segments::default(),
            references: Vec::new(),
            users: Vec::new(),
            leaving: false,
            holder: Holder::UNKNOWN,
            frames: None,
            thread_locals: None,
            functions: description.functions,
        }
    }

    /// The cell as the linker takes it, with its `object`.
    #[must_use]
    pub fn input<'a>(&'a self, object: &'a Object<'a>) -> Input<'a> {
        Input { cell: self.id, object, layout: &self.layout, bases: self.bases }
    }

    /// The distinct cells that this one refers to.
    pub(crate) fn used_cells(&self) -> Vec<CellId> {
        let mut used: Vec<CellId> = self.references.iter().map(|reference| reference.cell).collect();
        used.sort_unstable();
        used.dedup();
        used
    }

    /// Notes that `user` refers to this cell. Takes no memory if room was made for it.
    pub(crate) fn add_user(&mut self, user: CellId) {
        if let Err(place) = self.users.binary_search(&user) {
            self.users.insert(place, user);
        }
    }

    /// Forgets that `user` refers to this cell.
    pub(crate) fn remove_user(&mut self, user: CellId) {
        if let Ok(place) = self.users.binary_search(&user) {
            self.users.remove(place);
        }
    }

    /// The checked object again. It was read before from the same bytes, so it can be read now.
    pub(crate) fn object(&self) -> Result<Object<'_>, ObjectError> {
        Object::parse(&self.file)
    }

    /// Addresses of `segment`.
    pub(crate) fn range(&self, segment: Segment) -> Range<u64> {
        let start = self.bases.address(segment, 0);
        start..start + self.layout.extent(segment).size as u64
    }

    /// Whether the byte at `address` belongs to this cell, and to which segment.
    pub(crate) fn segment_of(&self, address: u64) -> Option<Segment> {
        [Segment::Text, Segment::Constants, Segment::Data]
            .into_iter()
            .find(|&segment| self.range(segment).contains(&address))
    }

    /// Its names, for the time in which it is prepared.
    #[must_use]
    pub fn pending(&self) -> PendingCell {
        PendingCell {
            entry: Arc::clone(&self.entry),
            file: Arc::clone(&self.file),
            text: self.bases.text,
            functions: Arc::clone(&self.functions),
        }
    }

    /// The function around `address`: its mangled name, its section and the distance from its start.
    pub(crate) fn function_at(&self, address: u64) -> Option<(&str, u32, u64)> {
        let offset = address.checked_sub(self.bases.text.get())?;
        function_at(&self.functions, &self.file, offset)
    }

    /// Whether a function starts at `address` that can have changed nothing which its callers own.
    pub(crate) fn is_isolated_function(&self, address: u64) -> bool {
        let function = self.function_at(address).filter(|&(_, _, offset)| offset == 0);
        function.is_some_and(|(_, section, _)| self.entry.isolated_functions.binary_search(&section).is_ok())
    }

    /// Whether statics that this cell took over lie in `pages`.
    pub(crate) fn keeps_statics_in(&self, pages: &MappedPages<InUse>) -> bool {
        let first = pages.start().as_u64();
        let range = first..first + pages.len() as u64;
        let fixed = self.layout.placements.iter().filter(|placement| placement.segment == Segment::Fixed);
        fixed.map(|placement| self.bases.address(Segment::Fixed, placement.offset)).any(|start| range.contains(&start))
    }

    /// The name of the section at `address` without its kind (`.rodata.`).
    pub(crate) fn section_at(&self, address: u64) -> Option<String> {
        let object = self.object().ok()?;
        let around = |(section, placement): &(&object::Section<'_>, &layout::Placement)| {
            let start = self.bases.address(placement.segment, placement.offset);
            placement.segment != Segment::Thread && (start..start + section.size as u64).contains(&address)
        };
        let (section, _) = object.sections.iter().zip(&self.layout.placements).find(around)?;
        let name = section.name.trim_start_matches('.');
        Some(String::from(name.split_once('.').map_or(name, |(_, name)| name)))
    }

    /// The pages of its text.
    #[must_use]
    pub fn text(&self) -> Option<&MappedPages<Executable>> {
        self.segments.text.as_ref()
    }

    /// The pages of its constants.
    #[must_use]
    pub fn constants(&self) -> Option<&MappedPages<ReadOnly>> {
        self.segments.constants.as_ref()
    }

    /// Makes room for all that [`take_over`](Self::take_over) may take from `old`.
    ///
    /// # Errors
    /// There is no memory.
    pub fn make_room_for(&mut self, old: &Self) -> Result<(), TryReserveError> {
        self.segments.data.try_reserve_exact(old.segments.data.len())
    }

    /// Takes over the parts of `old` that stay: thread locals, which are the same, and the pages of statics that keep their
    /// place. Takes no memory if room was made.
    pub fn take_over(&mut self, old: &mut Self) {
        let data = &mut old.segments.data;
        while let Some(place) = data.iter().position(|pages| self.keeps_statics_in(pages)) {
            self.segments.data.push(data.swap_remove(place));
        }
        self.thread_locals = self.thread_locals.take().or_else(|| old.thread_locals.take());
    }

    /// The mangled name of the static at `address`.
    pub(crate) fn static_at(&self, address: u64) -> Option<String> {
        let object = self.object().ok()?;
        let around = |symbol: &&object::Symbol<'_>| {
            symbol.definition.is_some_and(|(section, offset)| {
                let placement = self.layout.placements[section];
                let start = self.bases.address(placement.segment, placement.offset + offset);
                matches!(placement.segment, Segment::Data | Segment::Fixed)
                    && (start..start + symbol.size as u64).contains(&address)
            })
        };
        object.symbols.iter().find(around).map(|symbol| String::from(symbol.name))
    }

    /// The names of its statics, mangled, with their sizes.
    pub(crate) fn statics(&self) -> Vec<(String, usize)> {
        let Ok(object) = self.object() else { return Vec::new() };
        let in_data = |section: usize| matches!(object.sections[section].kind, SectionKind::Data | SectionKind::Zero);
        object
            .symbols
            .iter()
            .filter(|symbol| symbol.kind == SymbolKind::Data || symbol.binding != Binding::Local)
            .filter(|symbol| symbol.definition.is_some_and(|(section, _)| in_data(section)))
            .map(|symbol| (String::from(symbol.name), symbol.size))
            .collect()
    }
}
