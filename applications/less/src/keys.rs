//! The keys of the pager.
use application::Terminal;

/// A wish of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    PageDown,
    PageUp,
    Down,
    Up,
    Start,
    End,
    Quit,
    Other,
}

/// Waits for a key.
pub(crate) fn read(terminal: &mut (dyn Terminal + 'static)) -> Key {
    match terminal.read_key() {
        b' ' | b'f' => Key::PageDown,
        b'b' => Key::PageUp,
        b'\r' | b'\n' | b'j' => Key::Down,
        b'k' => Key::Up,
        b'g' => Key::Start,
        b'G' => Key::End,
        b'q' | b'Q' => Key::Quit,
        0x1b => sequence(terminal),
        _ => Key::Other,
    }
}

/// The rest of a key that sends several bytes: `ESC [`, parameters, and a last byte (ECMA-48, section 5.4).
fn sequence(terminal: &mut (dyn Terminal + 'static)) -> Key {
    if !matches!(terminal.read_key(), b'[' | b'O') {
        return Key::Other;
    }
    let mut parameter = 0;
    loop {
        match (terminal.read_key(), parameter) {
            (b'A', _) => return Key::Up,
            (b'B', _) => return Key::Down,
            (b'H', _) | (b'~', b'1' | b'7') => return Key::Start,
            (b'F', _) | (b'~', b'4' | b'8') => return Key::End,
            (b'~', b'5') => return Key::PageUp,
            (b'~', b'6') => return Key::PageDown,
            (byte @ b' '..=b'?', _) => parameter = byte,
            _ => return Key::Other,
        }
    }
}
