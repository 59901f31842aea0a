//! From the bytes a terminal sends to keys.

/// What the user pressed, as far as the editor cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Character(char),
    Accept,
    Interrupt,
    EndOrDelete,
    Complete,
    Backspace,
    Delete,
    Left,
    Right,
    WordLeft,
    WordRight,
    Start,
    End,
    Previous,
    Next,
    KillToEnd,
    KillToStart,
    KillWord,
    Redraw,
}

/// Longest UTF-8 sequence.
const MAX_UTF8: usize = 4;

enum State {
    Ground,
    /// A carriage return was the last byte: a line feed right after it belongs to it.
    CarriageReturn,
    Escape,
    /// After `ESC [` or `ESC O`: the first parameter and the last one, as numbers.
    Sequence {
        first: u8,
        last: u8,
    },
    Utf8 {
        bytes: [u8; MAX_UTF8],
        have: usize,
        need: usize,
    },
}

/// Turns bytes into keys, one byte at a time; unknown sequences are swallowed whole.
pub(crate) struct Decoder(State);

impl Decoder {
    pub(crate) const fn new() -> Self {
        Self(State::Ground)
    }

    pub(crate) fn feed(&mut self, byte: u8) -> Option<Key> {
        match core::mem::replace(&mut self.0, State::Ground) {
            State::CarriageReturn if byte == b'\n' => None,
            State::Ground | State::CarriageReturn => self.ground(byte),
            State::Escape => self.escape(byte),
            State::Sequence { first, last } => self.sequence(first, last, byte),
            State::Utf8 { bytes, have, need } => self.utf8(bytes, have, need, byte),
        }
    }

    fn ground(&mut self, byte: u8) -> Option<Key> {
        match byte {
            b'\r' => {
                self.0 = State::CarriageReturn;
                Some(Key::Accept)
            }
            b'\n' => Some(Key::Accept),
            b'\t' => Some(Key::Complete),
            0x08 | 0x7f => Some(Key::Backspace),
            0x1b => {
                self.0 = State::Escape;
                None
            }
            0x01..=0x1a => Self::control(byte | 0x60),
            b' '..=b'~' => Some(Key::Character(char::from(byte))),
            0xc2..=0xf4 => {
                let need = match byte {
                    0xc2..=0xdf => 2,
                    0xe0..=0xef => 3,
                    _ => MAX_UTF8,
                };
                self.0 = State::Utf8 { bytes: [byte, 0, 0, 0], have: 1, need };
                None
            }
            _ => None,
        }
    }

    fn control(letter: u8) -> Option<Key> {
        Some(match letter {
            b'a' => Key::Start,
            b'b' => Key::Left,
            b'c' => Key::Interrupt,
            b'd' => Key::EndOrDelete,
            b'e' => Key::End,
            b'f' => Key::Right,
            b'k' => Key::KillToEnd,
            b'l' => Key::Redraw,
            b'n' => Key::Next,
            b'p' => Key::Previous,
            b'u' => Key::KillToStart,
            b'w' => Key::KillWord,
            _ => return None,
        })
    }

    fn escape(&mut self, byte: u8) -> Option<Key> {
        match byte {
            b'[' | b'O' => {
                self.0 = State::Sequence { first: 0, last: 0 };
                None
            }
            b'b' => Some(Key::WordLeft),
            b'f' => Some(Key::WordRight),
            0x7f => Some(Key::KillWord),
            _ => None,
        }
    }

    fn sequence(&mut self, first: u8, last: u8, byte: u8) -> Option<Key> {
        /// The parameter that a held Ctrl adds to an arrow key.
        const WITH_CONTROL: u8 = 5;
        match (byte, first) {
            (b'0'..=b'9', _) => {
                let last = last.saturating_mul(10).saturating_add(byte - b'0');
                self.0 = State::Sequence { first, last };
                None
            }
            (b';', _) => {
                self.0 = State::Sequence { first: last, last: 0 };
                None
            }
            (b'A', _) => Some(Key::Previous),
            (b'B', _) => Some(Key::Next),
            (b'C', _) if last == WITH_CONTROL => Some(Key::WordRight),
            (b'D', _) if last == WITH_CONTROL => Some(Key::WordLeft),
            (b'C', _) => Some(Key::Right),
            (b'D', _) => Some(Key::Left),
            (b'H', _) => Some(Key::Start),
            (b'F', _) => Some(Key::End),
            (b'~', 0) => match last {
                1 | 7 => Some(Key::Start),
                3 => Some(Key::Delete),
                4 | 8 => Some(Key::End),
                _ => None,
            },
            _ => None,
        }
    }

    fn utf8(&mut self, mut bytes: [u8; MAX_UTF8], have: usize, need: usize, byte: u8) -> Option<Key> {
        if !matches!(byte, 0x80..=0xbf) {
            return self.ground(byte);
        }
        if let Some(slot) = bytes.get_mut(have) {
            *slot = byte;
        }
        let have = have + 1;
        if have < need {
            self.0 = State::Utf8 { bytes, have, need };
            return None;
        }
        let text = core::str::from_utf8(bytes.get(..need)?).ok()?;
        text.chars().next().filter(|character| !character.is_control()).map(Key::Character)
    }
}
