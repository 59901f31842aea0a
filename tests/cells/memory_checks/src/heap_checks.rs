//! The heap gives blocks that are apart, and takes them back.

use alloc::alloc::{alloc, dealloc, realloc};
use alloc::vec::Vec;
use core::alloc::Layout;

use addresses::PAGE_SIZE;
use frames::Purpose;
use mapping::{MappedPages, Writable};
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

/// A word that a former owner may have left in memory.
const LEFT_OVER: u64 = 0x5e1f_5e1f_5e1f_5e1f;

/// How many of the block's words from byte `first` on are [`LEFT_OVER`].
///
/// # Safety
/// The block is the caller's, a word aligned and `size` bytes long.
unsafe fn left_over(block: *const u8, first: usize, size: usize) -> u64 {
    // SAFETY: the caller's promise; volatile, because no code has written these words for the caller.
    let is_left = |&offset: &usize| unsafe { block.add(offset).cast::<u64>().read_volatile() } == LEFT_OVER;
    (first..size).step_by(size_of::<u64>()).filter(is_left).map(|_| 1).sum()
}

/// Pages that the heap gets anew, from frames in which something was left.
pub(crate) fn clean_when_it_grows() -> Outcome {
    const LARGE: usize = 4 << 20;
    heap::trim();
    let taken: Result<MappedPages<Writable>, _> = mapping::allocate(2 * LARGE / PAGE_SIZE, Writable, Purpose::Other);
    let mut taken = taken.map_err(|_| CheckError::Missing("memory"))?;
    for word in taken.bytes_mut().chunks_exact_mut(size_of::<u64>()) {
        word.copy_from_slice(&LEFT_OVER.to_ne_bytes());
    }
    drop(taken);
    let layout = layout(LARGE, size_of::<u64>())?;
    // SAFETY: the layout has a size, and the block is given back with it.
    let left = unsafe {
        let block = alloc(layout);
        if block.is_null() {
            return Err(CheckError::Missing("memory"));
        }
        let left = left_over(block, 0, LARGE);
        dealloc(block, layout);
        left
    };
    expect("words left in fresh pages", left, 0)
}

/// A block that became smaller, and large again: in its class of sizes, and in the general allocator.
pub(crate) fn clean_when_cut() -> Outcome {
    for (large, small) in [(64, 40), (64 << 10, 16 << 10)] {
        let layout = layout(large, size_of::<u64>())?;
        let cut = self::layout(small, size_of::<u64>())?;
        // SAFETY: the block is as long as is written, each size is told as it is, and the block is given back with the last.
        let left = unsafe {
            let mut block = alloc(layout);
            if block.is_null() {
                return Err(CheckError::Missing("memory"));
            }
            for offset in (0..large).step_by(size_of::<u64>()) {
                block.add(offset).cast::<u64>().write(LEFT_OVER);
            }
            for (before, after) in [(layout, small), (cut, large)] {
                let moved = realloc(block, before, after);
                if moved.is_null() {
                    dealloc(block, before);
                    return Err(CheckError::Missing("memory"));
                }
                block = moved;
            }
            let left = left_over(block, small, large);
            dealloc(block, layout);
            left
        };
        expect("words left where a block was cut off", left, 0)?;
    }
    Ok(())
}
