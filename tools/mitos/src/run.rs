//! `mitos run`: the machine on the caller's terminal.

use std::path::PathBuf;
use std::process::ExitCode;

use boot_information::options;
use build::Tree;
use clap::Args;
use machine::{Accelerator, Boot, Configuration, Debugger, Exit};

use crate::failure::Failure;
use crate::iso::shell_word;
use crate::{debugger, iso};

/// Where QEMU waits for a debugger: the port that QEMU's own `-s` uses.
const DEBUGGER_PORT: u16 = 1234;

/// QEMU's machine has no more.
const MAX_CPUS: i64 = 255;
/// A million MiB: more is a slip of the hand.
const MAX_MEMORY: i64 = 1 << 20;

#[derive(Args)]
pub(crate) struct Options {
    /// Number of CPUs.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=MAX_CPUS))]
    cpus: u32,
    /// Memory in MiB.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=MAX_MEMORY))]
    memory: u32,
    /// 1: use the host's CPU instead of emulation.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "0", default_missing_value = "1",
        value_parser = switch)]
    kvm: bool,
    /// 1: wait for a debugger before the first instruction.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "0", default_missing_value = "1",
        value_parser = switch)]
    gdb: bool,
    /// Boot through GRUB instead of directly.
    #[arg(long)]
    grub: bool,
    /// Words for the kernel's command line; docs/command-line.md has them.
    #[arg(value_parser = kernel_word)]
    arguments: Vec<String>,
}

/// A variable of `make` that is on or off.
fn switch(text: &str) -> Result<bool, &'static str> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err("it is 1 or 0"),
    }
}

/// A word that means something to the kernel.
fn kernel_word(text: &str) -> Result<String, String> {
    match options::unknown_words(text).next() {
        None => Ok(text.to_owned()),
        Some(word) => Err(word.to_string()),
    }
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
        println!("mitos: waiting for a debugger: gdb -x {}", shell_word(&debugger::script(tree).to_string_lossy()));
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn parse(words: &[&str]) -> Result<Options, String> {
        let line = Line::try_parse_from(["mitos"].iter().chain(words));
        line.map(|line| line.options).map_err(|error| error.to_string())
    }

    fn refused(words: &[&str], reason: &str) {
        let error = parse(words).err().unwrap_or_default();
        assert!(error.contains(reason), "{words:?}: {error:?}");
    }

    #[test]
    fn words_and_switches_are_taken_as_meant() {
        let options = parse(&["--cpus", "2", "--kvm=1", "--gdb=0", "--", "log=debug", "console=plain"]).unwrap();
        assert_eq!((options.cpus, options.memory, options.kvm, options.gdb), (2, 256, true, false));
        assert_eq!(options.arguments, ["log=debug", "console=plain"]);
        assert!(parse(&["--kvm", "log=debug"]).unwrap().kvm);
    }

    #[test]
    fn nothing_is_taken_in_silence() {
        refused(&["--cpus", "0"], "0 is not in 1..=255");
        refused(&["--memory", "0"], "0 is not in 1..=");
        refused(&["--kvm=yes"], "it is 1 or 0");
        refused(&["--gdb=yes"], "it is 1 or 0");
        refused(&["--", "log=verbose"], "the values of log are off, error");
        refused(&["--", "quiet"], "no option of the kernel");
    }

    #[test]
    fn the_page_about_the_command_line_has_every_word() {
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/command-line.md");
        let text = std::fs::read_to_string(page).unwrap();
        for option in options::OPTIONS {
            for value in option.values {
                assert!(text.contains(&format!("`{}={value}`", option.name)), "{}={value}", option.name);
            }
        }
    }
}
