//! Links cells: gives each reference its value.
//!
//! The host uses it to lay out the seed, the kernel to load every other cell; there is no second linker. Linking a set
//! of cells takes two passes, so that the cells of a set may refer to each other in circles:
//! 1. every cell [exports](exports) its globals into the [`Index`], at the addresses it *will* have;
//! 2. every cell is [linked](link()) against the index into buffers that nothing runs from yet.
//!
//! Guarantees: names are matched exactly; if the address of a function is taken, the function is reached through its
//! permanent stub; each reference to another cell is reported, so that both sides can record it. Nothing is written but
//! the given buffers, so an error leaves only those to be thrown away.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod address;
mod error;
mod index;

use alloc::vec::Vec;

pub use address::Address;
pub use error::{LinkError, LinkErrorKind};
pub use index::{CellId, Duplicate, Global, Index, Layered, Names};
use layout::{Layout, Segment};
use object::{Binding, Object, SectionKind, SymbolKind};
use relocation::{Kind, Overflow};

/// Addresses of a cell's segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bases {
    /// Of the text, page-aligned.
    pub text: Address,
    /// Of the constants, page-aligned.
    pub constants: Address,
    /// Of the data, page-aligned.
    pub data: Address,
    /// Of the `.boot` section; 0 for all cells but the seed's entry.
    pub boot: u64,
    /// Distance of the thread-local block below the thread pointer, bytes (the block is at `thread pointer - thread`).
    pub thread: u64,
}

impl Bases {
    /// Where the byte at `offset` of `segment` is; for [`Segment::Thread`] its negative distance from the thread pointer.
    #[must_use]
    pub fn address(&self, segment: Segment, offset: usize) -> u64 {
        let base = match segment {
            Segment::Text => self.text.get(),
            Segment::Constants => self.constants.get(),
            Segment::Data => self.data.get(),
            Segment::Boot => self.boot,
            Segment::Thread => 0_u64.wrapping_sub(self.thread),
            Segment::Fixed => 0,
        };
        base.wrapping_add(offset as u64)
    }
}

/// A cell to be linked: its object and its addresses.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Its number in the index.
    pub cell: CellId,
    /// Its checked object.
    pub object: &'a Object<'a>,
    /// Where its sections go.
    pub layout: &'a Layout,
    /// Where its segments go.
    pub bases: Bases,
}

impl Input<'_> {
    /// Where the byte at `offset` of `section` will be.
    #[must_use]
    pub fn address(&self, section: usize, offset: usize) -> u64 {
        let placement = self.layout.placements[section];
        self.bases.address(placement.segment, placement.offset + offset)
    }
}

/// A function by the place where it is defined; the key of its permanent stub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Function {
    /// The cell that defines it.
    pub cell: CellId,
    /// The section it is in.
    pub section: u32,
    /// Offset of its entry in the section, bytes.
    pub offset: u32,
}

/// The permanent stubs, which the caller of the linker keeps.
pub trait Stubs {
    /// The address of the stub of `function`, which starts at `entry`; made if there is none yet. `None`: no room.
    fn stub(&mut self, function: Function, entry: u64) -> Option<u64>;
}

/// A reference that crosses from one cell to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The referring section of the cell that was linked.
    pub section: u32,
    /// Offset of the field in that section, bytes.
    pub offset: u32,
    /// How the field is computed.
    pub kind: Kind,
    /// Added to the target's address.
    pub addend: i64,
    /// The cell referred to.
    pub cell: CellId,
    /// The symbol referred to, by its index in that cell's object.
    pub symbol: u32,
}

/// Enters the globals that `input` defines into `index`.
///
/// # Errors
/// [`Duplicate`] if another cell has a strong definition of the same name; the index then holds the names that were entered before.
pub fn exports(input: &Input<'_>, index: &mut Index) -> Result<(), Duplicate> {
    for (number, symbol) in input.object.symbols.iter().enumerate() {
        let (Some((section, offset)), Binding::Global | Binding::Weak) = (symbol.definition, symbol.binding) else {
            continue;
        };
        index.insert(
            symbol.name,
            Global {
                cell: input.cell,
                symbol: narrow(number),
                section: narrow(section),
                offset: narrow(offset),
                address: Address::new(input.address(section, offset)),
                kind: symbol.kind,
                weak: symbol.binding == Binding::Weak,
            },
        )?;
    }
    Ok(())
}

/// The value of a symbol of the object.
#[derive(Clone, Copy)]
struct Target {
    address: Address,
    kind: SymbolKind,
    function: Option<Function>,
    foreign: Option<(CellId, u32)>,
}

