//! The arithmetic of the six x86_64 relocations that cells may carry.
//!
//! Guarantees to the linker: a value is computed exactly or refused. A result that does not fit its field is an
//! [`Overflow`], never a truncation, and a kind that is not listed here has no [`Kind`] at all.
//!
//! Source: System V ABI, AMD64 supplement, section 4.4 (relocation types).
#![no_std]
#![forbid(unsafe_code)]

use core::fmt;

/// A relocation that the linker understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `R_X86_64_64`: the address, in 8 bytes.
    Absolute64,
    /// `R_X86_64_32S`: the address, in 4 bytes that the processor sign-extends.
    Absolute32Signed,
    /// `R_X86_64_PC32`: the distance from the field, in 4 bytes.
    Relative32,
    /// `R_X86_64_PC64`: the distance from the field, in 8 bytes.
    Relative64,
    /// `R_X86_64_PLT32`: the distance of a direct call or jump. It never takes an address, so it needs no stub.
    Call32,
    /// `R_X86_64_TPOFF32`: the offset of a thread local from the thread pointer, negative.
    ThreadOffset32,
}

/// The bytes that a relocation writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Four bytes, little-endian.
    Narrow([u8; 4]),
    /// Eight bytes, little-endian.
    Wide([u8; 8]),
}

impl Field {
    /// The bytes in memory order.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Narrow(bytes) => bytes,
            Self::Wide(bytes) => bytes,
        }
    }
}

/// A relocation with a value that does not fit its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow {
    /// The value that was to be written.
    pub kind: Kind,
    /// The value that does not fit in 32 signed bits.
    pub value: i128,
}

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} value {:#x} does not fit in 32 signed bits", self.kind, self.value)
    }
}

impl core::error::Error for Overflow {}

impl Kind {
    /// The kind behind an ELF relocation type, or `None` for one that cells may not carry.
    #[must_use]
    pub fn from_elf(elf_type: u32) -> Option<Self> {
        Some(match elf_type {
            1 => Self::Absolute64,
            2 => Self::Relative32,
            4 => Self::Call32,
            11 => Self::Absolute32Signed,
            23 => Self::ThreadOffset32,
            24 => Self::Relative64,
            _ => return None,
        })
    }

    /// The size of the field in bytes.
    #[must_use]
    pub fn width(self) -> usize {
        match self {
            Self::Absolute64 | Self::Relative64 => 8,
            Self::Absolute32Signed | Self::Relative32 | Self::Call32 | Self::ThreadOffset32 => 4,
        }
    }

    /// Whether the field takes the address of its target, so that a function there needs a permanent stub.
    #[must_use]
    pub fn takes_address(self) -> bool {
        match self {
            Self::Absolute64 | Self::Absolute32Signed | Self::Relative32 | Self::Relative64 => true,
            Self::Call32 | Self::ThreadOffset32 => false,
        }
    }

    /// The bytes for a field of this kind at `place` that refers to `target + addend`.
    ///
    /// For [`Kind::ThreadOffset32`] `target` is the (negative) offset from the thread pointer, as two's complement.
    ///
    /// # Errors
    /// [`Overflow`] if a 32-bit field cannot hold the value.
    pub fn field(self, target: u64, addend: i64, place: u64) -> Result<Field, Overflow> {
        match self {
            Self::Absolute64 => Ok(Field::Wide(target.wrapping_add_signed(addend).to_le_bytes())),
            Self::Relative64 => Ok(Field::Wide(target.wrapping_add_signed(addend).wrapping_sub(place).to_le_bytes())),
            Self::Absolute32Signed | Self::ThreadOffset32 => {
                self.narrow(i128::from(target.cast_signed()) + i128::from(addend))
            }
            Self::Relative32 | Self::Call32 => self.narrow(i128::from(target) + i128::from(addend) - i128::from(place)),
        }
    }

    fn narrow(self, value: i128) -> Result<Field, Overflow> {
        match i32::try_from(value) {
            Ok(value) => Ok(Field::Narrow(value.to_le_bytes())),
            Err(_) => Err(Overflow { kind: self, value }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOP: u64 = 0xffff_ffff_8000_0000;

    #[test]
    fn a_call_is_relative_to_the_end_of_its_field() {
        // The compiler gives a call the addend -4: the processor counts from the next instruction.
        let field = Kind::Call32.field(TOP + 0x2000, -4, TOP + 0x1000).unwrap();
        assert_eq!(field, Field::Narrow(0xffc_i32.to_le_bytes()));
        let back = Kind::Call32.field(TOP + 0x1000, -4, TOP + 0x2000).unwrap();
        assert_eq!(back, Field::Narrow((-0x1004_i32).to_le_bytes()));
    }

    #[test]
    fn the_top_two_gibibytes_fit_a_signed_absolute() {
        assert_eq!(Kind::Absolute32Signed.field(TOP, 0, 0).unwrap(), Field::Narrow(i32::MIN.to_le_bytes()));
        let below = Kind::Absolute32Signed.field(TOP - 1, 0, 0).unwrap_err();
        assert_eq!(below.value, i128::from(i32::MIN) - 1);
        assert!(Kind::Absolute32Signed.field(0x8000_0000, 0, 0).is_err());
    }

    #[test]
    fn a_distance_of_more_than_two_gibibytes_is_refused() {
        assert!(Kind::Relative32.field(TOP, 0, 0x1000).is_err());
        assert!(Kind::Relative32.field(TOP + 0x7fff_ffff, 0, TOP).is_ok());
        assert!(Kind::Relative32.field(TOP + 0x7fff_ffff, 1, TOP).is_err());
    }

    #[test]
    fn wide_fields_wrap_as_addresses_do() {
        assert_eq!(Kind::Relative64.field(8, 0, 16).unwrap(), Field::Wide((-8_i64).to_le_bytes()));
        assert_eq!(Kind::Absolute64.field(u64::MAX, 1, 0).unwrap(), Field::Wide([0; 8]));
    }

    #[test]
    fn a_thread_offset_is_negative() {
        let offset = (-64_i64).cast_unsigned();
        assert_eq!(Kind::ThreadOffset32.field(offset, 8, 0).unwrap(), Field::Narrow((-56_i32).to_le_bytes()));
    }

    #[test]
    fn only_the_listed_kinds_exist() {
        let known = (0..64).filter(|&elf_type| Kind::from_elf(elf_type).is_some());
        assert_eq!(known.collect::<std::vec::Vec<_>>(), [1, 2, 4, 11, 23, 24]);
    }

    extern crate std;
}
