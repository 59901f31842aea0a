//! What a half-typed word may become.
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use vfs::Kind;

/// The commands whose argument is a cell.
const OF_CELLS: [&str; 3] = ["cells", "deps", "swap"];

/// All completions of the last word of `line`, sorted, and that word's length.
pub(crate) fn candidates(line: &str) -> (usize, Vec<String>) {
    let (word, is_command) = command_line::word_at_end(line);
    let mut found = if is_command {
        applications(word)
    } else if OF_CELLS.iter().any(|command| line.trim_start().starts_with(&format!("{command} "))) {
        cells(word)
    } else {
        paths(word)
    };
    found.sort();
    (word.len(), found)
}

fn applications(word: &str) -> Vec<String> {
    let names = manual::PAGES.iter().map(|page| page.name);
    names.filter(|name| name.starts_with(word)).map(String::from).collect()
}

fn cells(word: &str) -> Vec<String> {
    let cells = namespace::cells().into_iter().map(|cell| cell.name);
    cells.filter(|name| name.starts_with(word)).collect()
}

fn paths(word: &str) -> Vec<String> {
    let (directory, name) = word.rsplit_once('/').map_or(("", word), |(directory, name)| (directory, name));
    let prefix = word.strip_suffix(name).unwrap_or_default();
    // A directory that cannot be listed offers nothing.
    let entries = vfs::list(directory).unwrap_or_default();
    let fitting = entries.into_iter().filter(|entry| entry.name.starts_with(name));
    fitting
        .map(|entry| {
            let mark = if entry.metadata.kind == Kind::Directory { "/" } else { "" };
            format!("{prefix}{}{mark}", entry.name)
        })
        .collect()
}
