//! Preparing a replacement.

use alloc::{
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};

use comparison::{Comparison, Version, compare};
use hashbrown::{HashMap, HashSet};
use layout::{Layout, Segment};
use linker::{CellId, Function, Global, Index, Names, Reference, Stubs};
use manifest::{CellDetails, CellEntry};
use object::{Object, SectionKind, SymbolKind};

use super::{HandOver, Held, Pair, Prepared, ReplaceError, Unstable, patches::Patches, target};
use crate::{
    LoadError,
    cell::{Cell, Description},
    load::{Candidate, ThreadImage, duplicate, input, parse, register_frames},
    memory_error,
    segments::Drafts,
    state::State,
    stubs::Stage,
};

/// Both versions of one cell.
struct Work<'a> {
    old: CellId,
    old_object: Object<'a>,
    new_object: Object<'a>,
    comparison: Comparison,
}

/// The namespace as it will be: without the old cells.
struct After<'a> {
    own: &'a Index,
    loaded: &'a Index,
    gone: &'a HashSet<CellId>,
}

impl Names for After<'_> {
    fn find(&self, name: &str) -> Option<&Global> {
        match self.own.get(name) {
            Some(global) if !global.weak => Some(global),
            weak => self.loaded.get(name).filter(|global| !self.gone.contains(&global.cell)).or(weak),
        }
    }
}

/// Gives functions of new cells the stubs of those that they replace.
struct Inherited<'a> {
    stage: Stage<'a>,
    known: HashMap<Function, u64>,
}

impl Stubs for Inherited<'_> {
    fn stub(&mut self, function: Function, entry: u64) -> Option<u64> {
        self.known.get(&function).copied().or_else(|| self.stage.stub(function, entry))
    }
}

/// Everything that can fail; see the head of the module above.
pub(super) fn prepare(state: &mut State, build: &str) -> Result<Prepared, ReplaceError> {
    let entries = target(state, build)?;
    if entries.is_empty() {
        return Err(ReplaceError::Nothing { build: build.to_string() });
    }
    let candidates = entries.iter().map(|entry| fetch(state, entry)).collect::<Result<Vec<_>, _>>()?;
    let old_files: Vec<Arc<[u8]>> =
        entries.iter().filter_map(|entry| state.named(&entry.name).map(|cell| Arc::clone(&cell.file))).collect();
    let mut works = Vec::with_capacity(candidates.len());
    for (candidate, file) in candidates.iter().zip(&old_files) {
        works.push(examine(state, candidate, file)?);
    }
    exclude_lost_statics(state, &mut works);
    let mut prepared = build_new(state, &candidates, &works)?;
    prepared.unstable.extend(unstable_zombies(state, &candidates)?);
    prepared.hand_overs = hand_overs(state, &prepared)?;
    let patches = patch_references(state, &works, &mut prepared)
        .and_then(|mut patches| patch_stubs(state, &mut patches, &prepared).map(|()| patches));
    let finished = patches.and_then(|patches| {
        let outcome = patches.finish(state);
        outcome.map_err(|(cell, error)| ReplaceError::from(LoadError::Memory { cell, error }))
    });
    match finished {
        Ok((pages, words)) => {
            prepared.pages = pages;
            prepared.words = words;
            prepared.armed = true;
            Ok(prepared)
        }
        Err(error) => {
            for pair in &prepared.pairs {
                state.stubs.remove(pair.new.id);
            }
            Err(error)
        }
    }
}

fn fetch(state: &State, entry: &Arc<CellEntry>) -> Result<Candidate, LoadError> {
    let file = state.archive.object(entry).map_err(LoadError::Archive)?;
    Ok(Candidate { entry: Arc::clone(entry), file: file.into() })
}

fn details(state: &State, entry: &CellEntry) -> Result<CellDetails, LoadError> {
    state.archive.details(entry).map_err(LoadError::Archive)
}

