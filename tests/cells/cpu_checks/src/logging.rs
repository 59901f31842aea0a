//! That the log keeps its records.

use alloc::vec;
use core::fmt;

use self_check::{Outcome, holds};

/// The whole log.
fn text() -> alloc::vec::Vec<u8> {
    let (mut all, mut part, mut position) = (vec![], vec![0; 4096], 0);
    loop {
        let (count, next) = klog::read(position, &mut part);
        if count == 0 {
            return all;
        }
        all.extend_from_slice(&part[..count]);
        position = next;
    }
}

fn has_line(end: &[u8]) -> bool {
    text().split(|byte| *byte == b'\n').any(|line| line.ends_with(end))
}

pub(crate) fn log_keeps_lines() -> Outcome {
    log::warn!("log check {}", 4711);
    holds("a record is a line of the log", has_line(b"cpu_checks] log check 4711"))?;
    log::warn!("log check, first\nsecond");
    holds("a record is one line", has_line(b"log check, first second"))
}

/// A value that logs while it is formatted for the log.
struct Talkative;

impl fmt::Display for Talkative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        log::warn!("log check from inside");
        write!(f, "outside")
    }
}

pub(crate) fn log_works_inside_itself() -> Outcome {
    log::warn!("log check from {Talkative}");
    holds("the inner record is a line", has_line(b"log check from inside"))?;
    holds("the outer record is a line", has_line(b"log check from outside"))
}
