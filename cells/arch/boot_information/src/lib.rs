//! The boot loader's facts for the kernel, in one form for PVH and Multiboot2.
//!
//! Guarantees to all cells after boot: addresses are physical, regions were copied out of the loader's memory, and the
//! command line is text of whole words. Regions beyond 64 and words beyond 512 bytes are left out, and counted in
//! [`BootInformation::left_out`], which the boot logs.
#![no_std]
#![forbid(unsafe_code)]

pub mod multiboot;
pub mod pvh;

use core::fmt;

/// A stretch of physical memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Region {
    /// Physical address of the first byte.
    pub start: u64,
    /// Size in bytes.
    pub bytes: u64,
}

/// Reads physical memory.
pub trait Memory {
    /// The bytes of `region`, `None` if they cannot be seen.
    fn bytes(&self, region: Region) -> Option<&[u8]>;
}

/// The number of `size` bytes at `offset`, if it is there.
fn number(bytes: &[u8], offset: usize, size: usize) -> Option<u64> {
    let field = bytes.get(offset..offset + size)?;
    Some(field.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}

/// Most firmware describes memory in a dozen regions.
pub const MAX_REGIONS: usize = 64;

/// As much as GRUB accepts on one line of its menu, and more than a person types.
pub const MAX_COMMAND_LINE: usize = 512;

/// Which protocol the kernel was entered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loader {
    /// QEMU's `-kernel` (the Xen PVH protocol).
    Pvh,
    /// GRUB.
    Multiboot2,
}

impl fmt::Display for Loader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Pvh => "the emulator itself (PVH)",
            Self::Multiboot2 => "GRUB (Multiboot2)",
        })
    }
}

/// The facts that the boot loader gave.
#[derive(Clone)]
pub struct BootInformation {
    /// The loader's protocol.
    pub loader: Loader,
    /// The archive of cells.
    pub archive: Option<Region>,
    /// Where the loader's own tables are, which must not be used for anything else before they are read.
    pub tables: Region,
    /// Address of ACPI's root pointer structure, if the loader names it.
    pub acpi_root: Option<u64>,
    /// The stack on which the boot CPU ran until its first task: virtual address and size. It is free then.
    pub boot_stack: Region,
    /// The time stamp counter at the first instruction.
    pub entry_ticks: u64,
    /// Regions and bytes of command line for which there was no room.
    pub left_out: usize,
    usable: [Region; MAX_REGIONS],
    regions: usize,
    command_line: [u8; MAX_COMMAND_LINE],
    command_line_length: usize,
}

impl BootInformation {
    /// No facts yet but the loader and the time.
    #[must_use]
    pub fn new(loader: Loader, entry_ticks: u64) -> Self {
        Self {
            loader,
            archive: None,
            tables: Region::default(),
            acpi_root: None,
            boot_stack: Region::default(),
            entry_ticks,
            left_out: 0,
            usable: [Region::default(); MAX_REGIONS],
            regions: 0,
            command_line: [0; MAX_COMMAND_LINE],
            command_line_length: 0,
        }
    }

    /// Memory that the kernel may use.
    #[must_use]
    pub fn usable(&self) -> &[Region] {
        &self.usable[..self.regions]
    }

    /// Adds a region of usable memory.
    pub fn push_usable(&mut self, region: Region) {
        match self.usable.get_mut(self.regions) {
            Some(place) => {
                *place = region;
                self.regions += 1;
            }
            None => self.left_out += 1,
        }
    }

    /// The command line; empty if the loader gave none.
    #[must_use]
    pub fn command_line(&self) -> &str {
        core::str::from_utf8(&self.command_line[..self.command_line_length]).unwrap_or_default()
    }

    /// Takes over the command line up to the first zero byte, as far as it is UTF-8 and whole words of it fit.
    pub fn set_command_line(&mut self, text: &[u8]) {
        let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
        let valid = text.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        let whole = if valid.len() <= MAX_COMMAND_LINE {
            valid
        } else {
            let end = valid.bytes().take(MAX_COMMAND_LINE + 1).rposition(|byte| byte.is_ascii_whitespace());
            &valid[..end.unwrap_or(0)]
        };
        self.command_line[..whole.len()].copy_from_slice(whole.as_bytes());
        self.command_line_length = whole.len();
        self.left_out += text.len() - whole.len();
    }

    /// The value of `key=value` on the command line; the last one counts.
    #[must_use]
    pub fn option(&self, key: &str) -> Option<&str> {
        self.command_line()
            .split_ascii_whitespace()
            .rev()
            .find_map(|word| word.split_once('=').and_then(|(name, value)| (name == key).then_some(value)))
    }
}

impl fmt::Debug for BootInformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BootInformation")
            .field("loader", &self.loader)
            .field("archive", &self.archive)
            .field("acpi_root", &self.acpi_root)
            .field("usable", &self.usable())
            .field("command_line", &self.command_line())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::format;

    #[test]
    fn the_last_option_counts() {
        let mut information = BootInformation::new(Loader::Pvh, 0);
        information.set_command_line(b"log=info quiet exit=debug log=debug\0rubbish=1");
        assert_eq!(information.option("log"), Some("debug"));
        assert_eq!(information.option("exit"), Some("debug"));
        assert_eq!(information.option("quiet"), None);
        assert_eq!(information.option("rubbish"), None);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut information = BootInformation::new(Loader::Pvh, 0);
        for start in 0..MAX_REGIONS as u64 + 3 {
            information.push_usable(Region { start, bytes: 1 });
        }
        assert_eq!(information.usable().len(), MAX_REGIONS);
        assert_eq!(information.left_out, 3);
    }

    #[test]
    fn a_long_command_line_keeps_whole_words() {
        let kept = |text: &str| {
            let mut information = BootInformation::new(Loader::Pvh, 0);
            information.set_command_line(text.as_bytes());
            (information.command_line().len(), information.left_out)
        };
        let fill = "x".repeat(MAX_COMMAND_LINE - 5);
        assert_eq!(kept(&format!("{fill} abcd")), (MAX_COMMAND_LINE, 0));
        assert_eq!(kept(&format!("{fill} abcde")), (MAX_COMMAND_LINE - 5, 6));
        assert_eq!(kept(&format!("{fill} abcd efg")), (MAX_COMMAND_LINE, 4));
        // A character of two bytes lies across the end.
        assert_eq!(kept(&format!("{fill} abc\u{e9}")), (MAX_COMMAND_LINE - 5, 6));
        assert_eq!(kept(&"x".repeat(MAX_COMMAND_LINE + 5)), (0, MAX_COMMAND_LINE + 5));
    }

    #[test]
    fn a_command_line_ends_where_it_is_no_text() {
        let mut information = BootInformation::new(Loader::Pvh, 0);
        information.set_command_line(b"log=warn \xff\xfe exit=debug");
        assert_eq!((information.command_line(), information.left_out), ("log=warn ", 13));
    }
}
