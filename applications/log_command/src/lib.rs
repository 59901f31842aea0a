//! `log [LINES]` shows the kernel's log, or its last lines.
//!
//! The cell has a longer name than the command because the library `log` is a cell too.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use application::{Environment, ExitCode, Failure};

/// Bytes that are taken out of the ring at once: it is locked meanwhile.
const CHUNK: usize = 1024;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let lines = match &*environment.arguments() {
        [] => usize::MAX,
        [lines] => lines.parse().map_err(|_| manual::LOG.usage)?,
        _ => return Err(manual::LOG.usage.into()),
    };
    let log = snapshot();
    let bytes = last_lines(&log, lines);
    environment.output().write(bytes)?;
    Ok(())
}

/// The log as it is now; lines that come meanwhile may be at its end.
fn snapshot() -> Vec<u8> {
    let mut log = Vec::new();
    let mut chunk = [0; CHUNK];
    let mut position = 0;
    loop {
        let (count, next) = klog::read(position, &mut chunk);
        let Some(bytes @ [_, ..]) = chunk.get(..count) else {
            return log;
        };
        log.extend_from_slice(bytes);
        position = next;
    }
}

fn last_lines(log: &[u8], lines: usize) -> &[u8] {
    let text = log.strip_suffix(b"\n").unwrap_or(log);
    let mut ends = text.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n').map(|(index, _)| index + 1);
    let start = match lines.checked_sub(1) {
        None => log.len(),
        Some(before) => ends.nth(before).unwrap_or(0),
    };
    log.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::last_lines;

    #[test]
    fn the_last_lines() {
        let log = b"one\ntwo\nthree\n";
        assert_eq!(last_lines(log, 0), b"");
        assert_eq!(last_lines(log, 1), b"three\n");
        assert_eq!(last_lines(log, 3), log);
        assert_eq!(last_lines(log, usize::MAX), log);
        assert_eq!(last_lines(b"", 2), b"");
    }
}
