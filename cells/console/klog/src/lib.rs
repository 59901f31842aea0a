//! The kernel log: each record becomes one line, `[seconds.micros cpuN LEVEL cell] text`, which goes to the serial
//! port in one piece and into a ring of 64 KiB that [`read`] gives to the `log` command.
//!
//! Guarantees: works in any context once `cpu_local` does (interrupt, exception, panic), allocates nothing, and
//! never deadlocks: a record is first formatted into a buffer on the stack, so no foreign `Display` code runs inside;
//! then it is copied under a lock that a CPU does not wait for when it holds it itself, nor longer than a second
//! when another does. How it can fail: a line longer than [`LINE`] bytes is cut, visibly.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod line;
mod ring;

use core::str::FromStr;
use core::sync::atomic::{AtomicBool, Ordering};

use log::{LevelFilter, Log, Metadata, Record};

pub use line::LINE;
pub use ring::read;

struct KernelLog;

static KERNEL_LOG: KernelLog = KernelLog;

/// Whether lines have colours on the serial port. The ring has none.
static COLOURS: AtomicBool = AtomicBool::new(false);

/// Makes this the destination of the `log` macros, at `level`. A second call changes the level only.
pub fn init(level: LevelFilter) {
    // An error means that a logger is set, and there is no other than this one.
    let _already_set = log::set_logger(&KERNEL_LOG);
    log::set_max_level(level);
}

/// Says whether the terminal at the serial port shows colours: errors in red, warnings in yellow, all details dim.
pub fn set_colours(colours: bool) {
    COLOURS.store(colours, Ordering::Relaxed);
}

/// The level that the kernel command line asks for by `log=LEVEL`; `Info` if it does not, or not in a known word.
pub fn level_from_command_line(command_line: &str) -> LevelFilter {
    command_line
        .split_ascii_whitespace()
        .filter_map(|word| word.strip_prefix("log="))
        .filter_map(|level| LevelFilter::from_str(level).ok())
        .next_back()
        .unwrap_or(LevelFilter::Info)
}

impl Log for KernelLog {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = line::Line::of(clock::since_boot(), cpu_local::cpu_id().number(), record);
        ring::append(line.bytes());
        if COLOURS.load(Ordering::Relaxed) {
            serial_port::write_text(line.coloured(record.level()).bytes());
        } else {
            serial_port::write_text(line.bytes());
        }
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_comes_from_the_last_valid_word() {
        assert_eq!(level_from_command_line(""), LevelFilter::Info);
        assert_eq!(level_from_command_line("exit=debug log=trace"), LevelFilter::Trace);
        assert_eq!(level_from_command_line("log=warn log=loud"), LevelFilter::Warn);
    }
}
