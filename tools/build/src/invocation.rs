//! How cargo had a crate compiled.
//!
//! The wrapper keeps the arguments of every crate of the target. An alternate compiles the few crates that differ by the same
//! arguments, with other sources and libraries in their places, so neither cargo nor the crates that stay are asked.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    process::Command,
};

use serde::{Deserialize, Serialize};

use crate::{BuildError, files};

/// Arguments that make the compiler write for cargo instead of for people.
const FOR_CARGO: [&str; 3] = ["--error-format=", "--json=", "--diagnostic-width="];

/// One run of the compiler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invocation {
    /// Without the program.
    pub arguments: Vec<String>,
    /// What cargo tells the crate about its package.
    pub environment: BTreeMap<String, String>,
    /// Where the compiler ran.
    pub folder: PathBuf,
    /// The checkout.
    pub root: PathBuf,
}

/// A library that a crate is compiled against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extern<'a> {
    /// Name of the crate in the sources, behind what cargo demands of it (`noprelude:core`).
    pub name: &'a str,
    /// Its metadata or library.
    pub path: &'a Path,
}

/// What an alternate puts in other places.
#[derive(Debug, Default)]
pub struct Changes {
    /// Where the outputs go.
    pub outputs: PathBuf,
    /// Libraries for those of the base, by the path of the base's.
    pub libraries: HashMap<PathBuf, PathBuf>,
    /// Libraries that the base's crate does not use: name and path.
    pub added: Vec<(String, PathBuf)>,
    /// Libraries of the base's crate that this one does not use.
    pub removed: Vec<PathBuf>,
    /// The folder that stands for the checkout, if the sources are other ones.
    pub sources: Option<PathBuf>,
}

