//! How wide text is on a terminal, and words in columns.
//!
//! To the line editor and to applications: [`width`] is the number of columns that a text takes, and [`lay_out`] breaks no
//! word. Nothing here fails; a word that is wider than the terminal has a row of its own.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Blanks between two columns, at least.
const GAP: usize = 2;

/// The columns that a text without control characters takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The columns that a character takes: 0 for one that changes the character before it.
pub fn character_width(character: char) -> usize {
    character.width().unwrap_or(0)
}

/// Puts words into as many columns of one width as fit into `columns`, and gives the rows. The words go down the first
/// column, then down the next one.
pub fn lay_out(words: &[&str], columns: usize) -> Vec<String> {
    let widest = words.iter().map(|word| width(word)).max().unwrap_or(0);
    // The last column needs no gap behind it.
    let in_a_row = ((columns + GAP) / (widest + GAP)).max(1);
    let rows = words.len().div_ceil(in_a_row);
    let mut text = Vec::with_capacity(rows);
    for row in 0..rows {
        let mut line = String::new();
        let mut missing = 0;
        for word in words.iter().skip(row).step_by(rows.max(1)) {
            line.extend(core::iter::repeat_n(' ', missing));
            line.push_str(word);
            missing = widest + GAP - width(word);
        }
        text.push(line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole_and_in_columns() {
        let words = ["one", "two", "three", "four", "five"];
        assert_eq!(lay_out(&words, 80), ["one    two    three  four   five"]);
        assert_eq!(lay_out(&words, 19), ["one    three  five", "two    four"]);
        assert_eq!(lay_out(&words, 18), ["one    four", "two    five", "three"]);
        assert_eq!(lay_out(&words, 4), words);
        assert_eq!(lay_out(&["漢字", "x", "y"], 10), ["漢字  y", "x"]);
        assert_eq!(lay_out(&[], 7), [""; 0]);
    }

    #[test]
    fn wide_and_combining_characters() {
        assert_eq!((width("größe"), width("漢字"), width("e\u{301}")), (5, 4, 1));
        assert_eq!((character_width('漢'), character_width('\u{301}')), (2, 0));
    }
}
