//! What the user types.

use line_editor::{Event, LineEditor, MAX_LINE, Style};

/// Types the bytes into an editor of each style, and reads each line as the shell does.
///
/// # Panics
/// If the editor or the reader of commands panics, or a line is too long.
pub fn typed(bytes: &[u8]) {
    for style in [Style::Plain, Style::Terminal { columns: 80 }, Style::Terminal { columns: 1 }] {
        let mut editor = LineEditor::new(style, "mitos> ");
        let mut screen = Vec::new();
        for &byte in bytes {
            screen.clear();
            match editor.feed(byte, &mut screen) {
                Some(Event::Line(line)) => {
                    assert!(line.len() <= MAX_LINE);
                    for pipeline in command_line::parse(&line).unwrap_or_default() {
                        let _ = pipeline.expand(|_| Some("value"));
                    }
                }
                Some(Event::Complete) => {
                    let line = editor.before_cursor();
                    let at = command_line::Incomplete::of(line);
                    let words = [format!("{}ä", at.word), format!("{}äb", at.word)];
                    let candidates = words.map(|word| at.typed_like(line, &word).expect("a longer word"));
                    editor.offer(at.typed, &candidates, &mut screen);
                }
                Some(Event::Overlong) => assert!(editor.is_empty()),
                _ => {}
            }
        }
    }
}
