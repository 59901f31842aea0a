//! Words that hide the subject of a sentence, per line of comment, and long lines of Markdown.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::{HouseError, files, read};

/// Words that hide the thing that is meant. A noun in their place names it.
pub const WORDS: [&str; 6] = ["whoever", "whose", "who", "nobody", "somebody", "whatever"];

/// How many of them there may be in 1,000 lines of comment: a question word has its place now and then.
pub const LIMIT_PER_1000: u32 = 5;

/// No line of Markdown is longer, characters.
pub const MARKDOWN_WIDTH: usize = 160;

/// What the comments of some files have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prose {
    /// Lines with a comment.
    pub lines: u32,
    /// How many of the [`WORDS`] are in them.
    pub words: u32,
}

impl Prose {
    /// Words in 1,000 lines of comment; nothing in no lines.
    #[must_use]
    pub fn per_1000(self) -> f64 {
        if self.lines == 0 { 0.0 } else { f64::from(self.words) * 1000.0 / f64::from(self.lines) }
    }

    /// Whether there are so few of the words as there should be.
    #[must_use]
    pub fn is_plain(self) -> bool {
        u64::from(self.words) * 1000 <= u64::from(self.lines) * u64::from(LIMIT_PER_1000)
    }

    fn add(&mut self, other: Self) {
        self.lines += other.lines;
        self.words += other.words;
    }
}

/// The prose of the tree.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// All Rust files together.
    pub all: Prose,
    /// By group: the first two folders of a path (`cells/tasks`, `tools/build`).
    pub groups: BTreeMap<String, Prose>,
    /// Too long lines of Markdown: the file and the number of the line.
    pub long_lines: Vec<(PathBuf, usize)>,
}

/// Measures the tree at `root`.
///
/// # Errors
/// A file that cannot be read.
pub fn measure(root: &Path) -> Result<Report, HouseError> {
    let mut report = Report::default();
    for path in files(root, "rs")? {
        let inside = path.strip_prefix(root).unwrap_or(&path);
        let folders: Vec<_> =
            inside.parent().into_iter().flatten().take(2).map(|part| part.to_string_lossy()).collect();
        let prose = of_file(&read(&path)?);
        report.all.add(prose);
        report.groups.entry(folders.join("/")).or_default().add(prose);
    }
    for path in files(root, "md")? {
        let text = read(&path)?;
        let long = text.lines().zip(1..).filter(|(line, _)| line.chars().count() > MARKDOWN_WIDTH);
        report.long_lines.extend(long.map(|(_, number)| (path.strip_prefix(root).unwrap_or(&path).to_owned(), number)));
    }
    Ok(report)
}

/// The prose of one Rust file.
#[must_use]
pub fn of_file(text: &str) -> Prose {
    let mut prose = Prose::default();
    for comment in comments(text).lines().filter(|line| !line.trim().is_empty()) {
        prose.lines += 1;
        let words = comment.split(|character: char| !character.is_alphabetic());
        prose.words += words.filter(|word| WORDS.iter().any(|one| word.eq_ignore_ascii_case(one))).count() as u32;
    }
    prose
}

/// The text with everything but comments taken out; the lines are those of the text. An empty comment (`//`) stays empty.
fn comments(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => {
                let length = rest.find('\n').unwrap_or(rest.len());
                kept.push_str(&rest[2..length]);
                length
            }
            '/' if rest.starts_with("/*") => {
                let length = block_comment(rest);
                kept.push_str(&rest[2..length]);
                length
            }
            'r' | 'b' | 'c' | '"' => skip(literal(rest), rest, &mut kept),
            '\'' => skip(character(rest), rest, &mut kept),
            _ if first.is_alphanumeric() || first == '_' => {
                rest.find(|other: char| !other.is_alphanumeric() && other != '_').unwrap_or(rest.len())
            }
            '\n' => {
                kept.push('\n');
                1
            }
            _ => first.len_utf8(),
        };
        rest = &rest[length..];
    }
    kept
}

/// Keeps nothing of a literal but its ends of lines.
fn skip(length: usize, rest: &str, kept: &mut String) -> usize {
    kept.extend(rest[..length].chars().filter(|&character| character == '\n'));
    length
}

/// Size of the block comment at the start, which may have others in it.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_u32, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Size of the string literal at the start, or of the word if there is none.
fn literal(text: &str) -> usize {
    let prefix = text.find(|character: char| !matches!(character, 'r' | 'b' | 'c')).unwrap_or(text.len());
    let hashes = text[prefix..].len() - text[prefix..].trim_start_matches('#').len();
    let quote = prefix + hashes;
    let is_raw = text[..prefix].contains('r');
    if prefix > 2 || !text[quote..].starts_with('"') || hashes > 0 && !is_raw {
        if text[prefix..].starts_with('\'') && &text[..prefix] == "b" {
            return prefix + character(&text[prefix..]);
        }
        let word = text.find(|character: char| !character.is_alphanumeric() && character != '_');
        return word.unwrap_or(text.len()).max(1);
    }
    let body = &text[quote + 1..];
    if is_raw {
        let end = format!("\"{}", "#".repeat(hashes));
        return body.find(&end).map_or(text.len(), |at| quote + 1 + at + end.len());
    }
    let mut escaped = false;
    for (at, character) in body.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return quote + 1 + at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Size of the character literal at the start, or of the apostrophe of a lifetime.
fn character(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    match characters.next() {
        Some((_, '\\')) => text[3..].find('\'').map_or(text.len(), |at| at + 4),
        Some(_) if characters.next().is_some_and(|(_, end)| end == '\'') => {
            text[1..].find('\'').map_or(text.len(), |at| at + 2)
        }
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> (u32, u32) {
        let prose = of_file(text);
        (prose.lines, prose.words)
    }

    #[test]
    fn words_in_comments_count_and_words_elsewhere_do_not() {
        assert_eq!(count("//! Who comes.\n/// Whoever, whose.\nfn who() {} // nobody\n"), (3, 4));
        assert_eq!(count("/* somebody\n   whatever */ let whose = 1;"), (2, 2));
        assert_eq!(count("let nobody = \"who // whose\"; let r = r#\"\" // who\"#; let b = b'\"'; // who"), (1, 1));
        assert_eq!(count("let c = '\"'; let d = '\\''; // who\nfn f<'a>(x: &'a str) {} // whose"), (2, 2));
        assert_eq!(count("//\nfn whole() {} // the whole, somewhere"), (1, 0));
    }

    #[test]
    fn a_literal_over_several_lines_hides_no_line_after_it() {
        assert_eq!(count("let text = \"\n// who\n\";\n// who\n"), (1, 1));
    }

    #[test]
    fn the_limit_is_exact() {
        assert!(Prose { lines: 1000, words: 5 }.is_plain() && !Prose { lines: 999, words: 5 }.is_plain());
        assert!(Prose::default().is_plain());
        assert!((Prose { lines: 200, words: 1 }.per_1000() - 5.0).abs() < 1e-9);
    }

    #[test]
    fn this_file_is_among_those_measured() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let report = measure(root).unwrap();
        assert!(report.groups.contains_key("src") && report.all.lines > 50, "{report:?}");
    }
}
