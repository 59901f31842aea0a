extern crate std;

use super::*;
use alloc::vec;
use std::format;
use xorshift::Random;

/// The row of a terminal in which the line is edited, and the rows above it.
#[derive(Default)]
struct Row {
    /// The character of each column with those that change it; a wide one is followed by nothing.
    cells: Vec<String>,
    column: usize,
    bells: usize,
    rows_above: Vec<String>,
}

impl Row {
    fn apply(&mut self, bytes: &[u8]) {
        let text = core::str::from_utf8(bytes).expect("the editor emits whole characters");
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '\r' => self.column = 0,
                '\x07' => self.bells += 1,
                '\n' => {
                    self.rows_above.push(self.text());
                    self.cells.clear();
                }
                '\x1b' => self.sequence(&mut characters),
                character => self.put(character),
            }
        }
    }

    fn sequence(&mut self, characters: &mut core::str::Chars<'_>) {
        match characters.next() {
            Some('[') => {}
            Some('7' | '8') => return,
            other => panic!("ESC {other:?}"),
        }
        let mut parameters = String::new();
        let last = loop {
            match characters.next().expect("a sequence ends") {
                letter @ 'A'..='z' => break letter,
                parameter => parameters.push(parameter),
            }
        };
        match last {
            'D' => self.column -= parameters.parse::<usize>().expect("a number of columns"),
            'K' => self.cells.truncate(self.column),
            'J' => self.cells.clear(),
            'H' if parameters.is_empty() => self.column = 0,
            // The question for the size.
            'H' | 'n' => {}
            other => panic!("ESC [ {other}"),
        }
    }

    fn put(&mut self, character: char) {
        let width = columns::character_width(character);
        if width == 0 {
            let before = self.cells[..self.column].iter_mut().rfind(|cell| !cell.is_empty());
            before.expect("a character to change").push(character);
            return;
        }
        let end = self.column + width;
        self.cells.resize(self.cells.len().max(end), String::from(" "));
        self.cells[self.column] = String::from(character);
        self.cells[self.column + 1..end].fill(String::new());
        self.column = end;
    }

    fn text(&self) -> String {
        self.cells.concat()
    }
}

struct Session {
    editor: LineEditor,
    row: Row,
    events: Vec<Event>,
}

impl Session {
    fn new(style: Style) -> Self {
        let mut session = Self { editor: LineEditor::new(style, "> "), row: Row::default(), events: vec![] };
        let mut screen = vec![];
        session.editor.show(&mut screen);
        session.row.apply(&screen);
        session
    }

    fn type_bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let mut screen = vec![];
            let event = self.editor.feed(byte, &mut screen);
            self.row.apply(&screen);
            if let Some(event) = event {
                if event != Event::Complete {
                    let mut screen = vec![];
                    self.editor.show(&mut screen);
                    self.row.apply(&screen);
                }
                self.events.push(event);
            }
        }
    }
}

const WIDE: Style = Style::Terminal { columns: 80 };

/// The line that a sequence of keys types.
fn line(keys: &[u8]) -> String {
    let mut session = Session::new(WIDE);
    session.type_bytes(keys);
    let shown = session.row.text();
    session.type_bytes(b"\r");
    match session.events.as_slice() {
        [Event::Line(line)] => {
            assert_eq!(shown, format!("> {line}"), "the screen shows the line");
            line.clone()
        }
        events => panic!("{events:?}"),
    }
}

#[test]
fn typing_and_moving() {
    assert_eq!(line(b"echo hello"), "echo hello");
    assert_eq!(line(b"hello\x01echo "), "echo hello");
    assert_eq!(line(b"ac\x1b[Db\x1b[Cd"), "abcd");
    assert_eq!(line(b"one two\x1bb\x1bb1 \x1bf\x1bf!"), "1 one two!");
    assert_eq!(line(b"x\x1b[Ha\x1b[F!\x1b[1~<\x1b[4~>"), "<ax!>");
    assert_eq!(line(b"a b\x1b[1;5D-\x1b[1;5C+"), "a -b+");
}

#[test]
fn deleting() {
    assert_eq!(line(b"abc\x7f\x08d"), "ad");
    assert_eq!(line(b"abc\x1b[D\x1b[D\x1b[3~"), "ac");
    assert_eq!(line(b"abc\x01\x04"), "bc");
    assert_eq!(line(b"one two three\x17\x17x"), "one x");
    assert_eq!(line(b"one two\x01\x06\x0b"), "o");
    assert_eq!(line(b"one two\x02\x15"), "o");
    assert_eq!(line(b"\x7f\x08\x17\x15\x0b\x1b[3~a"), "a");
}