fn examine<'a>(state: &State, candidate: &'a Candidate, old_file: &'a [u8]) -> Result<Work<'a>, ReplaceError> {
    let name = &candidate.entry.name;
    let missing = || ReplaceError::from(LoadError::Unknown { cell: name.clone() });
    let old = state.named(name).ok_or_else(missing)?;
    let malformed = |error| ReplaceError::from(LoadError::Object { cell: name.clone(), error });
    let old_object = Object::parse(old_file).map_err(malformed)?;
    let new_object = parse(candidate)?;
    let (old_details, new_details) = (details(state, &old.entry)?, details(state, &candidate.entry)?);
    // The functions have the same names in both versions, or the new one does not hand over.
    let hand_over =
        old.entry.hand_over.as_ref().filter(|functions| candidate.entry.hand_over.as_ref() == Some(functions));
    let called = |symbol: &str| {
        let global = state.index.get(symbol).filter(|global| global.cell == old.id);
        global.is_some_and(|global| {
            let function = Function { cell: old.id, section: global.section, offset: global.offset };
            let refers = |user: &Cell| {
                user.references.iter().any(|reference| (reference.cell, reference.symbol) == (old.id, global.symbol))
            };
            state.stubs.get(function).is_some() || state.cells.values().any(refers)
        })
    };
    let comparison = compare(
        &Version { name, object: &old_object, details: &old_details },
        &Version { name, object: &new_object, details: &new_details },
        hand_over,
        &called,
    )
    .map_err(|held| ReplaceError::Refused { cell: name.clone(), held })?;
    Ok(Work { old: old.id, old_object, new_object, comparison })
}

