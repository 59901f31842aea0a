//! Sets of characters.
use alloc::vec::Vec;

/// Some characters, or all but some.
#[derive(Clone, Debug, Default)]
pub(crate) struct Class {
    ranges: Vec<(char, char)>,
    /// All but the characters in the ranges.
    others: bool,
}

impl Class {
    /// Every character.
    pub(crate) const fn any() -> Self {
        Self { ranges: Vec::new(), others: true }
    }

    pub(crate) fn one(character: char) -> Self {
        Self { ranges: Vec::from([(character, character)]), others: false }
    }

    /// The class that a backslash before this letter means, if it is one.
    pub(crate) fn escaped(letter: char) -> Option<Self> {
        let ranges: &[(char, char)] = match letter.to_ascii_lowercase() {
            'd' => &[('0', '9')],
            'w' => &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
            's' => &[(' ', ' '), ('\t', '\r')],
            _ => return None,
        };
        Some(Self { ranges: Vec::from(ranges), others: letter.is_ascii_uppercase() })
    }

    pub(crate) fn add(&mut self, first: char, last: char) {
        self.ranges.push((first, last));
    }

    /// Adds the characters of a class that a backslash before a small letter means.
    pub(crate) fn add_class(&mut self, class: Self) {
        self.ranges.extend(class.ranges);
    }

    /// The other characters instead.
    pub(crate) fn complement(&mut self) {
        self.others = !self.others;
    }

    /// Whether the character is in the class.
    pub(crate) fn has(&self, character: char, ignore_case: bool) -> bool {
        let within = |character: char| self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&character));
        let found = within(character)
            || ignore_case && (character.to_lowercase().any(within) || character.to_uppercase().any(within));
        found != self.others
    }
}
