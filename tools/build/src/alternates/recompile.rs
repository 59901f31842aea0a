//! Compiles the crates of alternates that are not as in the base: those that are changed, and those that depend on them.
//!
//! Each is compiled as cargo had it compiled for the base ([`Invocation`]), all alternates in one go. A library is kept with a
//! digest of all that it was made from and is made again only when that differs. If the changed libraries of a crate have
//! the metadata of the base's, the crate is the base's.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
};

use manifest::Digest;

use super::{Alternate, schedule, sources, sources::Edited, sweep};
use crate::{
    BuildError, Tree,
    compile::{self, Compiled, Library},
    files,
    invocation::{Changes, Invocation},
    wrapper,
};

/// An alternate after its crates are compiled.
#[derive(Debug)]
pub struct Recompiled {
    /// The crates that it changes.
    pub edited: Vec<Edited>,
    /// The libraries of its whole tree, in the order of the base's.
    pub libraries: Vec<Library>,
    /// How the crates were compiled that it changes.
    pub units: Vec<Unit>,
}

/// A crate that an alternate changes, and the run of the compiler that makes it.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Name of the crate.
    pub name: String,
    /// The run.
    pub invocation: Invocation,
}

/// A crate of one alternate.
struct Job<'a> {
    alternate: &'a Alternate,
    edited: Option<&'a Edited>,
    /// Among the base's libraries.
    library: usize,
    /// Jobs of the same alternate that this one uses, by their numbers.
    uses: Vec<usize>,
    done: OnceLock<Done>,
}

struct Done {
    invocation: Invocation,
    library: Library,
    /// It has other metadata than the base's, so that the crates that use it are compiled again.
    differs: bool,
}

struct Recompiler<'a> {
    tree: &'a Tree,
    base: &'a Compiled,
    invocations: Vec<Invocation>,
    /// The base's libraries by the paths of their metadata.
    by_metadata: HashMap<PathBuf, usize>,
    digests: Mutex<HashMap<PathBuf, Digest>>,
}

/// Compiles `alternates`.
///
/// # Errors
/// Changes that cannot be made, crates that do not compile.
pub(super) fn recompile(tree: &Tree, base: &Compiled, alternates: &[Alternate]) -> Result<Vec<Recompiled>, BuildError> {
    let read = |library: &Library| Invocation::of_crate(&base.invocations, &library.name, &tree.root);
    let invocations = base.libraries.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let by_metadata = invocations.iter().map(|one| one.output("rmeta")).zip(0..).collect();
    let recompiler = Recompiler { tree, base, invocations, by_metadata, digests: Mutex::default() };
    let edited = alternates.iter().map(|alternate| sources::prepare(tree, alternate, base));
    let edited = edited.collect::<Result<Vec<_>, _>>()?;
    let mut jobs = Vec::new();
    let mut ranges = Vec::new();
    for (alternate, edited) in alternates.iter().zip(&edited) {
        let start = jobs.len();
        recompiler.plan(alternate, edited, &mut jobs)?;
        ranges.push(start..jobs.len());
    }
    let uses: Vec<Vec<usize>> = jobs.iter().map(|job| job.uses.clone()).collect();
    schedule::run(&uses, |number| recompiler.make(&jobs, number))?;
    let mut recompiled = Vec::new();
    for ((alternate, edited), range) in alternates.iter().zip(&edited).zip(ranges) {
        let jobs = &jobs[range];
        let (mut libraries, mut units) = (base.libraries.clone(), Vec::new());
        for (job, done) in jobs.iter().filter_map(|job| Some((job, job.done.get()?))) {
            libraries[job.library] = done.library.clone();
            if job.edited.is_some() {
                units.push(Unit { name: done.library.name.clone(), invocation: done.invocation.clone() });
            }
        }
        let made: BTreeSet<&str> = jobs.iter().map(|job| base.libraries[job.library].name.as_str()).collect();
        sweep(&alternate.libraries(tree), |path| made.contains(krate_of(path)))?;
        recompiled.push(Recompiled { edited: edited.clone(), libraries, units });
    }
    Ok(recompiled)
}

