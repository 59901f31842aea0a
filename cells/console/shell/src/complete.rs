//! What a half-typed word may become.
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use vfs::Kind;

/// The commands whose argument is a cell.
const OF_CELLS: [&str; 2] = ["cells", "deps"];

/// All completions of the last word of `line`, sorted, and that word's length.
pub(crate) fn candidates(line: &str) -> (usize, Vec<String>) {
    let (word, is_command) = command_line::word_at_end(line);
    let mut found = if is_command {
        applications(word)
    } else if OF_CELLS.iter().any(|command| is_of(line, command)) {
        cells(word)
    } else if is_of(line, "swap") {
        builds(word)
    } else if is_of(line, "kill") {
        tasks(word)
    } else if is_of(line, "fault") {
        let before = line.strip_suffix(word).unwrap_or(line).split_whitespace().count();
        // The kind comes first, or what else there is to do with faults.
        if before == 1 { faults(word) } else { tasks(word) }
    } else {
        paths(word)
    };
    found.sort();
    (word.len(), found)
}

/// Whether the line begins with this command.
fn is_of(line: &str, command: &str) -> bool {
    line.trim_start().strip_prefix(command).is_some_and(|rest| rest.starts_with(' '))
}

/// The builds that can be swapped to, and the cells that stand for them.
fn builds(word: &str) -> Vec<String> {
    let mut names = alloc::vec![String::from(namespace::BASE)];
    for build in namespace::alternates() {
        names.push(build.name);
        // A cell's name never stands for a build that is to be refused.
        names.extend(build.cells.into_iter().filter(|_| !build.refused));
    }
    names.retain(|name| name.starts_with(word));
    names.sort();
    names.dedup();
    names
}

/// The kinds of faults that can be made, and the other arguments of `fault`.
fn faults(word: &str) -> Vec<String> {
    let kinds = fault_injection::INJECTABLE.iter().map(|kind| kind.word());
    kinds.chain(["log", "check", "disturb"]).filter(|kind| kind.starts_with(word)).map(String::from).collect()
}

/// The tasks whose names are one word.
fn tasks(word: &str) -> Vec<String> {
    let names = task::all().into_iter().map(|task| String::from(task.name().as_str()));
    let mut names: Vec<String> = names.filter(|name| name.starts_with(word) && !name.contains(' ')).collect();
    names.sort();
    names.dedup();
    names
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
    let entries = vfs::list(if directory.is_empty() { "/" } else { directory }).unwrap_or_default();
    let fitting = entries.into_iter().filter(|entry| entry.name.starts_with(name));
    fitting
        .map(|entry| {
            let mark = if entry.metadata.kind == Kind::Directory { "/" } else { "" };
            format!("{prefix}{}{mark}", entry.name)
        })
        .collect()
}