#[test]
fn characters_of_several_bytes() {
    assert_eq!(line("größe\x7f\x7f\x7f".as_bytes()), "gr");
    assert_eq!(line("漢字\x1b[Dx".as_bytes()), "漢x字");
    // A sequence that breaks off gives way to the next byte, and stray bytes are dropped.
    assert_eq!(line(b"a\xe6\xbcb\x80\xff"), "ab");
}

#[test]
fn unknown_sequences_are_swallowed() {
    assert_eq!(line(b"a\x1b[15~\x1b[99;7Z\x1bxb\x07\x00"), "ab");
    // Private and intermediate parameters, function keys, marks of pasted text, character sets.
    assert_eq!(line(b"a\x1b[?25h\x1b[0 q\x1b[<0;1;2M\x1b[[A\x1bOP\x1b[200~b\x1b[201~\x1b(B\x1b\x1b[Cc"), "abc");
    assert_eq!(line(b"a\xc2\x9b31mb"), "ab");
    // Texts for the terminal.
    assert_eq!(line(b"a\x1b]0;title\x07b\x1bPx\x1b\\c"), "abc");
    // A sequence that breaks off takes no key with it.
    assert_eq!(line(b"ab\x1b\x7f\x1b[1\x01x\x1b["), "x");
}

#[test]
fn history_walks_back_and_forth() {
    let mut session = Session::new(WIDE);
    session.type_bytes(b"one\rtwo\rtwo\r  \rdraft");
    let mut seen = vec![];
    for key in [b"\x1b[A", b"\x1b[A", b"\x1b[A", b"\x1b[B", b"\x1b[B", b"\x1b[B"] {
        session.type_bytes(key);
        seen.push(session.row.text());
    }
    assert_eq!(seen, ["> two", "> one", "> one", "> two", "> draft", "> draft"]);
}

#[test]
fn line_ends_of_all_kinds() {
    let mut session = Session::new(WIDE);
    session.type_bytes(b"a\rb\nc\r\nd\n");
    let lines = ["a", "b", "c", "d"].map(|line| Event::Line(String::from(line)));
    assert_eq!(session.events, lines);
}

#[test]
fn interrupt_and_end() {
    let mut session = Session::new(WIDE);
    session.type_bytes(b"abc\x03xy\x01\x04\r\x04");
    assert_eq!(session.events, [Event::Interrupt, Event::Line(String::from("y")), Event::EndOfInput]);
    assert_eq!(session.row.rows_above[0], "> abc^C");
}

#[test]
fn the_end_behind_text_gives_what_is_typed() {
    for (style, shown) in [(WIDE, &b""[..]), (Style::Plain, b"half")] {
        let mut session = Session::new(style);
        session.type_bytes(b"half\x04");
        assert_eq!(session.events, [Event::EndOfInput]);
        let mut screen = vec![];
        assert_eq!(session.editor.take(&mut screen), "half");
        assert_eq!(screen, shown);
        session.type_bytes(b"\x04");
        assert_eq!(session.events, [Event::EndOfInput, Event::EndOfInput]);
        assert_eq!(session.editor.take(&mut screen), "");
    }
}

#[test]
fn completion() {
    let candidates = |words: &[&str]| words.iter().map(|word| String::from(*word)).collect::<Vec<_>>();
    let mut session = Session::new(WIDE);
    session.type_bytes(b"ls /no\t");
    assert_eq!(session.events, [Event::Complete]);
    assert_eq!(session.editor.before_cursor(), "ls /no");
    for (words, shown) in [
        (candidates(&[]), "> ls /no"),
        (candidates(&["/notes", "/note"]), "> ls /note"),
        (candidates(&["/note"]), "> ls /note "),
    ] {
        let mut screen = vec![];
        let word = session.editor.before_cursor().len() - "ls ".len();
        session.editor.offer(word, &words, &mut screen);
        session.row.apply(&screen);
        assert_eq!(session.row.text(), shown);
    }
    session.type_bytes(b"\x15p\t");
    let mut screen = vec![];
    session.editor.offer(1, &candidates(&["ps", "poweroff"]), &mut screen);
    session.row.apply(&screen);
    assert_eq!(session.row.rows_above.last().map(String::as_str), Some("ps        poweroff"));
    assert_eq!(session.row.text(), "> p");
    session.type_bytes(b"\x15/tmp/\t");
    let mut screen = vec![];
    session.editor.offer(5, &candidates(&["/tmp/one", "/tmp/two/"]), &mut screen);
    session.row.apply(&screen);
    assert_eq!(session.row.rows_above.last().map(String::as_str), Some("one   two/"));
}

