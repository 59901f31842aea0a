//! The root pointer structure: where it is, and where it says that the table of tables is.

use addresses::PhysAddr;
use alloc::vec;

use crate::{PhysicalMemory, TablesError};

/// Where ACPI says to look besides the loader's hint.
const BIOS_AREA: (u64, usize) = (0xe_0000, 0x2_0000);
const SIGNATURE: &[u8] = b"RSD PTR ";
/// The part that the first sum covers.
const FIRST_PART: usize = 20;
/// The structure of the second revision.
const WHOLE: usize = 36;
/// The structure is aligned so.
const STEP: usize = 16;

/// Searches the BIOS area.
pub(crate) fn search<M: PhysicalMemory>(memory: &M) -> Result<Option<PhysAddr>, M::Error> {
    let (start, size) = BIOS_AREA;
    let mut area = vec![0; size];
    memory.read(PhysAddr::new(start), &mut area)?;
    Ok(find(&area).map(|offset| PhysAddr::new(start + offset as u64)))
}

/// Whether the structure is at this address.
pub(crate) fn is_at<M: PhysicalMemory>(memory: &M, address: PhysAddr) -> Result<bool, M::Error> {
    let mut bytes = [0; FIRST_PART];
    memory.read(address, &mut bytes)?;
    Ok(is_root(&bytes))
}

/// The table that lists all others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TableOfTables {
    pub(crate) address: PhysAddr,
    /// Bytes per entry: 4 in the first revision, 8 later.
    pub(crate) entry_size: usize,
}

/// Reads the structure at `root`.
pub(crate) fn table_of_tables<M: PhysicalMemory>(
    memory: &M,
    root: PhysAddr,
) -> Result<TableOfTables, TablesError<M::Error>> {
    let mut bytes = [0; WHOLE];
    memory.read(root, &mut bytes)?;
    parse(&bytes).ok_or(TablesError::NoRoot)
}

fn parse(bytes: &[u8]) -> Option<TableOfTables> {
    let number = |range: core::ops::Range<usize>| {
        bytes.get(range).map(|bytes| bytes.iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte)))
    };
    let revision = *bytes.get(15)?;
    let (long, short) = (number(24..32)?, number(16..20)?);
    let (address, entry_size) = if revision >= 2 && long != 0 { (long, 8) } else { (short, 4) };
    PhysAddr::try_new(address)
        .ok()
        .filter(|address| !address.is_null())
        .map(|address| TableOfTables { address, entry_size })
}

fn find(area: &[u8]) -> Option<usize> {
    (0..area.len()).step_by(STEP).find(|&offset| area.get(offset..offset + FIRST_PART).is_some_and(is_root))
}

fn is_root(bytes: &[u8]) -> bool {
    bytes.starts_with(SIGNATURE) && bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> Vec<u8> {
        let mut root = [SIGNATURE, &[0; 12]].concat();
        root[8] = 0u8.wrapping_sub(root.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)));
        root
    }

    #[test]
    fn found_only_where_aligned_and_whole() {
        let area = [&[0; 32][..], &root(), &[0; 12]].concat();
        assert_eq!(find(&area), Some(32));
        assert_eq!(find(&area[8..]), None);
        assert_eq!(find(&area[..32 + 19]), None);
    }

    #[test]
    fn the_revision_decides_which_table_counts() {
        let mut bytes = [0; WHOLE];
        bytes[16..20].copy_from_slice(&0x7fe_1000u32.to_le_bytes());
        assert_eq!(parse(&bytes), Some(TableOfTables { address: PhysAddr::new(0x7fe_1000), entry_size: 4 }));
        bytes[15] = 2;
        bytes[24..32].copy_from_slice(&0x7fe_2000u64.to_le_bytes());
        assert_eq!(parse(&bytes), Some(TableOfTables { address: PhysAddr::new(0x7fe_2000), entry_size: 8 }));
        assert_eq!(parse(&[0; WHOLE]), None);
        assert_eq!(parse(&bytes[..31]), None);
    }

    #[test]
    fn a_wrong_sum_is_not_a_root() {
        let mut bytes = root();
        bytes[15] ^= 1;
        assert!(!is_root(&bytes));
    }
}
