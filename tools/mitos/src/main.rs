//! The host tool: builds, runs and tests Mitos. `make help` lists what users need.

mod bench;
mod debugger;
mod demo;
mod failure;
mod house_report;
mod iso;
mod quality;
mod reach;
mod report;
mod run;
mod skeleton;
mod test;

use std::process::ExitCode;

use build::{Build, Tree, wrapper};
use clap::{Parser, Subcommand};

use crate::failure::Failure;

#[derive(Parser)]
#[command(name = "mitos", about = "Builds, runs and tests Mitos", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compile every cell, lay out the seed, pack the archive and write the reports.
    Build,
    /// Build, then boot in QEMU on this terminal.
    Run(run::Options),
    /// Build, then run all tests.
    Test(test::Options),
    /// Build, then write the bootable image.
    Iso {
        /// The kernel's command line.
        #[arg(default_value = "")]
        command_line: String,
    },
    /// Build, then walk through cells, swaps and faults, each step verified.
    Demo {
        /// Show what the last build left, without building.
        #[arg(long)]
        as_built: bool,
    },
    /// Build, then measure.
    Bench {
        /// Measure what the last build left, without building.
        #[arg(long)]
        as_built: bool,
    },
    /// Begin a cell or an application.
    #[command(subcommand)]
    New(skeleton::Kind),
    /// Type-check all sources, with messages for an editor on the output.
    Check,
    /// Format all sources.
    Fmt,
    /// Clippy and the format check, warnings as errors.
    Lint,
}

fn main() -> ExitCode {
    // Cargo calls this program in the place of rustc.
    if std::env::var_os(wrapper::ACTIVE).is_some() {
        return wrapper::run(std::env::args_os().skip(1).collect());
    }
    match execute(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("mitos: {error}");
            ExitCode::FAILURE
        }
    }
}

fn execute(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let tree = Tree::find()?;
    match &arguments.command {
        Command::Build => {
            build(&tree)?;
        }
        Command::Run(options) => {
            build(&tree)?;
            return run::run(&tree, options);
        }
        Command::Test(options) => {
            return Ok(test::run(&tree, build, options));
        }
        Command::Iso { command_line } => {
            build(&tree)?;
            println!("mitos: {}", iso::write(&tree, command_line)?.display());
        }
        Command::Demo { as_built } => {
            if !as_built {
                build(&tree)?;
            }
            return Ok(if demo::run(&tree)? { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Bench { as_built } => {
            if !as_built {
                build(&tree)?;
            }
            bench::run(&tree)?;
        }
        Command::New(kind) => skeleton::write(&tree, kind)?,
        Command::Check => quality::check_for_editor(&tree)?,
        Command::Fmt => quality::format(&tree, false)?,
        Command::Lint => quality::lint(&tree)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds, writes what goes with a build, and says what was built.
fn build(tree: &Tree) -> Result<Build, Failure> {
    let built = build::build(tree)?;
    let (report, totals) = build::report::write(tree, &built)?;
    let swap_sets = build::report::write_alternates(tree, &built)?;
    debugger::write(tree, &built)?;
    for swap_set in swap_sets {
        println!("mitos: {swap_set}");
    }
    reach::write(tree, &built)?;
    println!(
        "mitos: {} cells, {} of them in the seed; {} of our {} forbid unsafe, the others have {} places with it \
        (the language's and third-party cells: {}); {}",
        totals.cells,
        built.seed.cells.len(),
        totals.own_safe,
        totals.own,
        totals.own_unsafe,
        totals.foreign_unsafe,
        report.strip_prefix(&tree.root).unwrap_or(&report).display()
    );
    Ok(built)
}
