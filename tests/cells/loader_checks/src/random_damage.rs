//! Damage at random, from fixed seeds.

use alloc::{format, string::ToString, vec::Vec};

use namespace::{LoadError, Scope};
use self_check::{CheckError, Outcome};
use task::{Builder, CpuSet};
use xorshift::Random;

use crate::{
    Unexpected,
    census::{Watch, says},
    crafted::{APPLICATION, KERNEL, sound},
    elf::{Elf, SECTION_OFFSET, SECTION_SIZE},
};

/// Damaged objects in each search.
const ROUNDS: usize = 300;

/// Turns bit `bit` of `file` over; `false` if it has no such bit.
pub(crate) fn flip(file: &mut [u8], bit: usize) -> bool {
    let byte = file.get_mut(bit / 8);
    let there = byte.is_some();
    if let Some(byte) = byte {
        *byte ^= 1 << (bit % 8);
    }
    there
}

pub(crate) fn all_sound() -> Outcome {
    // Twice before the books are compared: the area for stubs grows, then a table of names that was taken from as often as
    // it was added to. Both are kept for the next cell; memory that is lost at each load shows in the third round.
    for compared in [false, false, true] {
        let watch = Watch::new();
        for name in namespace::archived() {
            let file = namespace::archived_object(&name)?;
            match namespace::check_object(&name, &file, Scope::Private) {
                // The entry has a section that only the start can load.
                Ok(()) | Err(LoadError::Boot { .. }) => {}
                Err(error) => return Err(Unexpected::Refused { damage: name, reason: error.to_string() }.into()),
            }
        }
        if compared {
            watch.finish()?;
        }
    }
    Ok(())
}

pub(crate) fn truncated() -> Outcome {
    const FIRST: usize = 130;
    let mut random = Random::new(0x5eed_0001);
    for cell in [APPLICATION, KERNEL] {
        let elf = sound(cell)?;
        let watch = Watch::new();
        let length = elf.bytes.len();
        let seldom = (0..ROUNDS / 2).map(|_| random.below(length)).collect::<Vec<_>>();
        for size in (0..FIRST).chain(seldom).chain([length - 1]) {
            let fits = |error: &LoadError| matches!(error, LoadError::Object { .. });
            let damage = format!("cut off after {size} of {length} bytes");
            watch.refused(&damage, (cell, &elf.bytes[..size], Scope::Private), fits, &[cell])?;
        }
        watch.finish()?;
    }
    Ok(())
}

/// Bits of the file's header, of the table of sections, of symbols and of relocations.
fn structure(elf: &Elf) -> Vec<usize> {
    const HEADER: usize = 64;
    let ranges = elf.tables().chain(elf.symbol_table()).filter_map(|section| {
        let start = usize::try_from(elf.get(section, SECTION_OFFSET)).ok()?;
        Some(start..start + usize::try_from(elf.get(section, SECTION_SIZE)).ok()?)
    });
    let headers = elf.sections().map(|section| section.0..section.0 + HEADER);
    headers.chain(ranges).chain(core::iter::once(0..HEADER)).flatten().collect()
}

fn search(seed: u64, cell: &str, bytes: &[usize], least: usize) -> Outcome {
    let elf = sound(cell)?;
    let watch = Watch::new();
    let mut random = Random::new(seed);
    let mut refused = 0;
    for _ in 0..ROUNDS {
        let mut file = elf.bytes.clone();
        let bit = bytes[random.below(bytes.len())] * 8 + random.below(8);
        flip(&mut file, bit);
        if let Err(error) = watch.attempt(cell, &file, Scope::Private)? {
            refused += 1;
            says(&error, &[cell])?;
        }
    }
    watch.finish()?;
    if refused < least { Err(Unexpected::TooFew { refused, of: ROUNDS }.into()) } else { Ok(()) }
}

pub(crate) fn flips_in_structure() -> Outcome {
    for (seed, cell) in [(0x5eed_0002, APPLICATION), (0x5eed_0003, KERNEL)] {
        search(seed, cell, &structure(&sound(cell)?), ROUNDS / 4)?;
    }
    Ok(())
}

pub(crate) fn flips_anywhere() -> Outcome {
    for (seed, cell) in [(0x5eed_0004, APPLICATION), (0x5eed_0005, KERNEL)] {
        // A flip in code, in constants or in an unused name is seen by the digest alone.
        let all: Vec<usize> = (0..sound(cell)?.bytes.len()).collect();
        search(seed, cell, &all, ROUNDS / 20)?;
    }
    Ok(())
}

/// Damaged objects for each CPU.
const EACH: usize = 60;

/// On one CPU: damaged objects one after the other. Leftovers cannot be told here, for other CPUs do the same.
fn worker(seed: u64) -> Result<usize, CheckError> {
    let elf = sound(APPLICATION)?;
    let places = structure(&elf);
    let mut random = Random::new(seed);
    let mut refused = 0;
    for _ in 0..EACH {
        let mut file = elf.bytes.clone();
        flip(&mut file, places[random.below(places.len())] * 8 + random.below(8));
        if let Err(error) = namespace::check_object(APPLICATION, &file, Scope::Private) {
            refused += 1;
            says(&error, &[APPLICATION])?;
        }
    }
    Ok(refused)
}

pub(crate) fn everywhere() -> Outcome {
    let watch = Watch::new();
    let mut workers = Vec::new();
    for (cpu, seed) in task::scheduling_cpus().iter().zip(0x5eed_0010..) {
        let here = CpuSet::EMPTY.with(cpu);
        workers.push(Builder::new().name("damages").affinity(here).spawn(move || worker(seed))?);
    }
    for worker in workers {
        let refused = worker.join()??;
        if refused < EACH / 4 {
            return Err(Unexpected::TooFew { refused, of: EACH }.into());
        }
    }
    watch.finish()
}
