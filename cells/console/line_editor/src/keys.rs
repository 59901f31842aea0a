//! From the bytes of a terminal to keys.

/// A key that the user pressed, as far as the editor cares, or an answer of the terminal.
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
    Search,
    Cancel,
    Redraw,
    /// The terminal says where its cursor is.
    Position {
        row: u16,
        column: u16,
    },
}

/// Longest UTF-8 sequence.
const MAX_UTF8: usize = 4;
/// The control character that begins a sequence in one byte.
const SEQUENCE_INTRODUCER: char = '\u{9b}';

#[derive(Clone, Copy)]
enum State {
    Ground,
    /// A carriage return was the last byte: a line feed right after it belongs to it.
    CarriageReturn,
    Escape,
    /// After `ESC` and a byte that says that others follow, as in `ESC ( B`.
    EscapeIntermediate,
    /// After `ESC [` or `ESC O`: the first parameter and the last one, as numbers, and whether a byte came that is neither
    /// digit nor semicolon, so that the sequence is of no known kind.
    Sequence {
        first: u16,
        last: u16,
        unknown: bool,
    },
    /// After `ESC [ [`: one more byte, of a function key on a Linux console.
    FunctionKey,
    /// After `ESC ]`, `ESC P`, `ESC X`, `ESC ^` or `ESC _`: a text, up to `BEL` or `ESC \\`.
    Text,
    Utf8 {
        bytes: [u8; MAX_UTF8],
        have: usize,
        need: usize,
    },
}

const SEQUENCE: State = State::Sequence { first: 0, last: 0, unknown: false };

/// Turns bytes into keys, one byte at a time. A sequence that means nothing here is swallowed whole (ECMA-48, section 5.4).
/// A control character within a sequence ends it and counts itself, so a sequence that breaks off takes no line with it.
pub(crate) struct Decoder(State);

impl Decoder {
    pub(crate) const fn new() -> Self {
        Self(State::Ground)
    }

    pub(crate) fn feed(&mut self, byte: u8) -> Option<Key> {
        match core::mem::replace(&mut self.0, State::Ground) {
            State::CarriageReturn if byte == b'\n' => None,
            State::Text => self.text(byte),
            State::Escape | State::EscapeIntermediate | State::Sequence { .. } | State::FunctionKey if byte < b' ' => {
                self.ground(byte)
            }
            State::Ground | State::CarriageReturn => self.ground(byte),
            State::Escape => self.escape(byte),
            State::EscapeIntermediate => self.intermediate(byte),
            State::Sequence { first, last, unknown } => self.sequence(first, last, unknown, byte),
            State::FunctionKey => None,
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

    const fn control(letter: u8) -> Option<Key> {
        Some(match letter {
            b'a' => Key::Start,
            b'b' => Key::Left,
            b'c' => Key::Interrupt,
            b'd' => Key::EndOrDelete,
            b'e' => Key::End,
            b'f' => Key::Right,
            b'g' => Key::Cancel,
            b'k' => Key::KillToEnd,
            b'l' => Key::Redraw,
            b'n' => Key::Next,
            b'p' => Key::Previous,
            b'r' => Key::Search,
            b'u' => Key::KillToStart,
            b'w' => Key::KillWord,
            _ => return None,
        })
    }

    fn escape(&mut self, byte: u8) -> Option<Key> {
        match byte {
            b'[' | b'O' => {
                self.0 = SEQUENCE;
                None
            }
            b']' | b'P' | b'X' | b'^' | b'_' => {
                self.0 = State::Text;
                None
            }
            b' '..=b'/' => self.intermediate(byte),
            b'b' => Some(Key::WordLeft),
            b'f' => Some(Key::WordRight),
            0x7f => Some(Key::KillWord),
            _ => None,
        }
    }

    const fn intermediate(&mut self, byte: u8) -> Option<Key> {
        if matches!(byte, b' '..=b'/') {
            self.0 = State::EscapeIntermediate;
        }
        None
    }

    /// A key such as Alt-P begins one, too: a line that is accepted or given up ends it.
    fn text(&mut self, byte: u8) -> Option<Key> {
        match byte {
            // The end, and the byte behind it is swallowed.
            0x1b => self.0 = State::Escape,
            0x07 => {}
            0..b' ' => return self.ground(byte),
            _ => self.0 = State::Text,
        }
        None
    }

    fn sequence(&mut self, first: u16, last: u16, unknown: bool, byte: u8) -> Option<Key> {
        /// The parameter that a held Ctrl adds to an arrow key.
        const WITH_CONTROL: u16 = 5;
        self.0 = match byte {
            b'0'..=b'9' => {
                let last = last.saturating_mul(10).saturating_add(u16::from(byte - b'0'));
                State::Sequence { first, last, unknown }
            }
            b';' => State::Sequence { first: last, last: 0, unknown },
            // Other parameters and intermediate bytes.
            b' '..=b'?' => State::Sequence { first, last, unknown: true },
            b'[' if first == 0 && last == 0 && !unknown => State::FunctionKey,
            _ => State::Ground,
        };
        if unknown || !matches!(self.0, State::Ground) {
            return None;
        }
        match (byte, first) {
            (b'A', _) => Some(Key::Previous),
            (b'B', _) => Some(Key::Next),
            (b'C', _) if last == WITH_CONTROL => Some(Key::WordRight),
            (b'D', _) if last == WITH_CONTROL => Some(Key::WordLeft),
            (b'C', _) => Some(Key::Right),
            (b'D', _) => Some(Key::Left),
            (b'H', _) => Some(Key::Start),
            (b'F', _) => Some(Key::End),
            (b'R', 1..) if last > 0 => Some(Key::Position { row: first, column: last }),
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
        let character = core::str::from_utf8(bytes.get(..need)?).ok()?.chars().next()?;
        if character == SEQUENCE_INTRODUCER {
            self.0 = SEQUENCE;
        }
        (!character.is_control()).then_some(Key::Character(character))
    }
}