/// Text that names a static of another cell of the swap set which does not stay is not stable either.
fn exclude_lost_statics(state: &State, works: &mut [Work<'_>]) {
    let mut lost: HashSet<(CellId, u32)> = HashSet::new();
    for work in works.iter() {
        let kept: HashSet<usize> = work.comparison.kept_statics.values().copied().collect();
        for (number, section) in work.old_object.sections.iter().enumerate() {
            let is_static = matches!(section.kind, SectionKind::Data | SectionKind::Zero);
            if let (true, Ok(place)) = (is_static && !kept.contains(&number), u32::try_from(number)) {
                lost.insert((work.old, place));
            }
        }
    }
    for work in works {
        let object = &work.old_object;
        work.comparison.stable.retain(|&number| {
            !object.relocations(number).iter().any(|place| {
                let symbol = &object.symbols[place.symbol];
                let global = state.index.get(symbol.name).filter(|_| symbol.definition.is_none());
                global.is_some_and(|global| lost.contains(&(global.cell, global.section)))
            })
        });
    }
}

/// Text of earlier versions of the new cells, left by earlier swaps, that is not the same in the new ones.
fn unstable_zombies(state: &State, candidates: &[Candidate]) -> Result<Vec<Unstable>, ReplaceError> {
    let mut found = Vec::new();
    for zombie in state.zombies.values() {
        let Some(candidate) = candidates.iter().find(|candidate| candidate.entry.name == zombie.entry.name) else {
            continue;
        };
        let old_object =
            zombie.object().map_err(|error| LoadError::Object { cell: zombie.entry.name.clone(), error })?;
        let new_object = parse(candidate)?;
        let (before, after) = (details(state, &zombie.entry)?, details(state, &candidate.entry)?);
        let digest = |details: &CellDetails, number: usize| {
            let of_section = |section: &&manifest::SectionDigest| section.section as usize == number;
            details.sections.iter().find(of_section).map(|section| section.digest)
        };
        for (number, section) in old_object.sections.iter().enumerate() {
            if section.kind != SectionKind::Text {
                continue;
            }
            let other = new_object.sections.iter().position(|other| other.name == section.name);
            if other.is_some_and(|other| digest(&before, number) == digest(&after, other)) {
                continue;
            }
            found.push(unstable_section(zombie, number, section));
        }
    }
    Ok(found)
}

fn unstable_section(cell: &Cell, number: usize, section: &object::Section<'_>) -> Unstable {
    let placement = cell.layout.placements[number];
    let start = cell.bases.address(placement.segment, placement.offset);
    Unstable {
        range: start..start + section.size as u64,
        cell: cell.entry.name.clone(),
        section: section.name.to_string(),
    }
}

/// Loads the new cells beside the old ones.
fn build_new(state: &mut State, candidates: &[Candidate], works: &[Work<'_>]) -> Result<Prepared, ReplaceError> {
    let gone: HashSet<CellId> = works.iter().map(|work| work.old).collect();
    let mut own = Index::new();
    let mut drafts: Vec<(Cell, Drafts)> = Vec::with_capacity(works.len());
    for (candidate, work) in candidates.iter().zip(works) {
        let draft = draft(state, candidate, work)?;
        linker::exports(&input(&draft.0, &work.new_object), &mut own)
            .map_err(|error| duplicate(error, &draft.0, drafts.iter().map(|(cell, _)| cell)))?;
        drafts.push(draft);
    }
    let (stubs, known) = inherited_stubs(state, works, &drafts);
    let unstable = unstable(state, works);
    let State { stubs: table, index, .. } = state;
    let mut inherited = Inherited { stage: table.stage(), known };
    let names = After { own: &own, loaded: index, gone: &gone };
    let mut pairs = Vec::with_capacity(works.len());
    for ((mut cell, mut memory), work) in drafts.into_iter().zip(works) {
        let placements = cell.layout.placements.clone();
        let mut image = ThreadImage::new(&work.new_object, &cell.layout);
        let mut write = |section: usize, offset: usize, bytes: &[u8]| {
            let placement = placements[section];
            match placement.segment {
                Segment::Thread => image.write(placement.offset + offset, bytes),
                segment => memory.write(segment, placement.offset + offset, bytes),
            }
        };
        cell.references = linker::link(&input(&cell, &work.new_object), &names, &mut inherited, &mut write)
            .map_err(|error| LoadError::Link { cell: cell.entry.name.clone(), error })?;
        cell.segments = memory.finish().map_err(|error| LoadError::Memory { cell: cell.entry.name.clone(), error })?;
        register_frames(&mut cell)?;
        pairs.push(Pair { old: work.old, new: cell });
    }
    inherited
        .stage
        .commit()
        .map_err(|error| LoadError::Memory { cell: String::from("(stubs)"), error: memory_error(error) })?;
    Ok(Prepared {
        pairs,
        names: own,
        stubs,
        references: Vec::new(),
        successions: Vec::new(),
        words: Vec::new(),
        pages: Vec::new(),
        unstable,
        hand_overs: Vec::new(),
        armed: false,
    })
}

fn draft(state: &mut State, candidate: &Candidate, work: &Work<'_>) -> Result<(Cell, Drafts), ReplaceError> {
    let id = state.take_id();
    let old = &state.cells[&work.old];
    let address = |section: usize| {
        let placement = old.layout.placements[section];
        usize::try_from(old.bases.address(placement.segment, placement.offset)).ok()
    };
    let layout = Layout::with_fixed(&work.new_object, |section| {
        work.comparison.kept_statics.get(&section).and_then(|&section| address(section))
    });
    if layout.extent(Segment::Boot).size > 0 {
        return Err(LoadError::Boot { cell: candidate.entry.name.clone() }.into());
    }
    let (mut memory, mut bases) =
        Drafts::allocate(&layout).map_err(|error| LoadError::Memory { cell: candidate.entry.name.clone(), error })?;
    bases.thread = old.bases.thread;
    for (section, placement) in work.new_object.sections.iter().zip(&layout.placements) {
        memory.write(placement.segment, placement.offset, section.bytes);
    }
    let description = Description::new(&work.new_object, &layout, &candidate.file);
    let (entry, file) = (Arc::clone(&candidate.entry), Arc::clone(&candidate.file));
    Ok((Cell::new(id, entry, file, layout, bases, description), memory))
}

/// Stubs of old functions that have a counterpart: what they will lead to, and their addresses by the new function.
#[expect(clippy::type_complexity, reason = "two lists that are made together and go different ways")]
fn inherited_stubs(
    state: &State,
    works: &[Work<'_>],
    drafts: &[(Cell, Drafts)],
) -> (Vec<(Function, Function, u64)>, HashMap<Function, u64>) {
    let (mut changes, mut known) = (Vec::new(), HashMap::new());
    for (work, (new, _)) in works.iter().zip(drafts) {
        for (old, address) in state.stubs.of_cell(work.old) {
            let Some(&section) = work.comparison.counterpart.get(&(old.section as usize)) else { continue };
            if work.new_object.sections[section].kind != SectionKind::Text || old.offset != 0 {
                continue;
            }
            let Ok(number) = u32::try_from(section) else { continue };
            let function = Function { cell: new.id, section: number, offset: 0 };
            let entry = input(new, &work.new_object).address(section, 0);
            changes.push((old, function, entry));
            known.insert(function, address);
        }
    }
    (changes, known)
}

fn unstable(state: &State, works: &[Work<'_>]) -> Vec<Unstable> {
    let mut unstable = Vec::new();
    for work in works {
        let old = &state.cells[&work.old];
        for (number, section) in work.old_object.sections.iter().enumerate() {
            if section.kind != SectionKind::Text || work.comparison.stable.contains(&number) {
                continue;
            }
            unstable.push(unstable_section(old, number, section));
        }
    }
    unstable
}

/// The functions that hand state over, where both versions have them.
fn hand_overs(state: &State, prepared: &Prepared) -> Result<Vec<(String, HandOver)>, ReplaceError> {
    let mut found = Vec::new();
    for pair in &prepared.pairs {
        let old = &state.cells[&pair.old];
        let (Some((surrender, give_back)), Some((_, adopt))) = (&old.entry.hand_over, &pair.new.entry.hand_over) else {
            continue;
        };
        let address = |index: &Index, name: &String| {
            let missing = || ReplaceError::from(LoadError::Unknown { cell: name.clone() });
            index.get(name).map(|global| global.address.get()).ok_or_else(missing)
        };
        let hand_over = HandOver {
            surrender: address(&state.index, surrender)?,
            give_back: address(&state.index, give_back)?,
            adopt: address(&prepared.names, adopt)?,
        };
        found.push((old.entry.name.clone(), hand_over));
    }
    Ok(found)
}

/// What every cell that stays, and every text that may still run, must have in the place of its references to the old
/// cells.
fn patch_references(state: &State, works: &[Work<'_>], prepared: &mut Prepared) -> Result<Patches, ReplaceError> {
    let mut patches = Patches::default();
    let by_old: HashMap<CellId, (&Work<'_>, &Cell)> =
        works.iter().zip(&prepared.pairs).map(|(work, pair)| (work.old, (work, &pair.new))).collect();
    let mut references = Vec::new();
    let users = state.cells.values().filter(|user| !by_old.contains_key(&user.id)).map(|user| (user, false));
    for (user, zombie) in users.chain(state.zombies.values().map(|user| (user, true))) {
        for (place, reference) in user.references.iter().enumerate() {
            let Some((work, new)) = by_old.get(&reference.cell) else { continue };
            let symbol = &work.old_object.symbols[reference.symbol as usize];
            let Some(successor) = successor(work, new, symbol) else {
                if zombie {
                    continue;
                }
                let held = Held::Function { name: symbol.name.to_string(), user: user.entry.name.clone() };
                return Err(ReplaceError::Refused { cell: state.name_of(work.old), held });
            };
            patch(&mut patches, state, user, reference, symbol, &successor)?;
            references.push((user.id, place, Reference { cell: new.id, symbol: successor.symbol, ..*reference }));
        }
    }
    let mut successions = Vec::new();
    for work in works {
        let old = &state.cells[&work.old];
        for (section, reference) in text_that_goes_on(state, work, old, &by_old) {
            let (work, new) = by_old[&reference.cell];
            let symbol = &work.old_object.symbols[reference.symbol as usize];
            let Some(successor) = successor(work, new, symbol) else { continue };
            patch(&mut patches, state, old, &reference, symbol, &successor)?;
            successions.push((old.id, Reference { section, cell: new.id, symbol: successor.symbol, ..reference }));
        }
    }
    prepared.references = references;
    prepared.successions = successions;
    Ok(patches)
}

/// What takes a symbol's place in the new version of its cell.
struct Successor {
    address: u64,
    symbol: u32,
    kind: SymbolKind,
}

/// The symbol of the new version that stands for `symbol` of the old one: in the section of the same name.
fn successor(work: &Work<'_>, new: &Cell, symbol: &object::Symbol<'_>) -> Option<Successor> {
    let (section, offset) = symbol.definition?;
    let &section = work.comparison.counterpart.get(&section)?;
    let stands_for = |other: &object::Symbol<'_>| {
        other.definition == Some((section, offset)) && (other.name == symbol.name || symbol.kind == SymbolKind::Section)
    };
    let number = work.new_object.symbols.iter().position(stands_for)?;
    let placement = new.layout.placements[section];
    Some(Successor {
        address: new.bases.address(placement.segment, placement.offset + offset),
        symbol: u32::try_from(number).ok()?,
        kind: work.new_object.symbols[number].kind,
    })
}

/// The references from text of the old cell that may go on running to text of cells of the swap set, its own included.
fn text_that_goes_on(
    state: &State,
    work: &Work<'_>,
    old: &Cell,
    by_old: &HashMap<CellId, (&Work<'_>, &Cell)>,
) -> Vec<(u32, Reference)> {
    let mut found = Vec::new();
    for &number in &work.comparison.stable {
        let Ok(section) = u32::try_from(number) else { continue };
        for place in work.old_object.relocations(number) {
            let symbol = &work.old_object.symbols[place.symbol];
            let (cell, target, symbol) = match symbol.definition {
                Some((target, _)) => (work.old, target, place.symbol),
                None => match state.index.get(symbol.name) {
                    Some(global) => (global.cell, global.section as usize, global.symbol as usize),
                    None => continue,
                },
            };
            let Some((definer, _)) = by_old.get(&cell) else { continue };
            let (Ok(offset), Ok(symbol)) = (u32::try_from(place.offset), u32::try_from(symbol)) else { continue };
            // Constants stay as long as the old cell does, and are the same.
            if definer.old_object.sections[target].kind == SectionKind::Text || cell != old.id {
                found.push((
                    section,
                    Reference { section, offset, kind: place.kind, addend: place.addend, cell, symbol },
                ));
            }
        }
    }
    found
}

fn patch(
    patches: &mut Patches,
    state: &State,
    user: &Cell,
    reference: &Reference,
    symbol: &object::Symbol<'_>,
    successor: &Successor,
) -> Result<(), ReplaceError> {
    let function = matches!(symbol.kind, SymbolKind::Function | SymbolKind::Section);
    let (Some((section, inside)), Some(old)) = (symbol.definition, state.cells.get(&reference.cell)) else {
        return Ok(());
    };
    let old_placement = old.layout.placements[section];
    // An address that was taken is that of a stub, which stays.
    let stubbed = reference.kind.takes_address() && function && old_placement.segment == Segment::Text;
    let old_address = old.bases.address(old_placement.segment, old_placement.offset + inside);
    if stubbed || successor.kind == SymbolKind::Thread || old_address == successor.address {
        return Ok(());
    }
    let placement = user.layout.placements[reference.section as usize];
    let offset = placement.offset + reference.offset as usize;
    let place = user.bases.address(placement.segment, offset);
    let field = |address| {
        reference.kind.field(address, reference.addend, place).map_err(|overflow| LoadError::Link {
            cell: user.entry.name.clone(),
            error: linker::LinkError::overflow(symbol.name, reference.offset as usize, overflow),
        })
    };
    let (before, after) = (field(old_address)?, field(successor.address)?);
    patches
        .patch(user, placement.segment, offset, before.bytes(), after.bytes())
        .map_err(|error| ReplaceError::from(LoadError::Memory { cell: user.entry.name.clone(), error }))
}

fn patch_stubs(state: &State, patches: &mut Patches, prepared: &Prepared) -> Result<(), ReplaceError> {
    for (old, _, entry) in &prepared.stubs {
        let Some(address) = state.stubs.get(*old) else { continue };
        let failed = |error| ReplaceError::from(LoadError::Memory { cell: String::from("(stubs)"), error });
        let bytes = linker::stub(address, *entry).map_err(|overflow| LoadError::Link {
            cell: String::from("(stubs)"),
            error: linker::LinkError::overflow("stub", 0, overflow),
        })?;
        patches.patch_stub(&state.stubs, address, &bytes).map_err(failed)?;
    }
    Ok(())
}
