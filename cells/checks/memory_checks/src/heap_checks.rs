//! The heap gives blocks that are apart, and takes them back.

use alloc::alloc::{alloc, dealloc};
use alloc::vec::Vec;
use core::alloc::Layout;

use self_check::{CheckError, Outcome, expect};

fn layout(size: usize, alignment: usize) -> Result<Layout, CheckError> {
    Layout::from_size_align(size, alignment).map_err(|_| CheckError::Missing("memory"))
}

/// Blocks of all sizes, each filled with its number; every other one is given back and taken anew.
pub(crate) fn churn() -> Outcome {
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    for round in 0..3u8 {
        for number in 0..64u8 {
            let size = 1 + usize::from(number) * 37 + usize::from(round);
            let mut block = Vec::new();
            block.try_reserve_exact(size).map_err(|_| CheckError::Missing("memory"))?;
            block.resize(size, number);
            match blocks.get_mut(usize::from(number)) {
                Some(old) if (number + round) % 2 == 0 => *old = block,
                Some(_) => {}
                None => blocks.push(block),
            }
        }
    }
    for (number, block) in (0u64..).zip(&blocks) {
        for byte in block {
            expect("byte of a block", (*byte).into(), number)?;
        }
    }
    for shift in 0..14 {
        let layout = layout(24, 1 << shift)?;
        // SAFETY: the layout has a size, and the block is given back with it.
        unsafe {
            let block = alloc(layout);
            if block.is_null() {
                return Err(CheckError::Missing("memory"));
            }
            let misaligned = block.addr() % layout.align();
            dealloc(block, layout);
            expect("address modulo alignment", misaligned as u64, 0)?;
        }
    }
    Ok(())
}

pub(crate) fn impossible() -> Outcome {
    let more_than_there_is = frames::statistics().total * addresses::PAGE_SIZE + 1;
    let mut block: Vec<u8> = Vec::new();
    let outcome = block.try_reserve_exact(more_than_there_is);
    expect("refused", u64::from(outcome.is_err()), 1)?;
    block.try_reserve_exact(100).map_err(|_| CheckError::Missing("memory"))
}

pub(crate) fn grow_and_trim() -> Outcome {
    const LARGE: usize = 2 << 20;
    let mut block: Vec<u8> = Vec::new();
    block.try_reserve_exact(LARGE).map_err(|_| CheckError::Missing("memory"))?;
    let during = heap::statistics();
    expect("used grows by the block", u64::from(during.used >= LARGE), 1)?;
    expect("arena holds what is used", u64::from(during.arena >= during.used), 1)?;
    drop(block);
    heap::trim();
    // Others allocate meanwhile, and a block of theirs can pin the end: how much came back cannot be said.
    let after = heap::statistics();
    expect("arena holds what is used", u64::from(after.arena >= after.used), 1)
}