/// Links `input`: calls `write(section, offset, bytes)` for each field and returns the references to other cells.
///
/// # Errors
/// [`LinkError`] names the section and the symbol: not found, out of reach, or of the wrong kind.
pub fn link(
    input: &Input<'_>,
    names: &dyn Names,
    stubs: &mut dyn Stubs,
    write: &mut dyn FnMut(usize, usize, &[u8]),
) -> Result<Vec<Reference>, LinkError> {
    let mut references = Vec::new();
    let mut targets: Vec<Option<Target>> = Vec::new();
    targets.resize(input.object.symbols.len(), None);
    for (section, content) in input.object.sections.iter().enumerate() {
        for relocation in input.object.relocations(section) {
            let fail = |kind| {
                LinkError::new(content.name, input.object.symbols[relocation.symbol].name, relocation.offset, kind)
            };
            let target = match targets[relocation.symbol] {
                Some(target) => target,
                None => {
                    let target =
                        resolve(input, names, relocation.symbol).ok_or_else(|| fail(LinkErrorKind::Undefined))?;
                    *targets[relocation.symbol].insert(target)
                }
            };
            if (target.kind == SymbolKind::Thread) != (relocation.kind == Kind::ThreadOffset32) {
                return Err(fail(LinkErrorKind::ThreadLocalMismatch));
            }
            let address = match stub_of(content.kind, relocation, &target) {
                Some(function) => {
                    stubs.stub(function, target.address.get()).ok_or_else(|| fail(LinkErrorKind::StubsExhausted))?
                }
                None => target.address.get(),
            };
            let place = input.address(section, relocation.offset);
            let field = relocation
                .kind
                .field(address, relocation.addend, place)
                .map_err(|overflow| fail(LinkErrorKind::Overflow(overflow)))?;
            write(section, relocation.offset, field.bytes());
            if let Some((cell, symbol)) = target.foreign {
                references.push(Reference {
                    section: narrow(section),
                    offset: narrow(relocation.offset),
                    kind: relocation.kind,
                    addend: relocation.addend,
                    cell,
                    symbol,
                });
            }
        }
    }
    Ok(references)
}

fn resolve(input: &Input<'_>, names: &dyn Names, symbol: usize) -> Option<Target> {
    let symbol = &input.object.symbols[symbol];
    // A weak definition yields to a strong one elsewhere, so only local symbols are resolved without the index.
    match symbol.definition {
        Some((section, offset)) if symbol.binding == Binding::Local => {
            let text = input.object.sections[section].kind == SectionKind::Text;
            let kind = match input.object.sections[section].kind {
                SectionKind::ThreadData | SectionKind::ThreadZero => SymbolKind::Thread,
                _ => symbol.kind,
            };
            Some(Target {
                address: Address::new(input.address(section, offset)),
                kind,
                function: (text && matches!(symbol.kind, SymbolKind::Function | SymbolKind::Section))
                    .then_some(Function { cell: input.cell, section: narrow(section), offset: narrow(offset) }),
                foreign: None,
            })
        }
        _ if symbol.name.is_empty() => None,
        _ => {
            let global = names.find(symbol.name)?;
            Some(Target {
                address: global.address,
                kind: global.kind,
                function: (global.kind == SymbolKind::Function).then_some(Function {
                    cell: global.cell,
                    section: global.section,
                    offset: global.offset,
                }),
                foreign: (global.cell != input.cell).then_some((global.cell, global.symbol)),
            })
        }
    }
}

/// The function that the reference must reach through a stub.
///
/// An addend leads into the middle of a function (a jump table), which is no address that outlives the function; call
/// frame information and the tables for landing pads describe the very bytes they name.
fn stub_of(referrer: SectionKind, relocation: &object::Relocation, target: &Target) -> Option<Function> {
    let described = matches!(referrer, SectionKind::Frames | SectionKind::Boot);
    if relocation.takes_entry() && !described { target.function } else { None }
}

/// Sections, symbols and offsets of one object fit 32 bits: it is at most [`object::MAX_SIZE`].
#[expect(clippy::cast_possible_truncation, reason = "an object is at most `object::MAX_SIZE`")]
fn narrow(number: usize) -> u32 {
    debug_assert!(u32::try_from(number).is_ok());
    number as u32
}

/// Bytes of one permanent stub: a jump with a 32-bit distance, filled up to a word that is written at once.
pub const STUB_SIZE: usize = 8;

/// The stub at `address` for the function that starts at `target`: `jmp target`, then breakpoints.
///
/// # Errors
/// [`Overflow`] if the target is more than 2 GiB away.
pub fn stub(address: u64, target: u64) -> Result<[u8; STUB_SIZE], Overflow> {
    const JUMP: u8 = 0xe9;
    const BREAKPOINT: u8 = 0xcc;
    let mut bytes = [BREAKPOINT; STUB_SIZE];
    bytes[0] = JUMP;
    let field = Kind::Call32.field(target, -4, address.wrapping_add(1))?;
    bytes[1..5].copy_from_slice(field.bytes());
    Ok(bytes)
}
