extern crate std;

use super::{Outcome, Outgoing};
use std::string::String;
use std::vec::Vec;
use xorshift::Random;

const PROMPT: &str = "> ";

/// All that waits, as text.
fn sent<const N: usize>(output_queue: &mut Outgoing<N>) -> String {
    let mut bytes = Vec::new();
    while !output_queue.is_empty() {
        let mut chunk = [0; 64];
        let count = output_queue.pop_line(&mut chunk);
        bytes.extend_from_slice(&chunk[..count]);
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn output_without_an_edited_line_is_left_as_it_is() {
    let mut output_queue = Outgoing::<64>::new();
    assert_eq!(output_queue.write(b"one\r\n", false), Outcome::Taken);
    assert_eq!(output_queue.draw(b"\r> "), Outcome::Taken);
    assert_eq!(output_queue.change(b"a"), Outcome::Taken);
    assert_eq!(output_queue.finish(b"\r\n"), Outcome::Taken);
    assert_eq!(output_queue.write(b"two\r\n", false), Outcome::Taken);
    assert_eq!(sent(&mut output_queue), "one\r\n\r> a\r\ntwo\r\n");
}

#[test]
fn a_shown_line_is_erased_once_and_drawn_again() {
    let mut output_queue = Outgoing::<64>::new();
    assert_eq!(output_queue.draw(b"\r> half"), Outcome::Taken);
    assert_eq!(output_queue.write(b"one\r\n", false), Outcome::TakenAndErased);
    assert!(output_queue.is_erased());
    assert_eq!(output_queue.write(b"two\r\n", false), Outcome::Taken);
    // The editor's echo of a key before it noticed.
    assert_eq!(output_queue.change(b"w"), Outcome::Outdated);
    assert_eq!(output_queue.draw(b"\r> halfw"), Outcome::Taken);
    assert!(!output_queue.is_erased());
    assert_eq!(sent(&mut output_queue), "\r> half\r\x1b[Kone\r\ntwo\r\n\r> halfw");
}

#[test]
fn fresh_output_begins_a_row() {
    let mut output_queue = Outgoing::<64>::new();
    for (bytes, fresh) in [("a", true), ("b\r\n", false), ("c", true), ("d\r\n", true)] {
        assert_eq!(output_queue.write(bytes.as_bytes(), fresh), Outcome::Taken);
    }
    assert_eq!(sent(&mut output_queue), "ab\r\nc\r\nd\r\n");
}

#[test]
fn a_prompt_leaves_an_unfinished_line_alone() {
    let mut output_queue = Outgoing::<64>::new();
    assert_eq!(output_queue.write(b"no end", false), Outcome::Taken);
    assert_eq!(output_queue.draw(b"\r> "), Outcome::Taken);
    assert_eq!(output_queue.draw(b"\r> "), Outcome::Taken);
    assert_eq!(output_queue.write(b"", false), Outcome::Taken);
    assert_eq!(output_queue.write(b"more", false), Outcome::TakenAndErased);
    assert_eq!(output_queue.draw(b"\r> "), Outcome::Taken);
    assert_eq!(sent(&mut output_queue), "no end\r\n\r> \r> \r\x1b[Kmore\r\n\r> ");
}

#[test]
fn text_past_the_queue_has_the_line_drawn_again_below_it() {
    let mut output_queue = Outgoing::<64>::new();
    assert!(!output_queue.bypass(), "there is no line");
    assert_eq!(output_queue.draw(b"\r> half"), Outcome::Taken);
    assert!(!output_queue.is_line_shown(), "it is not on the screen yet");
    assert_eq!(sent(&mut output_queue), "\r> half");
    assert!(output_queue.is_line_shown());
    assert!(output_queue.bypass());
    assert!(output_queue.is_erased() && !output_queue.is_line_shown());
    assert!(!output_queue.bypass(), "its editor is told once");
    assert_eq!(output_queue.change(b"x"), Outcome::Outdated);
    // The text ended its row, so the line needs no other.
    assert_eq!(output_queue.draw(b"\r> halfx"), Outcome::Taken);
    assert_eq!(sent(&mut output_queue), "\r> halfx");
    assert_eq!(output_queue.write(b"one", false), Outcome::TakenAndErased);
    assert_eq!(output_queue.draw(b"\r> halfx"), Outcome::Taken);
    assert_eq!(sent(&mut output_queue), "\r\x1b[Kone\r\n\r> halfx");
}

#[test]
fn what_finds_no_room_changes_nothing() {
    let mut output_queue = Outgoing::<8>::new();
    assert_eq!(output_queue.draw(b"\r> "), Outcome::Taken);
    assert_eq!(output_queue.write(b"ab", false), Outcome::NoRoom);
    assert!(!output_queue.is_erased());
    assert_eq!(output_queue.write(b"a", false), Outcome::TakenAndErased);
    assert_eq!(output_queue.draw(b"\r> "), Outcome::NoRoom);
    assert!(output_queue.is_erased());
    assert_eq!(output_queue.finish(b"x"), Outcome::Outdated);
    assert_eq!(output_queue.give_up(b"x"), Outcome::NoRoom);
    assert!(output_queue.is_erased());
    assert_eq!(sent(&mut output_queue), "\r> \r\x1b[Ka");
}

/// A screen of rows, as far as the console uses one.
#[derive(Default)]
struct Screen {
    rows: Vec<String>,
    row: Vec<char>,
    column: usize,
}

impl Screen {
    fn apply(&mut self, text: &str) {
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '\r' => self.column = 0,
                '\n' => self.rows.push(self.row.drain(..).collect()),
                '\x1b' => {
                    assert_eq!((characters.next(), characters.next()), (Some('['), Some('K')));
                    self.row.truncate(self.column);
                }
                character => {
                    self.row.resize(self.row.len().max(self.column + 1), ' ');
                    self.row[self.column] = character;
                    self.column += 1;
                }
            }
        }
    }
}

