//! The boot loader's facts for the kernel, in one form for PVH and Multiboot2.
//!
//! Guarantees to all cells after boot: addresses are physical, regions were copied out of the loader's memory, and the
//! command line is text. It has room for 64 regions and 512 bytes of whole words. Regions beyond that and words that are no
//! text are counted in [`BootInformation::left_out`]; words beyond that are in [`BootInformation::dropped_words`].
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

pub mod multiboot;
pub mod options;
pub mod pvh;
mod words;

use core::fmt;

use words::Words;

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

/// Room for the words of the command line, bytes: several times as many as all options of the kernel have.
pub const MAX_COMMAND_LINE: usize = 512;

/// No more bytes of a command line are read. GRUB and QEMU pass longer ones; this is what Linux accepts on this machine.
const MAX_READ: usize = 2048;

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
    /// The boot loader.
    pub loader: Loader,
    /// The archive of cells.
    pub archive: Option<Region>,
    /// Where the loader's own tables are, which must not be used for anything else before they are read.
    pub tables: Region,
    /// Address of ACPI's root pointer structure, if the loader names it.
    pub acpi_root: Option<u64>,
    /// The stack on which the boot CPU ran until its first task: virtual address and size. It is free from then on.
    pub boot_stack: Region,
    /// The time stamp counter at the first instruction.
    pub entry_ticks: u64,
    /// Regions for which there was no room, and words of the command line that are no UTF-8 or did not even fit among
    /// the dropped ones.
    pub left_out: usize,
    usable: [Region; MAX_REGIONS],
    regions: usize,
    command_line: Words<MAX_COMMAND_LINE>,
    dropped: Words<MAX_COMMAND_LINE>,
}

impl BootInformation {
    /// Nothing is known yet but the boot loader and the time.
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
            command_line: Words::new(),
            dropped: Words::new(),
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

    /// The command line, with one blank between words; empty if the loader gave none.
    #[must_use]
    pub fn command_line(&self) -> &str {
        self.command_line.text()
    }

    /// The words of the command line for which there was no room.
    #[must_use]
    pub fn dropped_words(&self) -> &str {
        self.dropped.text()
    }

    /// Takes over the words of the command line up to the first zero byte.
    pub fn set_command_line(&mut self, text: &[u8]) {
        let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
        for word in text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
            let is_kept =
                core::str::from_utf8(word).is_ok_and(|word| self.command_line.push(word) || self.dropped.push(word));
            self.left_out += usize::from(!is_kept);
        }
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
        information.set_command_line(&[b'x'; MAX_COMMAND_LINE + 5]);
        assert_eq!(information.usable().len(), MAX_REGIONS);
        assert_eq!(information.command_line(), "");
        assert_eq!(information.left_out, 4);
    }

    #[test]
    fn words_beyond_the_room_are_known() {
        let mut information = BootInformation::new(Loader::Pvh, 0);
        let filler = "a".repeat(MAX_COMMAND_LINE - 6);
        information.set_command_line(format!("log=x {filler} log=info exit=debug").as_bytes());
        assert_eq!(information.command_line(), format!("log=x {filler}"));
        assert_eq!(information.dropped_words(), "log=info exit=debug");
        assert_eq!(information.left_out, 0);
    }

    #[test]
    fn a_character_across_the_border_drops_its_word_alone() {
        let mut information = BootInformation::new(Loader::Pvh, 0);
        // The border is between the two bytes of the last character.
        let word = format!("{}\u{e4}", "b".repeat(MAX_COMMAND_LINE - 10));
        information.set_command_line(format!("log=info {word}").as_bytes());
        assert_eq!(information.command_line(), "log=info");
        assert_eq!(information.dropped_words(), word);
    }

    #[test]
    fn a_word_that_is_no_text_is_left_out_alone() {
        let mut information = BootInformation::new(Loader::Pvh, 0);
        information.set_command_line(b"log=info \xff\xfe exit=debug");
        assert_eq!((information.command_line(), information.left_out), ("log=info exit=debug", 1));
    }
}
