//! Programs that must not compile, each beside its nearest relative that does.
//!
//! A case is one file. Its first line is `// expect: TEXT`, a part of the compiler's message. Lines that end in `//~ wrong`
//! are in the wrong program only, lines that end in `//~ right` in the right one only; all others are in both. The right
//! program must compile, and the wrong one must fail with the expected message at one of its wrong lines: so a case cannot
//! pass because of a misspelt import.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde::Deserialize;

use crate::Tally;
use crate::host::Toolchain;

const EXPECT: &str = "// expect: ";
const WRONG: &str = "//~ wrong";
const RIGHT: &str = "//~ right";

/// What the cases are compiled against.
#[derive(Debug, Clone)]
pub struct Target {
    /// The target specification.
    pub specification: PathBuf,
    /// Name and library of every crate of the build.
    pub libraries: Vec<(String, PathBuf)>,
    /// Folders with what those need in turn.
    pub folders: Vec<PathBuf>,
}

/// Cases of one kind.
#[derive(Debug, Clone)]
pub struct Cases {
    /// Stands before the name of each.
    pub title: &'static str,
    /// Where they are.
    pub folder: PathBuf,
    /// Flags with which they are compiled beside the usual ones.
    pub flags: &'static [&'static str],
}

/// A case, read.
#[derive(Debug, PartialEq, Eq)]
struct Case {
    expected: String,
    wrong: String,
    right: String,
    /// Numbers of the wrong lines, from 1.
    wrong_lines: Vec<usize>,
}

/// What is wrong with a case, or with what the compiler made of it.
#[derive(Debug, PartialEq, Eq)]
enum Complaint {
    NoExpectation,
    NoWrongLine,
    Unreadable(String),
    RightFails(String),
    WrongCompiles,
    OtherMessage(String),
    ElsewhereThanMarked { expected_at: Vec<usize>, reported_at: Vec<usize> },
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoExpectation => write!(f, "the first line is not `{EXPECT}TEXT`"),
            Self::NoWrongLine => write!(f, "no line ends in `{WRONG}`"),
            Self::Unreadable(error) => write!(f, "{error}"),
            Self::RightFails(messages) => write!(f, "the right program does not compile:\n{messages}"),
            Self::WrongCompiles => write!(f, "the wrong program compiles"),
            Self::OtherMessage(messages) => write!(f, "the compiler says something else:\n{messages}"),
            Self::ElsewhereThanMarked { expected_at, reported_at } => {
                write!(f, "the message is about lines {reported_at:?}, wrong are {expected_at:?}")
            }
        }
    }
}

impl Case {
    fn parse(text: &str) -> Result<Self, Complaint> {
        let expected =
            text.lines().next().and_then(|line| line.strip_prefix(EXPECT)).ok_or(Complaint::NoExpectation)?;
        let mut case = Self {
            expected: expected.trim().to_owned(),
            wrong: String::new(),
            right: String::new(),
            wrong_lines: Vec::new(),
        };
        for (index, line) in text.lines().enumerate() {
            let marked = line.trim_end();
            // A line left out stays as an empty one, so that numbers are those of the file.
            if marked.ends_with(WRONG) {
                case.wrong_lines.push(index + 1);
                case.wrong.push_str(line);
            } else if marked.ends_with(RIGHT) {
                case.right.push_str(line);
            } else {
                case.wrong.push_str(line);
                case.right.push_str(line);
            }
            case.wrong.push('\n');
            case.right.push('\n');
        }
        if case.wrong_lines.is_empty() { Err(Complaint::NoWrongLine) } else { Ok(case) }
    }
}

/// Crates that are not in the prelude of crate names.
const LANGUAGE: [&str; 3] = ["alloc", "compiler_builtins", "core"];

#[derive(Deserialize)]
struct Message {
    message: String,
    level: String,
    rendered: Option<String>,
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: usize,
    line_end: usize,
}

/// Runs every case of a kind.
///
/// # Errors
/// If the folder cannot be listed or the compiler not be started.
pub fn run(toolchain: &Toolchain, target: &Target, cases: &Cases, output: &Path, tally: &mut Tally) -> io::Result<()> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(&cases.folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.sort();
    fs::create_dir_all(output)?;
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let start = Instant::now();
        let result = check(toolchain, target, cases.flags, &file, &name, output)?;
        tally.record(&format!("{}: {name}", cases.title), Some(start.elapsed()), result);
    }
    Ok(())
}

fn check(
    toolchain: &Toolchain,
    target: &Target,
    flags: &[&str],
    file: &Path,
    name: &str,
    output: &Path,
) -> io::Result<Result<(), Complaint>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return Ok(Err(Complaint::Unreadable(error.to_string()))),
    };
    let case = match Case::parse(&text) {
        Ok(case) => case,
        Err(complaint) => return Ok(Err(complaint)),
    };
    let right = compile(toolchain, target, flags, &format!("{name}_right"), &case.right, output)?;
    if right.iter().any(is_error) {
        return Ok(Err(Complaint::RightFails(rendered(&right))));
    }
    let wrong = compile(toolchain, target, flags, &format!("{name}_wrong"), &case.wrong, output)?;
    Ok(judge(&case, &wrong))
}

