//! The text of one line and the place in it where the user types.
use alloc::string::String;
use columns::character_width;

/// A line and a cursor that always stands between two characters.
#[derive(Default)]
pub(crate) struct Buffer {
    text: String,
    cursor: usize,
}

impl Buffer {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn before(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    pub(crate) fn after(&self) -> &str {
        self.text.get(self.cursor..).unwrap_or_default()
    }

    pub(crate) fn take(&mut self) -> String {
        self.cursor = 0;
        core::mem::take(&mut self.text)
    }

    /// Puts another text in place, the cursor at its end.
    pub(crate) fn set(&mut self, text: String) {
        self.cursor = text.len();
        self.text = text;
    }

    pub(crate) fn insert(&mut self, text: &str) {
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
    }

    /// Both positions are borders of characters.
    fn remove_between(&mut self, from: usize, to: usize) -> bool {
        self.text.replace_range(from..to, "");
        self.cursor = from;
        from != to
    }

    pub(crate) fn backspace(&mut self) -> bool {
        let from = self.left_of_cursor();
        self.remove_between(from, self.cursor)
    }

    pub(crate) fn delete(&mut self) -> bool {
        let to = self.right_of_cursor();
        self.remove_between(self.cursor, to)
    }

    pub(crate) fn kill_to_end(&mut self) -> bool {
        self.remove_between(self.cursor, self.text.len())
    }

    pub(crate) fn kill_to_start(&mut self) -> bool {
        self.remove_between(0, self.cursor)
    }

    pub(crate) fn kill_word(&mut self) -> bool {
        let from = self.word_start();
        self.remove_between(from, self.cursor)
    }

    pub(crate) fn left(&mut self) -> bool {
        self.move_to(self.left_of_cursor())
    }

    pub(crate) fn right(&mut self) -> bool {
        self.move_to(self.right_of_cursor())
    }

    pub(crate) fn start(&mut self) -> bool {
        self.move_to(0)
    }

    pub(crate) fn end(&mut self) -> bool {
        self.move_to(self.text.len())
    }

    pub(crate) fn word_left(&mut self) -> bool {
        self.move_to(self.word_start())
    }

    pub(crate) fn word_right(&mut self) -> bool {
        let after = self.after();
        let blanks = after.len() - after.trim_start().len();
        let word = after.trim_start().find(char::is_whitespace);
        let target = word.map_or(self.text.len(), |length| self.cursor + blanks + length);
        self.move_to(target)
    }

    fn move_to(&mut self, position: usize) -> bool {
        core::mem::replace(&mut self.cursor, position) != position
    }

    fn word_start(&self) -> usize {
        let before = self.before().trim_end();
        before
            .char_indices()
            .rev()
            .find(|(_, character)| character.is_whitespace())
            .map_or(0, |(index, character)| index + character.len_utf8())
    }

    /// A character that changes the one before it moves with that one.
    fn left_of_cursor(&self) -> usize {
        let before = self.before().char_indices().rev();
        before.into_iter().find(|(_, character)| character_width(*character) > 0).map_or(0, |(index, _)| index)
    }

    fn right_of_cursor(&self) -> usize {
        let next = self.after().char_indices().skip(1).find(|(_, character)| character_width(*character) > 0);
        next.map_or(self.text.len(), |(index, _)| self.cursor + index)
    }
}
