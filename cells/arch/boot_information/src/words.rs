//! Words of text in a place of fixed size.

use core::str;

/// Words with one blank between them, in at most `N` bytes.
#[derive(Clone)]
pub(crate) struct Words<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Words<N> {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; N], length: 0 }
    }

    pub(crate) fn text(&self) -> &str {
        // Only whole words of text are ever appended.
        str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }

    /// Appends `word`, if there is room for all of it.
    pub(crate) fn push(&mut self, word: &str) -> bool {
        let start = if self.length == 0 { 0 } else { self.length + 1 };
        let Some(place) = self.bytes.get_mut(start..start + word.len()) else { return false };
        place.copy_from_slice(word.as_bytes());
        if start > 0 {
            self.bytes[start - 1] = b' ';
        }
        self.length = start + word.len();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_there_as_a_whole_or_not_at_all() {
        let mut words = Words::<8>::new();
        assert!(words.push("one") && !words.push("three"));
        assert_eq!(words.text(), "one");
        assert!(words.push("four") && !words.push(""));
        assert_eq!(words.text(), "one four");
        assert!(!Words::<2>::new().push("ä1") && Words::<3>::new().push("ä1"));
    }
}
