//! `mitos new`: a cell or an application to start from.

use std::fs;
use std::path::{Path, PathBuf};

use build::cells::Cell;
use build::{Build, Tree, compile, libraries};
use clap::Subcommand;

use crate::failure::{Failure, check};

/// What can be begun.
#[derive(Subcommand)]
pub(crate) enum Kind {
    /// A cell of a group.
    Cell {
        /// GROUP/NAME, for example `storage/journal`.
        path: String,
    },
    /// An application.
    Application {
        /// The name of the command.
        name: String,
    },
}

/// A new crate.
struct Skeleton {
    /// Its folder in the tree.
    folder: PathBuf,
    name: String,
    manifest: String,
    source: String,
    /// What to do next.
    advice: String,
}

const MANIFEST: &str = r#"[package]
name = "NAME"
version.workspace = true
edition.workspace = true
license.workspace = true
publish.workspace = true
REST
[lints]
workspace = true
"#;

impl Skeleton {
    fn cell(group: &str, name: &str) -> Self {
        let source = format!(
            "//! Counts.\n//!\n//! Guarantees to its users: each call of [`next`] gives another number. It fails after 2^64 calls, when the numbers\n\
            //! begin again. (This header says first what `{name}` guarantees, to which cells, and how it fails.)\n\
            #![cfg_attr(not(test), no_std)]\n#![forbid(unsafe_code)]\n\n\
            use core::sync::atomic::{{AtomicU64, Ordering}};\n\n\
            static NEXT: AtomicU64 = AtomicU64::new(0);\n\n\
            /// A number that no other call gives.\n\
            pub fn next() -> u64 {{\n    NEXT.fetch_add(1, Ordering::Relaxed)\n}}\n\n\
            #[cfg(test)]\nmod tests {{\n    use super::*;\n\n    #[test]\n    fn numbers_differ() {{\n        \
            assert_ne!(next(), next());\n    }}\n}}\n"
        );
        let rest = "\n[package.metadata.mitos]\nhost-tests = true\n";
        Self {
            folder: Path::new("cells").join(group).join(name),
            name: name.to_owned(),
            manifest: MANIFEST.replace("NAME", name).replace("REST", rest),
            source,
            advice: format!(
                "name it in the `[dependencies]` of the cells that use it: {name} = {{ path = \"../../{group}/{name}\" }}"
            ),
        }
    }

    fn application(name: &str) -> Self {
        let source = format!(
            "//! `{name} [WORD ...]` writes how many words it is given.\n#![no_std]\n#![forbid(unsafe_code)]\n\n\
            use application::{{Environment, ExitCode, Failure}};\n\n\
            /// The entry.\npub fn main(environment: &mut Environment) -> ExitCode {{\n    \
            let result = run(environment);\n    environment.conclude(result)\n}}\n\n\
            fn run(environment: &mut Environment) -> Result<(), Failure> {{\n    \
            let words = environment.arguments();\n    writeln!(environment, \"{{}} words\", words.len())?;\n    Ok(())\n}}\n"
        );
        let rest = "\n[dependencies]\napplication = { path = \"../../cells/console/application\" }\n";
        Self {
            folder: Path::new("applications").join(name),
            name: name.to_owned(),
            manifest: MANIFEST.replace("NAME", name).replace("REST", rest),
            source,
            advice: "give it a page in cells/console/manual, for `help`, and type its name after `make run`".to_owned(),
        }
    }

    fn write(&self, tree: &Tree) -> Result<(), Failure> {
        let folder = tree.root.join(&self.folder);
        if folder.exists() {
            return Err(Failure::Word(format!("{} exists", self.folder.display())));
        }
        let sources = folder.join("src");
        fs::create_dir_all(&sources).map_err(Failure::file(&sources))?;
        for (path, text) in [(folder.join("Cargo.toml"), &self.manifest), (sources.join("lib.rs"), &self.source)] {
            fs::write(&path, text).map_err(Failure::file(&path))?;
        }
        println!("mitos: {} is there; next: {}", self.folder.display(), self.advice);
        Ok(())
    }
}

/// A name that a crate and a command can have.
fn checked(name: &str) -> Result<&str, Failure> {
    let is_word = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    if is_word(name) {
        return Ok(name);
    }
    Err(Failure::Word(format!("`{name}` is no name of a crate: lower case letters, digits and _, a letter first")))
}

