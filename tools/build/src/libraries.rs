//! The cells of a build as libraries for a program that is checked against them.

use std::{collections::BTreeSet, process::Command};

use crate::cells::Cell;

/// Crates that a program names by `#![no_std]` and `extern crate`, never by a path alone.
const LANGUAGE: [&str; 3] = ["alloc", "compiler_builtins", "core"];

/// Lets the compiler, or rustdoc, that `command` starts find `cells` by their names, and what they need in turn.
pub fn add<'a>(command: &mut Command, cells: impl Iterator<Item = &'a Cell>) {
    let mut folders = BTreeSet::new();
    for cell in cells {
        let option = if LANGUAGE.contains(&cell.name()) { "noprelude:" } else { "" };
        command.arg("--extern").arg(format!("{option}{}={}", cell.name(), cell.library.path.display()));
        // Cargo puts the libraries of the tree's own crates above those of all crates; alternates have one folder.
        folders.extend(
            cell.library.path.parent().map(|folder| [folder.join("deps"), folder.to_owned()]).into_iter().flatten(),
        );
    }
    // Procedural macros were compiled for the host, in a folder beside the target's.
    let host: Vec<_> =
        folders.iter().filter_map(|folder| Some(folder.ancestors().nth(3)?.join("release/deps"))).collect();
    for folder in folders.into_iter().chain(host) {
        command.arg("-L").arg(format!("dependency={}", folder.display()));
    }
}