impl Invocation {
    /// This process's, which is run as a compiler with `arguments` for the checkout `root`.
    #[must_use]
    pub fn of_this_process(arguments: Vec<String>, root: PathBuf) -> Self {
        let about = |name: &str| {
            name.starts_with("CARGO_PKG_")
                || name.starts_with("CARGO_MANIFEST_")
                || ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&name)
        };
        Self {
            arguments,
            environment: std::env::vars().filter(|(name, _)| about(name)).collect(),
            folder: std::env::current_dir().unwrap_or_default(),
            root,
        }
    }

    /// Reads the one that the wrapper has kept of the crate `name`, for the checkout `root`.
    ///
    /// # Errors
    /// No such file, or a damaged one.
    pub fn of_crate(folder: &Path, name: &str, root: &Path) -> Result<Self, BuildError> {
        let bytes = files::read(&Self::path(folder, name))?;
        let kept: Self = serde_json::from_slice(&bytes).map_err(BuildError::Messages)?;
        Ok(if kept.root == root { kept } else { kept.moved_to(root) })
    }

    /// The same run in a copy of the checkout.
    fn moved_to(&self, root: &Path) -> Self {
        let (from, to) = (self.root.display().to_string(), root.display().to_string());
        let moved = |text: &String| text.replace(&from, &to);
        Self {
            arguments: self.arguments.iter().map(moved).collect(),
            environment: self.environment.iter().map(|(name, value)| (name.clone(), moved(value))).collect(),
            folder: moved(&self.folder.display().to_string()).into(),
            root: root.to_owned(),
        }
    }

    /// Where it is kept.
    #[must_use]
    pub fn path(folder: &Path, name: &str) -> PathBuf {
        folder.join(format!("{name}.json"))
    }

    /// The libraries that the crate names.
    pub fn externs(&self) -> impl Iterator<Item = Extern<'_>> {
        self.values_of("--extern").filter_map(|value| {
            let (name, path) = value.split_once('=')?;
            Some(Extern { name: name.rsplit(':').next().unwrap_or(name), path: Path::new(path) })
        })
    }

    /// Whether the object tells all of its types, from which the structural digests are taken.
    #[must_use]
    pub fn has_debug_information(&self) -> bool {
        self.values_of("-C").filter_map(|value| value.strip_prefix("debuginfo=")).last() == Some("2")
    }

    /// Its output with this ending, `rmeta` or `rlib`.
    #[must_use]
    pub fn output(&self, ending: &str) -> PathBuf {
        let extra = self.values_of("-C").find_map(|value| value.strip_prefix("extra-filename=")).unwrap_or_default();
        let (folder, name) = (self.values_of("--out-dir").next(), self.values_of("--crate-name").next());
        Path::new(folder.unwrap_or_default()).join(format!("lib{}{extra}.{ending}", name.unwrap_or_default()))
    }

    fn values_of(&self, option: &str) -> impl Iterator<Item = &str> {
        let pairs = self.arguments.iter().zip(self.arguments.iter().skip(1));
        pairs.filter(move |(name, _)| *name == option).map(|(_, value)| value.as_str())
    }

    /// The same run with `changes`, and with messages for people.
    #[must_use]
    pub fn changed(&self, changes: &Changes) -> Self {
        let mut arguments = Vec::new();
        let mut previous = "";
        for argument in &self.arguments {
            let option = std::mem::replace(&mut previous, argument);
            if FOR_CARGO.iter().any(|start| argument.starts_with(start)) {
                continue;
            }
            match (option, argument.split_once('=')) {
                ("--extern", Some((_, path))) if changes.removed.iter().any(|removed| removed == Path::new(path)) => {
                    // Its option stands before it.
                    arguments.pop();
                }
                ("--extern", Some((name, path))) => match changes.libraries.get(Path::new(path)) {
                    Some(other) => arguments.push(format!("{name}={}", other.display())),
                    None => arguments.push(argument.clone()),
                },
                ("--out-dir", _) => arguments.push(changes.outputs.display().to_string()),
                _ => arguments.push(argument.clone()),
            }
        }
        for (name, path) in &changes.added {
            arguments.extend(["--extern".to_owned(), format!("{name}={}", path.display())]);
        }
        // Metadata names its own libraries by hash, so the base's are found beside these.
        arguments.extend(["-L".to_owned(), format!("dependency={}", changes.outputs.display())]);
        let mut changed = Self { arguments, ..self.clone() };
        if let Some(sources) = &changes.sources {
            let moved =
                |path: &Path| path.strip_prefix(&self.root).map_or_else(|_| path.to_owned(), |rest| sources.join(rest));
            changed.folder = moved(&self.folder);
            for (name, value) in &mut changed.environment {
                if name.starts_with("CARGO_MANIFEST_") {
                    *value = moved(Path::new(&value)).display().to_string();
                }
            }
            // Of two prefixes that fit, the compiler takes the later: unchanged sources have the names that they have in the
            // checkout.
            changed.arguments.push(format!("--remap-path-prefix={}=mitos", sources.display()));
        }
        changed
    }

    /// The command that runs it again.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.args(&self.arguments).current_dir(&self.folder).envs(&self.environment).env("RUSTC_BOOTSTRAP", "1");
        command
    }

    /// All of it as text in which the checkout has no place: the same in each copy of it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let root = self.root.display().to_string();
        format!("{:?} {:?} {}", self.arguments, self.environment, self.folder.display()).replace(&root, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Invocation {
        let arguments = "--crate-name shell --edition=2024 cells/console/shell/src/lib.rs --error-format=json \
            --json=artifacts --emit=metadata,link -C metadata=shell-0.1 -C extra-filename=-12ab --out-dir /tree/target/out \
            -L dependency=/tree/target/out --extern task=/tree/target/out/libtask-1.rmeta \
            --extern noprelude:core=/tree/target/out/libcore-2.rmeta";
        Invocation {
            arguments: arguments.split_whitespace().map(str::to_owned).collect(),
            environment: BTreeMap::from([("CARGO_MANIFEST_DIR".into(), "/tree/cells/console/shell".into())]),
            folder: "/tree".into(),
            root: "/tree".into(),
        }
    }

    fn text(invocation: &Invocation) -> String {
        invocation.arguments.join(" ")
    }

    #[test]
    fn libraries_have_names_and_paths() {
        let sample = sample();
        let externs: Vec<_> = sample.externs().map(|one| (one.name, one.path.to_str().unwrap())).collect();
        assert_eq!(
            externs,
            [("task", "/tree/target/out/libtask-1.rmeta"), ("core", "/tree/target/out/libcore-2.rmeta")]
        );
        assert_eq!(sample.output("rlib"), Path::new("/tree/target/out/libshell-12ab.rlib"));
    }

    #[test]
    fn the_last_word_on_debug_information_counts() {
        let of = |arguments: &str| {
            let arguments = arguments.split_whitespace().map(str::to_owned).collect();
            Invocation { arguments, ..sample() }.has_debug_information()
        };
        assert!(of("-C opt-level=2 -C debuginfo=2 lib.rs"));
        assert!(!of("-C debuginfo=2 -C debuginfo=1") && !of("-C opt-level=2"));
    }

    #[test]
    fn an_alternate_changes_libraries_outputs_and_sources() {
        let task = PathBuf::from("/tree/target/out/libtask-1.rmeta");
        let changes = Changes {
            outputs: "/other".into(),
            libraries: HashMap::from([(task, "/other/libtask-1.rmeta".into())]),
            added: vec![("clock".into(), "/tree/target/out/libclock-3.rmeta".into())],
            removed: vec!["/tree/target/out/libcore-2.rmeta".into()],
            sources: Some("/tree/copy".into()),
        };
        let changed = sample().changed(&changes);
        assert_eq!(
            text(&changed),
            "--crate-name shell --edition=2024 cells/console/shell/src/lib.rs --emit=metadata,link -C metadata=shell-0.1 \
            -C extra-filename=-12ab --out-dir /other -L dependency=/tree/target/out --extern task=/other/libtask-1.rmeta \
            --extern clock=/tree/target/out/libclock-3.rmeta -L dependency=/other --remap-path-prefix=/tree/copy=mitos"
        );
        assert_eq!(changed.folder, Path::new("/tree/copy"));
        assert_eq!(changed.environment["CARGO_MANIFEST_DIR"], "/tree/copy/cells/console/shell");
    }

    #[test]
    fn a_copied_checkout_has_paths_of_its_own_and_the_same_fingerprint() {
        let copied = sample().moved_to(Path::new("/copy"));
        assert_eq!(copied.folder, Path::new("/copy"));
        assert_eq!(copied.output("rmeta"), Path::new("/copy/target/out/libshell-12ab.rmeta"));
        assert!(!text(&copied).contains("/tree"));
        assert_eq!(sample().fingerprint(), copied.fingerprint());
        assert_ne!(sample().fingerprint(), Invocation { arguments: vec![], ..copied }.fingerprint());
    }
}
