//! `mitos test`: everything that can be tested, and one line at the end.

use std::fmt::Display;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use build::{Build, Tree, applications, compile, wrapper};
use checks::compile_fail::{self, Cases};
use checks::{Tally, host};
use clap::{Args, ValueEnum};
use system_tests::harness::{self, Places};

use crate::failure::{Failure, check};
use crate::{house_report, iso, reach, report, skeleton};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Units of the pure target crates.
    Units,
    /// Tests of the host tool and its libraries, and of the readers of bytes from outside.
    Tools,
    /// Programs that must not compile.
    CompileFail,
    /// The machine.
    System,
}

#[derive(Args)]
pub(crate) struct Options {
    /// Only these parts.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Only system checks with this in the name of the check or of its batch.
    #[arg(long)]
    filter: Option<String>,
    /// Run the system checks this often, to find those that fail now and then.
    #[arg(long, default_value_t = 1)]
    repeat: u32,
    /// Test what the last build left, without building (the machine only).
    #[arg(long)]
    pub(crate) as_built: bool,
}

/// Builds if that was asked for, and runs the tests; success only if something was tested and nothing failed. What keeps
/// a part from being run at all counts as a failed test, so that there is always a closing line.
pub(crate) fn run(tree: &Tree, build: impl Fn(&Tree) -> Result<Build, Failure>, options: &Options) -> ExitCode {
    let toolchain = host::Toolchain { cargo: PathBuf::from(compile::CARGO), rustc: compile::rustc() };
    let wanted = |part: Part| {
        let chosen = options.only.is_empty() || options.only.contains(&part);
        chosen && (part == Part::System || !options.as_built)
    };
    let mut tally = Tally::new();
    let mut built = None;
    if !options.as_built {
        tally.heading("the build");
        match build(tree) {
            Ok(build) => built = Some(build),
            Err(error) => tally.record("the tree builds", None, Err(error)),
        }
    }
    if built.is_some() {
        tally.record("the tree builds", None, Ok::<(), Failure>(()));
        tally.record("a second build needs no network, whatever the environment says", None, build_again(tree));
    }
    if let Some(built) = &built {
        tally.record("an alternate that changes nothing makes no object differ", None, change_nothing(tree, built));
        tally.record("what `mitos new` writes compiles", None, skeleton::compile_all(tree, built));
        let listed = reach::write(tree, built).and_then(|reach| reach.compare(tree));
        tally.record("what applications can reach is listed in build/levers.toml", None, listed);
    }
    if wanted(Part::Units) {
        tally.heading("units of the pure crates");
        let outcome = host::test_pure_crates(&toolchain, &tree.root, &mut tally);
        note(&mut tally, "the units of the pure crates run", outcome);
    }
    if wanted(Part::Tools) {
        tally.heading("the host tool");
        let outcome = host::test_tools(&toolchain, &tree.root, &mut tally);
        note(&mut tally, "the tests of the host tool run", outcome);
    }
    if let Some(built) = &built
        && wanted(Part::CompileFail)
    {
        tally.heading("programs that must not compile");
        let outcome = test_compile_fail(tree, built, &toolchain, &mut tally);
        note(&mut tally, "the programs that must not compile are tried", outcome);
        let outcome = test_refused_manifests(tree, &mut tally);
        note(&mut tally, "the manifests that must be refused are tried", outcome);
    }
    if wanted(Part::System) && (built.is_some() || options.as_built) {
        tally.heading("the machine");
        let outcome = test_system(tree, options, &mut tally);
        note(&mut tally, "the machine can be started", outcome);
    }
    let outcome = report_hostile(tree, &tally);
    note(&mut tally, "the hostile applications are counted", outcome);
    note(&mut tally, "the house is measured", house_report::write(tree));
    tally.finish();
    if tally.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Records a part that could not be run.
fn note<T>(tally: &mut Tally, part: &str, outcome: Result<T, impl Display>) {
    if let Err(error) = outcome {
        tally.record(part, None, Err(error));
    }
}

/// What an environment may say for the sake of other projects.
const ENVIRONMENT: [(&str, &str); 10] = [
    ("CARGO_NET_OFFLINE", "true"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
    ("CARGO_PROFILE_RELEASE_LTO", "fat"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_INCREMENTAL", "1"),
    ("CARGO_BUILD_TARGET_DIR", "/nonexistent"),
    ("CARGO_BUILD_BUILD_DIR", "/nonexistent"),
    ("RUSTFLAGS", "-Copt-level=0"),
    ("CDPATH", "/"),
];

/// Builds again, in a process that keeps cargo from the network; the archives must come out the same.
fn build_again(tree: &Tree) -> Result<(), Failure> {
    let paths = [tree.archive(), build::archive_in(&tree.tests_output())];
    let read = |path: &PathBuf| std::fs::read(path).map_err(Failure::file(path));
    let before = [read(&paths[0])?, read(&paths[1])?];
    let tool = std::env::current_exe().map_err(Failure::file("mitos"))?;
    let mut command = Command::new(tool);
    command.arg("build").current_dir(&tree.root).envs(ENVIRONMENT).stdout(Stdio::null());
    check(&mut command)?;
    for (path, before) in paths.into_iter().zip(before) {
        if read(&path)? != before {
            return Err(Failure::Changed { path });
        }
    }
    Ok(())
}

/// A cell with code that names its own source files, in the places of its panics.
const SAMPLE: &str = "real_time_clock";

/// Compiles a copy of a crate as an alternate does.
fn change_nothing(tree: &Tree, built: &Build) -> Result<(), Failure> {
    let cells = build::alternates::differing_without_change(tree, &built.compiled, &built.cells, SAMPLE)?;
    if cells.is_empty() { Ok(()) } else { Err(Failure::DiffersUnchanged { cells: cells.join(", ") }) }
}

fn test_compile_fail(
    tree: &Tree,
    built: &Build,
    toolchain: &host::Toolchain,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let libraries: Vec<(String, PathBuf)> =
        built.cells.iter().map(|cell| (cell.name().to_owned(), cell.library.path.clone())).collect();
    let mut folders: Vec<PathBuf> =
        libraries.iter().filter_map(|(_, path)| path.parent().map(|folder| folder.join("deps"))).collect();
    folders.extend(libraries.iter().filter_map(|(_, path)| path.parent().map(PathBuf::from)));
    // Procedural macros that the libraries were compiled with.
    folders.push(tree.root.join("target/cells/release/deps"));
    folders.sort();
    folders.dedup();
    let target = compile_fail::Target { specification: tree.root.join("build/x86_64-mitos.json"), libraries, folders };
    let output = tree.root.join("target/compile_fail");
    let all = [
        Cases { title: "compile-fail", folder: tree.root.join("tests/compile_fail"), flags: &[] },
        Cases {
            title: "hostile: refused by the compiler",
            folder: tree.root.join("tests/hostile/refused_by_compiler"),
            flags: &wrapper::APPLICATION_FLAGS,
        },
    ];
    for cases in all {
        compile_fail::run(toolchain, &target, &cases, &output, tally).map_err(Failure::file(cases.folder))?;
    }
    Ok(())
}

/// Hands the build manifests of applications that it must refuse. The first line of each is `# expect: TEXT`, a part of the
/// message.
fn test_refused_manifests(tree: &Tree, tally: &mut Tally) -> Result<(), Failure> {
    let folder = tree.root.join("tests/hostile/refused_by_build");
    let list = std::fs::read_dir(&folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut files: Vec<PathBuf> = list.map_err(Failure::file(&folder))?.iter().map(std::fs::DirEntry::path).collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(Failure::file(&file))?;
        let expected = text.lines().next().and_then(|line| line.strip_prefix("# expect: ")).unwrap_or("no expectation");
        let result = match applications::examine(tree, &file) {
            Ok(()) => Err("it was accepted".to_owned()),
            Err(error) if error.to_string().contains(expected) => Ok(()),
            Err(error) => Err(format!("no {expected:?} in: {error}")),
        };
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        tally.record(&format!("hostile: refused by the build: {name}"), None, result);
    }
    Ok(())
}

/// `target/report/hostile.json`.
#[derive(serde::Serialize)]
struct Hostile {
    hostile_tried: usize,
    hostile_harmless: usize,
}

/// Says how many hostile applications were tried and came to nothing, if this run has tried any.
fn report_hostile(tree: &Tree, tally: &Tally) -> Result<(), Failure> {
    let runs = |name: &str| name.starts_with("system hostile: ") && name.ends_with(" is harmless");
    let (hostile_tried, hostile_harmless) = tally.count(|name| name.starts_with("hostile: ") || runs(name));
    if hostile_tried > 0 {
        report::write(tree, "hostile.json", &Hostile { hostile_tried, hostile_harmless })?;
    }
    Ok(())
}

fn test_system(tree: &Tree, options: &Options, tally: &mut Tally) -> Result<(), Failure> {
    iso::write(tree, "log=info exit=debug console=plain")?;
    let places = Places { product: tree.output(), output: tree.tests_output(), logs: tree.root.join("target/logs") };
    for _ in 0..options.repeat {
        harness::run(&system_tests::batches(), &places, options.filter.as_deref(), tally);
        harness::run_trials(&system_tests::trials(), &places, options.filter.as_deref(), tally);
    }
    Ok(())
}