/// The crate to which a file among libraries belongs.
fn krate_of(path: &Path) -> &str {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stem = name.split(['-', '.']).next().unwrap_or(name);
    if matches!(path.extension().and_then(|ending| ending.to_str()), Some("rlib" | "rmeta")) {
        stem.strip_prefix("lib").unwrap_or(stem)
    } else {
        stem
    }
}

impl<'a> Recompiler<'a> {
    /// Adds a job for each crate of `alternate` that is changed or depends on one that is.
    fn plan(&self, alternate: &'a Alternate, edited: &'a [Edited], jobs: &mut Vec<Job<'a>>) -> Result<(), BuildError> {
        let mut planned = vec![None; self.base.libraries.len()];
        for library in 0..planned.len() {
            self.plan_one(alternate, edited, library, jobs, &mut planned)?;
        }
        Ok(())
    }

    /// The job for one crate, if it needs one; those that it uses are before it.
    fn plan_one(
        &self,
        alternate: &'a Alternate,
        edited: &'a [Edited],
        library: usize,
        jobs: &mut Vec<Job<'a>>,
        planned: &mut [Option<Option<usize>>],
    ) -> Result<Option<usize>, BuildError> {
        if let Some(planned) = planned[library] {
            return Ok(planned);
        }
        let name = &self.base.libraries[library].name;
        let change = edited.iter().find(|edited| edited.name == *name);
        let added = change.into_iter().flat_map(|edited| &edited.added).map(|(_, krate)| self.known(alternate, krate));
        let added = added.collect::<Result<Vec<_>, _>>()?;
        let used = self.invocations[library].externs().filter_map(|one| self.by_metadata.get(one.path).copied());
        let mut uses = Vec::new();
        for used in used.chain(added) {
            uses.extend(self.plan_one(alternate, edited, used, jobs, planned)?);
        }
        let job = (change.is_some() || !uses.is_empty()).then(|| {
            jobs.push(Job { alternate, edited: change, library, uses, done: OnceLock::new() });
            jobs.len() - 1
        });
        planned[library] = Some(job);
        Ok(job)
    }

    /// The library of a crate that `alternate` wants to use.
    fn known(&self, alternate: &Alternate, krate: &str) -> Result<usize, BuildError> {
        let unknown = || BuildError::alternate(alternate, format!("it uses {krate}, which the base does not have"));
        self.base.libraries.iter().position(|library| library.name == krate).ok_or_else(unknown)
    }