#[test]
fn a_line_is_found_by_a_part_of_it() {
    let mut session = Session::new(WIDE);
    session.type_bytes(b"cat one\recho two\rcat three\rdraft\x12");
    assert_eq!(session.row.text(), "(search) '': draft");
    session.type_bytes(b"ca");
    assert_eq!(session.row.text(), "(search) 'ca': cat three");
    session.type_bytes(b"\x12");
    assert_eq!(session.row.text(), "(search) 'ca': cat one");
    session.type_bytes(b"\x12");
    assert_eq!(session.row.text(), "(no such line) 'ca': cat one");
    session.type_bytes(b"\x7f\x7fo t");
    assert_eq!(session.row.text(), "(search) 'o t': echo two");
    session.type_bytes(b"\x01x");
    assert_eq!(session.row.text(), "> xecho two");
    session.type_bytes(b"\x12cat\x07");
    assert_eq!(session.row.text(), "> xecho two");
    session.type_bytes(b"\x12three\r");
    let lines = ["cat one", "echo two", "cat three", "cat three"].map(|line| Event::Line(String::from(line)));
    assert_eq!(session.events, lines);
}

#[test]
fn the_terminal_tells_its_size_among_the_keys() {
    let mut session = Session::new(WIDE);
    session.type_bytes(b"ab\x1b[24;30Rc\x1b[1;2R\x0c");
    assert_eq!(session.events, [Event::Size { columns: 30, rows: 24 }]);
    assert_eq!(session.row.text(), "> abc");
    session.type_bytes(&[b'x'; 40]);
    assert_eq!(session.row.column, 29);
}

#[test]
fn keys_move_by_characters_and_the_screen_counts_columns() {
    assert_eq!(line("漢字\x1b[D\x1b[Dx\x1b[Cy".as_bytes()), "x漢y字");
    // A combining accent moves and goes with its letter.
    assert_eq!(line("ae\u{301}o\x1b[D\x1b[Dx".as_bytes()), "axe\u{301}o");
    assert_eq!(line("ae\u{301}\x7fo".as_bytes()), "ao");
    let mut session = Session::new(Style::Terminal { columns: 10 });
    session.type_bytes("一二三四五".as_bytes());
    assert_eq!((session.row.text().as_str(), session.row.column), ("> 三四五", 8));
    session.type_bytes(b"\x01");
    assert_eq!((session.row.text().as_str(), session.row.column), ("> 一二三", 2));
}

#[test]
fn a_complete_line_can_be_shown_again() {
    let mut session = Session::new(WIDE);
    session.type_bytes(b"new");
    let mut screen = vec![];
    session.editor.show_line("old", &mut screen);
    session.row.apply(&screen);
    assert_eq!(session.row.text(), "> old");
    session.editor.show(&mut screen);
    session.row.apply(&screen);
    assert_eq!(session.row.text(), "> new");
}

#[test]
fn plain_style_shows_the_line_once() {
    let mut editor = LineEditor::new(Style::Plain, "mitos> ");
    let mut screen = vec![];
    editor.show(&mut screen);
    for &byte in b"ls\x7fs /\t\x1b[A" {
        assert_eq!(editor.feed(byte, &mut screen), None);
    }
    assert_eq!(screen, b"mitos> ");
    assert_eq!(editor.feed(b'\r', &mut screen), Some(Event::Line(String::from("ls /"))));
    assert_eq!(screen, b"mitos> ls /\r\n");
}

#[test]
fn a_long_line_scrolls_and_stays_in_bounds() {
    let mut session = Session::new(Style::Terminal { columns: 10 });
    session.type_bytes(b"0123456789");
    assert_eq!(session.row.text(), "> 3456789");
    session.type_bytes(b"\x01");
    assert_eq!((session.row.text().as_str(), session.row.column), ("> 0123456", 2));
}

#[test]
fn of_a_line_that_is_too_long_nothing_is_carried_out() {
    let mut session = Session::new(WIDE);
    session.type_bytes(&[b'x'; MAX_LINE]);
    assert_eq!(session.row.bells, 0);
    session.type_bytes(b"\r");
    assert!(matches!(session.events.as_slice(), [Event::Line(line)] if line.len() == MAX_LINE));
    for end in [b'\r', 4] {
        let mut session = Session::new(WIDE);
        session.type_bytes(b"first\r");
        session.type_bytes(&[b'x'; MAX_LINE + 10]);
        // Room that comes later does not bring back the refused bytes.
        session.type_bytes(&[0x7f; 20]);
        session.type_bytes(&[end]);
        assert_eq!(session.row.bells, 10);
        // The line before it is the last one in the history.
        session.type_bytes(b"\x1b[A\r");
        let first = Event::Line(String::from("first"));
        assert_eq!(session.events, [first.clone(), Event::Overlong, first]);
    }
}

