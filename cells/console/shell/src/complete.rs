//! The completions of a half-typed word, by the page of its command.
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use application::{Inherited, is_variable};
use command_line::Incomplete;
use manual::Argument;
use vfs::Kind;

/// The commands that stand before another one.
const PREFIXES: [&str; 2] = ["time", "watch"];

/// All completions of the last word of `line` as they would be typed, sorted, and the bytes that the word takes.
pub(crate) fn candidates(line: &str, inherited: &Inherited) -> (usize, Vec<String>) {
    let at = Incomplete::of(line);
    let mut words: Vec<String> = if let Some(name) = at.word.strip_prefix('$') {
        variables(inherited).filter(|variable| variable.starts_with(name)).map(|name| format!("${name}")).collect()
    } else if at.is_file {
        paths(&at.word, inherited)
    } else {
        arguments(&at.before).iter().flat_map(|argument| words(*argument, &at.word, inherited)).collect()
    };
    words.retain(|word| word.starts_with(&at.word));
    words.sort();
    words.dedup();
    let [whole] = words.as_slice() else {
        return (at.typed, words.iter().filter_map(|word| at.typed_like(line, word)).collect());
    };
    let mut whole = at.typed_like(line, whole).into_iter().collect::<Vec<_>>();
    // A word that is complete closes its quote.
    if let (Some(quote), Some(word)) = (at.quote, whole.first_mut())
        && !word.ends_with('/')
    {
        word.push(quote);
    }
    (at.typed, whole)
}

/// The kinds of words that may follow the words of a command.
fn arguments(before: &[String]) -> &'static [Argument] {
    let is_assignment = |word: &String| word.split_once('=').is_some_and(|(name, _)| is_variable(name));
    let mut words = before.iter().skip_while(|word| is_assignment(word) || PREFIXES.contains(&word.as_str()));
    let Some(name) = words.next() else { return &[Argument::Command] };
    let position = words.filter(|word| !word.starts_with('-')).count();
    // An application without a page takes files, for all that is known.
    let Some(page) = manual::page(name) else { return &[Argument::Path] };
    page.arguments.get(position).or(page.arguments.last()).copied().unwrap_or_default()
}

/// The words of one kind. Paths are those that begin with `word`.
fn words(argument: Argument, word: &str, inherited: &Inherited) -> Vec<String> {
    match argument {
        Argument::Path => paths(word, inherited),
        Argument::Directory => paths(word, inherited).into_iter().filter(|path| path.ends_with('/')).collect(),
        Argument::Command => manual::PAGES.iter().map(|page| page.name.to_string()).collect(),
        Argument::Cell => namespace::cells().into_iter().map(|cell| cell.name).collect(),
        Argument::Build => builds(),
        Argument::Task => task::all().into_iter().map(|task| task.name().as_str().to_string()).collect(),
        Argument::Fault => fault_injection::INJECTABLE.iter().map(|kind| kind.word().to_string()).collect(),
        Argument::Variable => variables(inherited).map(String::from).collect(),
        Argument::Word(word) => Vec::from([String::from(word)]),
    }
}

fn variables(inherited: &Inherited) -> impl Iterator<Item = &str> {
    inherited.variables().map(|(name, _)| name)
}

/// The builds that can be swapped to, and the cells that stand for them.
fn builds() -> Vec<String> {
    let mut names = Vec::from([String::from(namespace::BASE)]);
    for build in namespace::alternates() {
        names.push(build.name);
        // A cell's name never stands for a build that is to be refused.
        names.extend(build.cells.into_iter().filter(|_| !build.refused));
    }
    names
}

/// The paths of files and directories that begin with `word`.
fn paths(word: &str, inherited: &Inherited) -> Vec<String> {
    let (prefix, name) = word.split_at(word.rfind('/').map_or(0, |slash| slash + 1));
    let directory = if prefix.is_empty() { "." } else { prefix };
    // A directory that cannot be listed offers nothing.
    let entries = vfs::absolute(inherited.directory(), directory).and_then(|path| vfs::list(&path)).unwrap_or_default();
    let fitting = entries.into_iter().filter(|entry| entry.name.starts_with(name));
    fitting
        .map(|entry| {
            let mark = if entry.metadata.kind == Kind::Directory { "/" } else { "" };
            format!("{prefix}{}{mark}", entry.name)
        })
        .collect()
}
