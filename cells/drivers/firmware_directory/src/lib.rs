//! The list of the files that an emulator gives to its guest: a count, then entries of 64 bytes, all numbers with the highest
//! byte first.
//!
//! Source: QEMU, `docs/specs/fw_cfg.rst`, "File Directory".
//!
//! Guarantees to the driver, for all bytes: reading ends, does not panic, and takes whole entries only.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;

/// The key of the list.
pub const DIRECTORY: u16 = 0x19;
/// Size, key, two unused bytes, and the name.
pub const ENTRY_SIZE: usize = 64;
/// More than QEMU has room for: a damaged count must not ask for all memory.
const MAX_FILES: u32 = 4096;

/// A file of the configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    name: String,
    size: usize,
    key: u16,
}

impl File {
    /// Its name, which is a path: `etc/e820`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its size in bytes.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// The key by which the device knows it.
    #[must_use]
    pub const fn key(&self) -> u16 {
        self.key
    }
}

/// The number of entries.
#[must_use]
pub fn count(list: &[u8]) -> usize {
    let count = list.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    count.min(MAX_FILES) as usize
}

/// The entries, as many as are whole.
#[must_use]
pub fn entries(list: &[u8]) -> Vec<File> {
    let entries = list.get(size_of::<u32>()..).unwrap_or_default();
    entries.chunks_exact(ENTRY_SIZE).take(count(list)).filter_map(entry).collect()
}

fn entry(bytes: &[u8]) -> Option<File> {
    let (size, rest) = bytes.split_first_chunk()?;
    let (key, rest) = rest.split_first_chunk()?;
    let name = rest.get(2..)?.split(|byte| *byte == 0).next()?;
    Some(File {
        name: String::from_utf8_lossy(name).into_owned(),
        size: u32::from_be_bytes(*size) as usize,
        key: u16::from_be_bytes(*key),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut list = vec![0; 4 + 2 * ENTRY_SIZE];
        list[3] = 2;
        list[4..10].copy_from_slice(&[0, 0, 1, 2, 0, 0x20]);
        list[12..20].copy_from_slice(b"etc/e820");
        list[68..74].copy_from_slice(&[0, 0, 0, 5, 0x80, 0x21]);
        list[76..79].copy_from_slice(b"opt");
        list
    }

    #[test]
    fn entries_are_read() {
        let files = entries(&sample());
        assert_eq!(files.len(), 2);
        assert_eq!((files[0].name(), files[0].size(), files[0].key()), ("etc/e820", 0x102, 0x20));
        assert_eq!((files[1].name(), files[1].size(), files[1].key()), ("opt", 5, 0x8021));
    }

    #[test]
    fn a_list_that_is_cut_off_has_the_entries_that_are_whole() {
        let list = sample();
        assert_eq!(entries(&list[..4 + ENTRY_SIZE + 10]).len(), 1);
        assert!(entries(&list[..3]).is_empty());
        assert_eq!(count(&[0xff; 4]), 4096);
    }
}
