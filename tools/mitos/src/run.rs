//! `mitos run`: the machine on the caller's terminal.

use std::path::PathBuf;
use std::process::ExitCode;

use build::Tree;
use clap::Args;
use machine::{Accelerator, Boot, Configuration, Debugger, Exit};

use crate::failure::Failure;
use crate::{debugger, iso};

/// Where QEMU waits for a debugger: the port that QEMU's own `-s` uses.
const DEBUGGER_PORT: u16 = 1234;

#[derive(Args)]
pub(crate) struct Options {
    /// Number of CPUs.
    #[arg(long, default_value_t = 4)]
    cpus: u32,
    /// Memory in MiB.
    #[arg(long, default_value_t = 256)]
    memory: u32,
    /// Use the host's CPU instead of emulation.
    #[arg(long)]
    kvm: bool,
    /// Wait for a debugger before the first instruction.
    #[arg(long)]
    gdb: bool,
    /// Boot through GRUB instead of directly.
    #[arg(long)]
    grub: bool,
    /// Words for the kernel's command line.
    arguments: Vec<String>,
}

/// Runs until the machine ends or the user leaves with Ctrl-A X.
pub(crate) fn run(tree: &Tree, options: &Options) -> Result<ExitCode, Failure> {
    let boot = if options.grub {
        Boot::Iso(iso::write(tree, &options.arguments.join(" "))?)
    } else {
        Boot::Direct { kernel: tree.image(), archive: tree.archive() }
    };
    let mut configuration = Configuration::new(boot).cpus(options.cpus).memory_mib(options.memory).restart_on_reset();
    for word in &options.arguments {
        configuration = configuration.argument(word);
    }
    if options.kvm {
        configuration = configuration.accelerator(Accelerator::Kvm);
    }
    if options.gdb {
        // At this level the log says where cells are loaded, which the script reads.
        configuration = configuration.debugger(Debugger::WaitOnPort(DEBUGGER_PORT)).argument("log=trace");
        println!("mitos: waiting for a debugger: gdb -x {}", debugger::script(tree).display());
    }
    println!("mitos: Ctrl-A X leaves");
    let log: PathBuf = tree.root.join("target/logs/run.log");
    let mut command = configuration.interactive_command(&log).map_err(Failure::file(&log))?;
    let status = command.status().map_err(|error| Failure::program(&command, error))?;
    match Exit::from_code(status.code()) {
        Exit::PowerOff => Ok(ExitCode::SUCCESS),
        exit if exit.is_success() => Ok(ExitCode::SUCCESS),
        Exit::Emulator(_) if options.kvm => {
            eprintln!("mitos: QEMU failed under KVM; this host may not run 64-bit guests: try without KVM=1");
            Ok(ExitCode::FAILURE)
        }
        exit => {
            eprintln!("mitos: the machine ended with {exit:?}");
            Ok(ExitCode::FAILURE)
        }
    }
}