fn is_error(message: &Message) -> bool {
    message.level.starts_with("error")
}

fn rendered(messages: &[Message]) -> String {
    messages.iter().filter(|message| is_error(message)).filter_map(|message| message.rendered.as_deref()).collect()
}

fn judge(case: &Case, messages: &[Message]) -> Result<(), Complaint> {
    let errors: Vec<&Message> = messages.iter().filter(|message| is_error(message)).collect();
    if errors.is_empty() {
        return Err(Complaint::WrongCompiles);
    }
    let says = |message: &&&Message| {
        message.message.contains(&case.expected)
            || message.rendered.as_deref().is_some_and(|text| text.contains(&case.expected))
    };
    let Some(message) = errors.iter().find(says) else { return Err(Complaint::OtherMessage(rendered(messages))) };
    // Spans in other files are the definitions that the message points to.
    let own: Vec<&Span> = message.spans.iter().filter(|span| span.file_name.ends_with("_wrong.rs")).collect();
    let covers = |span: &&&Span| case.wrong_lines.iter().any(|line| (span.line_start..=span.line_end).contains(line));
    if own.iter().any(|span| covers(&span)) {
        return Ok(());
    }
    Err(Complaint::ElsewhereThanMarked {
        expected_at: case.wrong_lines.clone(),
        reported_at: own.iter().map(|span| span.line_start).collect(),
    })
}

/// Type-checks a program and returns the compiler's messages.
fn compile(
    toolchain: &Toolchain,
    target: &Target,
    flags: &[&str],
    name: &str,
    text: &str,
    output: &Path,
) -> io::Result<Vec<Message>> {
    let source = output.join(format!("{name}.rs"));
    fs::write(&source, text)?;
    let mut command = Command::new(&toolchain.rustc);
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["--edition=2024", "--crate-type=lib", "--emit=metadata", "--error-format=json", "-Zunstable-options"])
        .args(flags)
        .arg(format!("--crate-name={name}"))
        .arg("--target")
        .arg(&target.specification)
        .arg("--out-dir")
        .arg(output);
    for folder in &target.folders {
        command.arg("-L").arg(format!("dependency={}", folder.display()));
    }
    for (krate, library) in &target.libraries {
        // The language's own crates are named by `#![no_std]` and `extern crate`, never by a path alone.
        let option = if LANGUAGE.contains(&krate.as_str()) { "noprelude:" } else { "" };
        command.arg("--extern").arg(format!("{option}{krate}={}", library.display()));
    }
    let result = command.arg(&source).output()?;
    let text = String::from_utf8_lossy(&result.stderr);
    let mut messages: Vec<Message> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if !result.status.success() && !messages.iter().any(is_error) {
        let rendered = Some(text.into_owned());
        messages.push(Message { message: "rustc failed".into(), level: "error".into(), rendered, spans: Vec::new() });
    }
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "// expect: moved\nfn f() {\n    wrong(); //~ wrong\n    right(); //~ right\n}\n";

    fn message(text: &str, line: usize) -> Message {
        Message {
            message: text.into(),
            level: "error".into(),
            rendered: None,
            spans: vec![Span { file_name: "out/case_wrong.rs".into(), line_start: line, line_end: line }],
        }
    }

    #[test]
    fn a_case_is_two_programs_with_the_same_line_numbers() {
        let case = Case::parse(TEXT).unwrap();
        assert_eq!(case.expected, "moved");
        assert_eq!(case.wrong_lines, [3]);
        assert_eq!(case.wrong.lines().nth(3), Some(""));
        assert_eq!(case.right.lines().nth(2), Some(""));
        assert!(case.right.contains("right();") && !case.right.contains("wrong();"));
    }

    #[test]
    fn a_case_without_expectation_or_wrong_line_is_refused() {
        assert_eq!(Case::parse("fn f() {} //~ wrong"), Err(Complaint::NoExpectation));
        assert_eq!(Case::parse("// expect: x\nfn f() {}"), Err(Complaint::NoWrongLine));
    }

    #[test]
    fn the_message_must_be_the_expected_one_at_a_wrong_line() {
        let case = Case::parse(TEXT).unwrap();
        assert_eq!(judge(&case, &[message("use of moved value", 3)]), Ok(()));
        assert_eq!(judge(&case, &[]), Err(Complaint::WrongCompiles));
        assert!(matches!(judge(&case, &[message("unresolved import", 3)]), Err(Complaint::OtherMessage(_))));
        assert!(matches!(
            judge(&case, &[message("use of moved value", 2)]),
            Err(Complaint::ElsewhereThanMarked { .. })
        ));
    }
}