#[test]
fn a_line_that_was_too_long_can_be_left_behind() {
    let left_by = |keys: &[u8]| {
        let mut session = Session::new(WIDE);
        session.type_bytes(b"first\r");
        session.type_bytes(&[b'x'; MAX_LINE - 1]);
        // Two bytes, for one of which there would be room.
        session.type_bytes("ö".as_bytes());
        assert_eq!(session.row.bells, 1);
        session.type_bytes(keys);
        session.type_bytes(b"last\r");
        session.events.split_off(1)
    };
    let last = Event::Line(String::from("last"));
    assert_eq!(left_by(b"\x15"), [last.clone()]);
    assert_eq!(left_by(b"\x03"), [Event::Interrupt, last]);
    // A walk through the history would lose its state.
    assert_eq!(left_by(b"\x1b[A\x1b[B"), [Event::Overlong]);
}

#[test]
fn a_plain_line_that_is_too_long_rings_no_bell() {
    let mut editor = LineEditor::new(Style::Plain, "");
    let mut screen = vec![];
    for _ in 0..=MAX_LINE {
        assert_eq!(editor.feed(b'x', &mut screen), None);
    }
    assert_eq!(screen, b"");
    assert_eq!(editor.feed(b'\r', &mut screen), Some(Event::Overlong));
    assert_eq!(screen.len(), MAX_LINE + 2);
    assert!(editor.is_empty());
}

/// For any bytes from the terminal, nothing panics and the screen never runs past its edge.
#[test]
fn any_bytes_are_survived() {
    let mut random = Random::new(7);
    for columns in [3, 10, 80] {
        let mut session = Session::new(Style::Terminal { columns });
        for _ in 0..50_000 {
            let byte = match random.below(4) {
                0 => b"\x1b[A;5D~ 13\x7f\x01\x02\xc3\xb6\x03"[random.below(16)],
                1 => random.below(256) as u8,
                _ => b'a' + random.below(26) as u8,
            };
            session.type_bytes(&[byte]);
            assert!(session.row.cells.len() <= columns.max(3), "{columns}: {}", session.row.text());
        }
    }
}

/// Random keys on a line of characters of all widths, compared with a model that is too simple to be wrong.
#[test]
fn the_screen_shows_the_line_and_the_cursor() {
    let mut random = Random::new(11);
    for columns in [12, 40, 200] {
        let mut session = Session::new(Style::Terminal { columns });
        let (mut model, mut cursor): (Vec<char>, usize) = (vec![], 0);
        for _ in 0..20_000 {
            match random.below(10) {
                0 if cursor > 0 => {
                    session.type_bytes(b"\x7f");
                    cursor -= 1;
                    model.remove(cursor);
                }
                1 => {
                    session.type_bytes(b"\x1b[D");
                    cursor = cursor.saturating_sub(1);
                }
                2 => {
                    session.type_bytes(b"\x1b[C");
                    cursor = model.len().min(cursor + 1);
                }
                3 => {
                    session.type_bytes(b"\x1b[3~");
                    if cursor < model.len() {
                        model.remove(cursor);
                    }
                }
                4 if random.below(4) == 0 => {
                    session.type_bytes(b"\x01");
                    cursor = 0;
                }
                5 if random.below(4) == 0 => {
                    session.type_bytes(b"\x15");
                    model.drain(..cursor);
                    cursor = 0;
                }
                _ if model.len() < 100 => {
                    let letter = ['a', ' ', 'ö', '漢', '😀'][random.below(5)];
                    session.type_bytes(String::from(letter).as_bytes());
                    model.insert(cursor, letter);
                    cursor += 1;
                }
                _ => {}
            }
            let line: String = model.iter().collect();
            let before: String = model[..cursor].iter().collect();
            assert_eq!((session.editor.before_cursor(), session.row.bells), (before.as_str(), 0));
            let shown = session.row.text();
            let end = columns::width("> ") + columns::width(&line);
            if end < columns {
                assert_eq!(shown, format!("> {line}"));
                assert_eq!(session.row.column, columns::width("> ") + columns::width(&before));
            } else {
                // A part of the line, and the cursor behind the text before it.
                let visible = shown.strip_prefix("> ").expect("the prompt");
                assert!(line.contains(visible) && session.row.cells.len() < columns, "{shown:?} of {line:?}");
                let left: String = session.row.cells[2..session.row.column].concat();
                assert!(before.ends_with(&left), "{left:?} of {before:?}");
            }
        }
    }
}
