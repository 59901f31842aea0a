//! Reading the descriptions of a relocated `.eh_frame` into sorted entries.

use alloc::vec::Vec;
use gimli::{BaseAddresses, CieOrFde, EhFrame, LittleEndian, UnwindSection};

use crate::{FrameEntry, TableError};

/// The entries of a frame section that has been relocated where it lies, sorted by address. Descriptions of
/// no text (of sections that were left out) are dropped; of several for one address, the first counts. `is_async_cancel_safe` says of the
/// first address of a function whether it is [async-cancel-safe](FrameEntry::is_async_cancel_safe).
///
/// # Errors
/// The bytes are no frame section, or a description is too large for an entry.
pub fn frame_entries(
    eh_frame: &'static [u8],
    is_async_cancel_safe: impl Fn(u64) -> bool,
) -> Result<Vec<FrameEntry>, TableError> {
    let section = EhFrame::new(eh_frame, LittleEndian);
    let bases = BaseAddresses::default().set_eh_frame(eh_frame.as_ptr().addr() as u64);
    let mut entries = Vec::new();
    let mut parsed = section.entries(&bases);
    let mut offset = 0;
    loop {
        let malformed = |cause| TableError::Malformed { offset, cause };
        match parsed.next().map_err(malformed)? {
            None => break,
            Some(CieOrFde::Cie(cie)) => offset = cie.offset() + cie.entry_len(),
            Some(CieOrFde::Fde(partial)) => {
                let fde = partial.parse(EhFrame::cie_from_offset).map_err(malformed)?;
                offset = fde.offset();
                if fde.len() != 0 {
                    let start = fde.initial_address();
                    entries.push(entry(start, fde.len(), offset, is_async_cancel_safe(start))?);
                }
            }
        }
    }
    entries.sort_by_key(|entry| entry.start);
    entries.dedup_by_key(|entry| entry.start);
    Ok(entries)
}

fn entry(start: u64, length: u64, offset: usize, is_async_cancel_safe: bool) -> Result<FrameEntry, TableError> {
    match (u32::try_from(length), u32::try_from(offset)) {
        (Ok(length), Ok(fde_offset)) => Ok(FrameEntry { start, length, fde_offset, is_async_cancel_safe }),
        _ => Err(TableError::TooLarge { start }),
    }
}
