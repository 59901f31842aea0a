//! The host tool: builds, runs and tests Mitos. `make help` lists what users need.

use std::process::ExitCode;

use build::{Tree, wrapper};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "mitos", about = "Builds, runs and tests Mitos", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compile every cell, lay out the seed and pack the archive.
    Build,
}

fn main() -> ExitCode {
    // Cargo calls this program in the place of rustc.
    if std::env::var_os(wrapper::ACTIVE).is_some() {
        return wrapper::run(std::env::args_os().skip(1).collect());
    }
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mitos: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), build::BuildError> {
    let tree = Tree::find()?;
    match arguments.command {
        Command::Build => {
            let built = build::build(&tree)?;
            println!(
                "{} cells, {} of them in the seed; {}",
                built.cells.len(),
                built.seed.cells.len(),
                tree.image().display()
            );
        }
    }
    Ok(())
}