/// In any order in which an editor and other tasks write: every line of the others has a row of its own, and when the editor
/// has caught up, its whole line is on the last row.
#[test]
fn any_order_leaves_whole_rows() {
    let mut random = Random::new(5);
    let mut output_queue = Outgoing::<32>::new();
    let mut screen = Screen::default();
    let mut expected: Vec<String> = Vec::new();
    let mut typed = String::new();
    let whole = |typed: &str| std::format!("\r{PROMPT}{typed}\x1b[K");
    assert_eq!(output_queue.draw(whole("").as_bytes()), Outcome::Taken);
    for step in 0..20_000 {
        match random.below(5) {
            0 => {
                let line = std::format!("{step}");
                if output_queue.write(std::format!("{line}\r\n").as_bytes(), true) != Outcome::NoRoom {
                    expected.push(line);
                }
            }
            1 if typed.len() < 5 => {
                // The editor takes the key in any case, and draws the whole line if the echo is outdated.
                typed.push('x');
                loop {
                    match output_queue.change(b"x") {
                        Outcome::NoRoom => screen.apply(&sent(&mut output_queue)),
                        _ => break,
                    }
                }
            }
            2 if random.below(4) == 0 => {
                let line = std::mem::take(&mut typed);
                loop {
                    match output_queue.finish(b"\r\n") {
                        Outcome::Outdated => {
                            let _retried = output_queue.draw(whole(&line).as_bytes());
                        }
                        Outcome::NoRoom => screen.apply(&sent(&mut output_queue)),
                        _ => break,
                    }
                    screen.apply(&sent(&mut output_queue));
                }
                expected.push(std::format!("{PROMPT}{line}"));
                while output_queue.draw(whole("").as_bytes()) == Outcome::NoRoom {
                    screen.apply(&sent(&mut output_queue));
                }
            }
            3 => screen.apply(&sent(&mut output_queue)),
            _ => {
                while output_queue.is_erased() {
                    let _retried = output_queue.draw(whole(&typed).as_bytes());
                    screen.apply(&sent(&mut output_queue));
                }
                screen.apply(&sent(&mut output_queue));
                assert_eq!(screen.row.iter().collect::<String>(), std::format!("{PROMPT}{typed}"));
            }
        }
    }
    screen.apply(&sent(&mut output_queue));
    assert_eq!(screen.rows, expected);
}
