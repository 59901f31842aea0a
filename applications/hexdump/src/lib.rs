//! `hexdump [FILE ...]` shows the bytes of files, or of its input, as numbers and as characters, 16 in a row.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure, Options};
use files::Source;

/// Bytes in a row.
const ROW: usize = 16;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let words = environment.arguments();
    let options = Options::read(&words, &[], manual::HEXDUMP.usage)?;
    files::each_source(environment, options.arguments(), |environment, source| {
        let mut offset = 0;
        loop {
            let mut bytes = [0; ROW];
            let count = fill(environment, source, &mut bytes)?;
            let Some(row @ [_, ..]) = bytes.get(..count) else { break };
            show(environment, offset, row)?;
            offset += count;
        }
        Ok(writeln!(environment, "{offset:08x}")?)
    })
}

/// Reads until the buffer is full or the source has ended.
fn fill(environment: &mut Environment, source: &mut Source, buffer: &mut [u8]) -> Result<usize, Failure> {
    let mut filled = 0;
    while let Some(room @ [_, ..]) = buffer.get_mut(filled..) {
        match source.read(environment, room)? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

fn show(environment: &mut Environment, offset: usize, row: &[u8]) -> Result<(), Failure> {
    write!(environment, "{offset:08x} ")?;
    for column in 0..ROW {
        let gap = if column == ROW / 2 { "  " } else { " " };
        match row.get(column) {
            Some(byte) => write!(environment, "{gap}{byte:02x}")?,
            None => write!(environment, "{gap}  ")?,
        }
    }
    write!(environment, "  |")?;
    for byte in row {
        let visible = byte.is_ascii_graphic() || *byte == b' ';
        write!(environment, "{}", if visible { char::from(*byte) } else { '.' })?;
    }
    Ok(writeln!(environment, "|")?)
}