    /// Makes the library of a job, or finds that it need not be made.
    fn make(&self, jobs: &[Job<'a>], number: usize) -> Result<(), BuildError> {
        let job = &jobs[number];
        let (base, outputs) = (&self.base.libraries[job.library], job.alternate.libraries(self.tree));
        let used = job.uses.iter().filter_map(|&used| jobs[used].done.get().filter(|done| done.differs));
        let libraries: HashMap<_, _> = used.map(|done| (self.of_base(done), done.invocation.output("rmeta"))).collect();
        if job.edited.is_none() && libraries.is_empty() {
            return Ok(());
        }
        let invocation = self.invocations[job.library].changed(&self.changes(job, libraries)?);
        let key = self.key(job, &invocation)?;
        let key_file = outputs.join(format!("{}.made_from", base.name));
        if fs::read_to_string(&key_file).ok().as_ref() != Some(&key) || !invocation.output("rlib").is_file() {
            if key_file.exists() {
                files::remove(&key_file)?;
            }
            fs::create_dir_all(&outputs).map_err(|source| BuildError::file(&outputs, source))?;
            eprintln!("   Compiling {} of alternate {}", base.name, job.alternate.name);
            run(job, &invocation, &base.name)?;
            files::write(&key_file, key)?;
        }
        let metadata = self.digest(&self.invocations[job.library].output("rmeta"))?;
        let library = self.library(job, base, invocation.output("rlib"));
        let differs = archive::digest(&files::read(&invocation.output("rmeta"))?) != metadata;
        let _ = job.done.set(Done { invocation, library, differs });
        Ok(())
    }

    /// The path of the base's metadata that `done` takes the place of.
    fn of_base(&self, done: &Done) -> PathBuf {
        let library = self.base.libraries.iter().position(|library| library.name == done.library.name);
        library.map(|library| self.invocations[library].output("rmeta")).unwrap_or_default()
    }

    fn library(&self, job: &Job<'_>, base: &Library, path: PathBuf) -> Library {
        if job.edited.is_none() {
            return Library { path, ..base.clone() };
        }
        let tree = job.alternate.sources(self.tree);
        let moved = |path: &Path| tree.join(path.strip_prefix(&self.tree.root).unwrap_or(path));
        Library { source: moved(&base.source), manifest: moved(&base.manifest), tree, path, ..base.clone() }
    }

    fn changes(&self, job: &Job<'_>, mut libraries: HashMap<PathBuf, PathBuf>) -> Result<Changes, BuildError> {
        let outputs = job.alternate.libraries(self.tree);
        let Some(edited) = job.edited else { return Ok(Changes { outputs, libraries, ..Changes::default() }) };
        let metadata =
            |krate: &str| self.known(job.alternate, krate).map(|library| self.invocations[library].output("rmeta"));
        let mut added = Vec::new();
        for (name, krate) in &edited.added {
            let base = metadata(krate)?;
            added.push((name.clone(), libraries.remove(&base).unwrap_or(base)));
        }
        let removed = edited.removed.iter().map(|krate| metadata(krate)).collect::<Result<_, _>>()?;
        let sources = Some(job.alternate.sources(self.tree));
        Ok(Changes { outputs, libraries, added, removed, sources })
    }

    /// A digest of all that a library is made from: arguments, sources, libraries. What an unchanged crate is made from is in the
    /// base's library.
    fn key(&self, job: &Job<'_>, invocation: &Invocation) -> Result<String, BuildError> {
        let mut text = invocation.fingerprint();
        text.push_str(&self.base.compiler);
        let mut add = |digest: &Digest| text.push_str(&files::hex(digest));
        match job.edited {
            Some(edited) => {
                let folder = job.alternate.sources(self.tree);
                for path in files::below(&folder.join(&edited.package))? {
                    add(&archive::digest(path.strip_prefix(&folder).unwrap_or(&path).as_os_str().as_encoded_bytes()));
                    add(&archive::digest(&files::read(&path)?));
                }
            }
            None => add(&self.digest(&self.base.libraries[job.library].path)?),
        }
        for used in invocation.externs() {
            add(&self.digest(used.path)?);
        }
        Ok(files::hex(&archive::digest(text.as_bytes())))
    }

    /// The digest of a file that no job writes any more.
    fn digest(&self, path: &Path) -> Result<Digest, BuildError> {
        let known = || self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(digest) = known().get(path) {
            return Ok(*digest);
        }
        let digest = archive::digest(&files::read(path)?);
        known().insert(path.to_owned(), digest);
        Ok(digest)
    }
}

/// Runs the compiler. A changed crate is the project's own, and its warnings are errors, as lints are.
fn run(job: &Job<'_>, invocation: &Invocation, name: &str) -> Result<(), BuildError> {
    let program = compile::rustc();
    let mut command = invocation.command(&program);
    if job.edited.is_some() {
        command.arg("-Dwarnings");
    }
    let status = command.status().map_err(|source| BuildError::Program { program: "rustc".to_owned(), source })?;
    if status.success() {
        return Ok(());
    }
    let why = wrapper::killed(status).map_or_else(
        || format!("its crate {name} does not compile"),
        |end| format!("the compiler of its crate {name} {end}"),
    );
    Err(BuildError::alternate(job.alternate, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_belong_to_crates() {
        let krates = ["libheap-12ab.rlib", "libheap-12ab.rmeta", "heap-12ab.d", "heap.made_from", "library-1.d"];
        assert_eq!(krates.map(|name| krate_of(Path::new(name))), ["heap", "heap", "heap", "heap", "library"]);
    }
}
