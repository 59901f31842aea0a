//! The sleep types for power-off: the package `_S5_` in the byte code of the DSDT.
//!
//! The byte code is not interpreted: in every firmware the object is a constant package, `Name (_S5_, Package ...)`, and
//! is found by its bytes.

const NAME: u8 = 0x08;
const PACKAGE: u8 = 0x12;
const ZERO: u8 = 0x00;
const ONE: u8 = 0x01;
const BYTE_PREFIX: u8 = 0x0a;

/// The sleep types of S5 for PM1a and PM1b.
pub(crate) fn s5_types(code: &[u8]) -> Option<(u8, u8)> {
    // The second one has a root prefix between the operation and the name.
    let names = [&[NAME, b'_', b'S', b'5', b'_'][..], &[NAME, b'\\', b'_', b'S', b'5', b'_']];
    names.into_iter().find_map(|name| package_named(code, name))
}

/// The first two elements of the first such package behind `name`.
fn package_named(code: &[u8], name: &[u8]) -> Option<(u8, u8)> {
    let ends = code.windows(name.len()).zip(name.len()..).filter(|(window, _)| *window == name);
    ends.into_iter().find_map(|(_, end)| package(code.get(end..)?))
}

/// The first two elements of a package of small numbers.
fn package(code: &[u8]) -> Option<(u8, u8)> {
    let (&PACKAGE, rest) = code.split_first()? else { return None };
    // The two top bits of the first length byte say how many more there are.
    let more = usize::from(rest.first()? >> 6);
    let (&count, elements) = rest.get(1 + more..)?.split_first()?;
    let (first, rest) = small_number(elements)?;
    let second = if count > 1 { small_number(rest)?.0 } else { first };
    Some((first, second))
}

fn small_number(code: &[u8]) -> Option<(u8, &[u8])> {
    match code {
        [BYTE_PREFIX, value, rest @ ..] => Some((*value, rest)),
        [value @ (ZERO | ONE), rest @ ..] => Some((*value, rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qemu_has_constants() {
        let code = b"\x10\x20\x08_S5_\x12\x06\x04\x00\x00\x00\x00\x08_S4_";
        assert_eq!(s5_types(code), Some((0, 0)));
    }

    #[test]
    fn bytes_and_root_prefix() {
        let code = b"..\x08\\_S5_\x12\x0a\x04\x0a\x05\x0a\x07\x00\x00";
        assert_eq!(s5_types(code), Some((5, 7)));
    }

    #[test]
    fn nothing_is_read_beyond_the_end() {
        let code = b"\x08_S5_\x12\x0a\x04\x0a\x05\x0a\x07";
        for length in 0..code.len() {
            assert_eq!(s5_types(&code[..length]), None, "{length}");
        }
    }

    #[test]
    fn other_names_do_not_count() {
        assert_eq!(s5_types(b"\x08_S4_\x12\x06\x04\x01\x01\x00\x00"), None);
        assert_eq!(s5_types(b"_S5_\x12\x06\x04\x01\x01\x00\x00"), None);
    }
}
