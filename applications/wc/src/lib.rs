//! `wc [-lwc] [FILE ...]` counts lines, words and bytes of files, or of its input.
#![no_std]
#![forbid(unsafe_code)]

use application::{Choice, Environment, ExitCode, Failure, Options};
use files::Source;

/// Bytes that are read at once.
const BUFFER: usize = 1024;

/// The letters that ask for lines, words and bytes alone.
const LETTERS: [char; 3] = ['l', 'w', 'c'];

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let words = environment.arguments();
    let options = Options::read(&words, &LETTERS.map(Choice::Flag), manual::WC.usage)?;
    let all = !LETTERS.iter().any(|letter| options.has(*letter));
    let shown = LETTERS.map(|letter| all || options.has(letter));
    let named = !options.arguments().is_empty();
    let mut total = [0; 3];
    files::each_source(environment, options.arguments(), |environment, source| {
        let counts = count(environment, source)?;
        for (sum, count) in total.iter_mut().zip(counts) {
            *sum += count;
        }
        show(environment, shown, counts, if named { source.name() } else { "" })
    })?;
    if options.arguments().len() > 1 {
        show(environment, shown, total, "total")?;
    }
    Ok(())
}

fn count(environment: &mut Environment, source: &mut Source) -> Result<[u64; 3], Failure> {
    let (mut lines, mut words, mut bytes, mut in_word) = (0, 0, 0, false);
    let mut buffer = [0; BUFFER];
    loop {
        let count = source.read(environment, &mut buffer)?;
        let Some(piece @ [_, ..]) = buffer.get(..count) else { return Ok([lines, words, bytes]) };
        for byte in piece {
            bytes += 1;
            lines += u64::from(*byte == b'\n');
            let blank = byte.is_ascii_whitespace();
            words += u64::from(!blank && !in_word);
            in_word = !blank;
        }
    }
}

fn show(environment: &mut Environment, shown: [bool; 3], counts: [u64; 3], name: &str) -> Result<(), Failure> {
    let mut gap = "";
    for (count, _) in counts.iter().zip(shown).filter(|(_, shown)| *shown) {
        write!(environment, "{gap}{count}")?;
        gap = " ";
    }
    let gap = if name.is_empty() { "" } else { " " };
    Ok(writeln!(environment, "{gap}{name}")?)
}
