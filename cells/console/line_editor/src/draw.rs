//! One edited line as one row of a terminal.
use alloc::string::String;
use alloc::vec::Vec;
use columns::{character_width, width};
use core::fmt::Write;

/// Erases the screen, and puts the cursor into its first row.
const ERASE_SCREEN: &[u8] = b"\x1b[H\x1b[2J";
/// Has the terminal say where its last column and row are.
pub(crate) const ASK_SIZE: &str = "\x1b7\x1b[999;999H\x1b[6n\x1b8";

/// Draws the prompt and the part of a line around the cursor that fits; a longer line scrolls sideways.
pub(crate) fn draw(columns: usize, prompt: &str, before: &str, after: &str, screen: &mut Vec<u8>) {
    // A prompt that is too long leaves room for one character.
    let prompt = fitting(prompt, columns.saturating_sub(2));
    let room = columns.saturating_sub(width(prompt) + 1).max(1);
    let mut shown = before;
    let mut left = width(shown);
    while left > room {
        let mut characters = shown.chars();
        left -= characters.next().map_or(left, character_width);
        shown = characters.as_str();
    }
    let behind = fitting(after, room - left);
    let mut text = String::from("\r");
    for part in [prompt, shown, behind, "\x1b[K"] {
        text.push_str(part);
    }
    let back = width(behind);
    if back > 0 {
        // Writing to a String cannot fail.
        let _ = write!(text, "\x1b[{back}D");
    }
    screen.extend_from_slice(text.as_bytes());
}

/// The longest beginning of a text that fits into so many columns.
fn fitting(text: &str, mut room: usize) -> &str {
    let end = text.char_indices().find_map(|(index, character)| match room.checked_sub(character_width(character)) {
        Some(rest) => {
            room = rest;
            None
        }
        None => Some(index),
    });
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

/// Erases the screen for a line that is drawn next, and has the terminal say how large it is now.
pub(crate) fn erase_screen(screen: &mut Vec<u8>) {
    screen.extend_from_slice(ASK_SIZE.as_bytes());
    screen.extend_from_slice(ERASE_SCREEN);
}
