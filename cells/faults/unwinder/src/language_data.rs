//! The language-specific data area of a function: which landing pad belongs to which call.
//!
//! The compiler writes: encoding of the landing pad base (omitted: the function's start), encoding and offset of
//! the type table (not needed), encoding and length of the call-site table, that table, the action table.

/// The entry of a frame's tables for the call at which it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing to be done.
    Nothing,
    /// Destructors to be run at this address.
    CleanUp(u64),
    /// The compiler's way to end the program here (a border that must not be unwound, a destructor that
    /// panicked), or a call that it believes cannot unwind: the values of the frame are given up.
    GiveUp,
}

const OMITTED: u8 = 0xff;

/// Reads compiler-made data; the bytes are the function's own and as trustworthy as its code.
struct Cursor(*const u8);

impl Cursor {
    fn byte(&mut self) -> u8 {
        // SAFETY: the area is well formed, made by the compiler and not writable, and is read as its header says.
        unsafe {
            let byte = self.0.read();
            self.0 = self.0.add(1);
            byte
        }
    }

    fn unsigned(&mut self) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            if shift < 64 {
                value |= u64::from(byte & 0x7f) << shift;
            }
            shift += 7;
            if byte & 0x80 == 0 {
                return value;
            }
        }
    }

    fn signed(&mut self) -> i64 {
        let (mut value, mut shift) = (0i64, 0);
        loop {
            let byte = self.byte();
            if shift < 64 {
                value |= i64::from(byte & 0x7f) << shift;
            }
            shift += 7;
            if byte & 0x80 == 0 {
                return if byte & 0x40 != 0 && shift < 64 { value | -1 << shift } else { value };
            }
        }
    }

    fn fixed<const N: usize>(&mut self) -> [u8; N] {
        core::array::from_fn(|_| self.byte())
    }

    /// An offset in one of the encodings that compilers use for call sites.
    fn offset(&mut self, encoding: u8) -> Option<u64> {
        Some(match encoding {
            0x00 | 0x04 | 0x0c => u64::from_le_bytes(self.fixed()),
            0x01 => self.unsigned(),
            0x02 => u64::from(u16::from_le_bytes(self.fixed())),
            0x03 => u64::from(u32::from_le_bytes(self.fixed())),
            0x0b => i64::from(i32::from_le_bytes(self.fixed())) as u64,
            _ => return None,
        })
    }
}

/// The address as a pointer.
#[allow(clippy::cast_possible_truncation, reason = "an address has 64 bits here")]
fn pointer(address: u64) -> *const u8 {
    core::ptr::with_exposed_provenance(address as usize)
}

/// Finds the entry of the function at `function` for the call around `lookup`.
///
/// # Safety
/// `area` is the language-specific data of that function.
pub(crate) unsafe fn action(area: u64, function: u64, lookup: u64) -> Action {
    let mut cursor = Cursor(pointer(area));
    if cursor.byte() != OMITTED {
        // A landing pad base of its own is not used by rustc.
        return Action::GiveUp;
    }
    if cursor.byte() != OMITTED {
        cursor.unsigned();
    }
    let encoding = cursor.byte();
    let length = cursor.unsigned();
    let actions = cursor.0.addr() as u64 + length;
    let position = lookup.wrapping_sub(function);
    while (cursor.0.addr() as u64) < actions {
        let (Some(start), Some(length), Some(pad)) =
            (cursor.offset(encoding), cursor.offset(encoding), cursor.offset(encoding))
        else {
            return Action::GiveUp;
        };
        let first_action = cursor.unsigned();
        if position < start {
            break;
        }
        if position - start < length {
            return match pad {
                0 => Action::Nothing,
                // SAFETY: the index was read from this area's call-site table.
                _ => unsafe { interpret(actions, first_action, function + pad) },
            };
        }
    }
    Action::GiveUp
}

/// # Safety
/// `actions` is an action table and `first`, if not zero, one more than an offset in it.
unsafe fn interpret(actions: u64, first: u64, pad: u64) -> Action {
    if first == 0 {
        return Action::CleanUp(pad);
    }
    let filter = Cursor(pointer(actions + first - 1)).signed();
    // Zero is a cleanup. Positive is a catch clause of the compiler's own `catch_unwind`; nothing in the kernel
    // stops an unwinding that way, so none is entered. Negative is a filter: the compiler's `abort`.
    if filter == 0 { Action::CleanUp(pad) } else { Action::GiveUp }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_up(area: &[u8], lookup: u64) -> Action {
        // SAFETY: the areas of these tests are complete.
        unsafe { action(area.as_ptr().expose_provenance() as u64, 0x1000, lookup) }
    }

    /// As rustc writes it: no base, no types, ULEB128, call sites (start, length, pad, action).
    const AREA: [u8; 16] = [0xff, 0xff, 0x01, 12, 0x10, 5, 0x40, 0, 0x20, 5, 0, 0, 0x30, 5, 0x50, 1];

    #[test]
    fn calls_have_their_own_landing_pads() {
        assert_eq!(look_up(&AREA, 0x1010), Action::CleanUp(0x1040));
        assert_eq!(look_up(&AREA, 0x1014), Action::CleanUp(0x1040));
        assert_eq!(look_up(&AREA, 0x1021), Action::Nothing);
    }

    #[test]
    fn a_call_without_entry_is_given_up() {
        assert_eq!(look_up(&AREA, 0x1000), Action::GiveUp);
        assert_eq!(look_up(&AREA, 0x1015), Action::GiveUp);
        assert_eq!(look_up(&AREA, 0x1040), Action::GiveUp);
    }

    #[test]
    fn filters_and_catches_are_not_entered() {
        for (kind, expected) in [(0x7f, Action::GiveUp), (0x01, Action::GiveUp), (0x00, Action::CleanUp(0x1050))] {
            let mut area = AREA.to_vec();
            area.extend([kind, 0]);
            assert_eq!(look_up(&area, 0x1031), expected);
        }
    }

    #[test]
    fn an_unknown_encoding_is_given_up() {
        let mut area = AREA;
        area[2] = 0x1b;
        assert_eq!(look_up(&area, 0x1010), Action::GiveUp);
    }
}