/// The folder of the crate called `name`, if there is one.
fn existing(tree: &Tree, name: &str) -> Option<PathBuf> {
    let groups = fs::read_dir(tree.root.join("cells")).into_iter().flatten().flatten().map(|group| group.path());
    let parents = groups.chain(["kernel", "applications"].map(|top| tree.root.join(top)));
    parents.map(|parent| parent.join(name)).find(|folder| folder.is_dir())
}

/// Writes the files of a new crate.
pub(crate) fn write(tree: &Tree, kind: &Kind) -> Result<(), Failure> {
    let (skeleton, name) = match kind {
        Kind::Cell { path } => {
            let (group, name) =
                path.split_once('/').ok_or_else(|| Failure::Word(format!("`{path}` is not GROUP/NAME")))?;
            let groups = build::groups::order(tree)?;
            if !groups.iter().any(|one| one == group) {
                return Err(Failure::Word(format!("there is no group `{group}`; there are {}", groups.join(", "))));
            }
            (Skeleton::cell(group, checked(name)?), name)
        }
        Kind::Application { name } => (Skeleton::application(checked(name)?), name.as_str()),
    };
    if let Some(folder) = existing(tree, name) {
        let folder = folder.strip_prefix(&tree.root).unwrap_or(&folder).to_owned();
        return Err(Failure::Word(format!("the name {name} is taken by {}", folder.display())));
    }
    skeleton.write(tree)
}

/// Compiles each skeleton against the cells of a build.
pub(crate) fn compile_all(tree: &Tree, built: &Build) -> Result<(), Failure> {
    let folder = tree.root.join("target/skeletons");
    fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
    for skeleton in [Skeleton::cell("storage", "new_cell"), Skeleton::application("new_application")] {
        let source = folder.join(&skeleton.name).with_extension("rs");
        fs::write(&source, &skeleton.source).map_err(Failure::file(&source))?;
        let mut command = std::process::Command::new(compile::rustc());
        command.env("RUSTC_BOOTSTRAP", "1").args([
            "--edition=2024",
            "--crate-type=lib",
            "--emit=metadata",
            "--deny=warnings",
        ]);
        command.args(["-Zunstable-options", "--target"]).arg(tree.root.join("build/x86_64-mitos.json"));
        command.arg("--out-dir").arg(&folder);
        libraries::add(&mut command, built.cells.iter().filter(|cell: &&Cell| cell.name() != skeleton.name));
        check(command.arg(&source))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree with one group and one cell.
    fn tree(name: &str) -> Tree {
        let root = std::env::temp_dir().join(format!("mitos-skeleton-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("cells/storage/vfs")).unwrap();
        fs::create_dir_all(root.join("build")).unwrap();
        fs::write(root.join("build/groups.toml"), "order = [\"storage\"]\n").unwrap();
        Tree { root }
    }

    fn cell(tree: &Tree, path: &str) -> Result<(), String> {
        write(tree, &Kind::Cell { path: path.to_owned() }).map_err(|error| error.to_string())
    }

    #[test]
    fn a_cell_has_a_manifest_and_a_source() {
        let tree = tree("cell");
        cell(&tree, "storage/journal").unwrap();
        let folder = tree.root.join("cells/storage/journal");
        let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some("journal"));
        assert!(fs::read_to_string(folder.join("src/lib.rs")).unwrap().contains("#![forbid(unsafe_code)]"));
        assert!(cell(&tree, "storage/journal").unwrap_err().contains("is taken by cells/storage/journal"));
        fs::remove_dir_all(&tree.root).unwrap();
    }

    #[test]
    fn names_that_cannot_be_are_refused() {
        let tree = tree("names");
        assert!(cell(&tree, "journal").unwrap_err().contains("GROUP/NAME"));
        assert!(cell(&tree, "none/journal").unwrap_err().contains("there are storage"));
        for name in ["", "Journal", "1st", "a-b", "../x"] {
            assert!(cell(&tree, &format!("storage/{name}")).unwrap_err().contains("no name of a crate"), "{name}");
        }
        let taken = write(&tree, &Kind::Application { name: "vfs".to_owned() }).unwrap_err().to_string();
        assert!(taken.contains("is taken by cells/storage/vfs"), "{taken}");
        fs::remove_dir_all(&tree.root).unwrap();
    }
}
