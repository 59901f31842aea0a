//! `mitos bench`: the operations of the kernel in ticks, and counted in instructions.

use std::collections::BTreeMap;
use std::time::Duration;

use build::Tree;
use machine::{Accelerator, Configuration, Machine, Shell};
use serde::Serialize;

use crate::failure::Failure;
use crate::report;

/// Counted runs emulate one instruction after the other, measurements of 1,000 pages included.
const PATIENCE: Duration = Duration::from_secs(300);

/// A row of `target/report/bench.json`.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    /// Ticks of the time stamp counter, median.
    ticks: Option<f64>,
    /// Instructions, from a run in which the counter counts them.
    instructions: Option<f64>,
}

/// Measures, prints a table, writes the report.
pub(crate) fn run(tree: &Tree) -> Result<(), Failure> {
    let base =
        Configuration::direct(&tree.output()).argument("log=warn").argument("exit=debug").argument("console=plain");
    let timed = measure(tree, "bench-ticks", base.clone())?;
    let counted = base.cpus(1).accelerator(Accelerator::CountedInstructions);
    let counted = measure(tree, "bench-instructions", counted)?;
    let mut names: Vec<String> = timed.iter().chain(&counted).map(|(name, _)| name.clone()).collect();
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    let find = |rows: &[(String, f64)], name: &str| rows.iter().find(|(row, _)| row == name).map(|(_, value)| *value);
    let rows: Vec<Row> = names
        .into_iter()
        .map(|name| Row { ticks: find(&timed, &name), instructions: find(&counted, &name), name })
        .collect();
    let goals: BTreeMap<&str, u32> = GOALS.into_iter().collect();
    println!("{:<16} {:>12} {:>14} {:>10}", "operation", "ticks", "instructions", "at most");
    for row in &rows {
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"));
        let goal = goals.get(row.name.as_str()).map_or_else(|| "-".to_owned(), u32::to_string);
        println!("{:<16} {:>12} {:>14} {:>10}", row.name, number(row.ticks), number(row.instructions), goal);
    }
    let path = report::write(tree, "bench.json", &rows)?;
    println!("mitos: {}", path.strip_prefix(&tree.root).unwrap_or(&path).display());
    Ok(())
}

/// What Mitos is to reach, in instructions: a goal for the design, kept beside the figures, never asserted.
const GOALS: [(&str, u32); 9] = [
    ("null_call", 10),
    ("yield", 260),
    ("spawn_join", 12_000),
    ("map_1", 6_700),
    ("map_1000", 2_000_000),
    ("rendezvous", 1_700),
    ("async_channel", 1_700),
    ("file", 7_700),
    ("heap_64", 150),
];

fn measure(tree: &Tree, name: &str, configuration: Configuration) -> Result<Vec<(String, f64)>, Failure> {
    println!("mitos: measuring ({name})");
    let log = tree.root.join("target/logs").join(format!("{name}.log"));
    let mut shell = Shell::reach(Machine::start(&configuration, &log)?, PATIENCE)?;
    let output = shell.run_within("bench", PATIENCE)?;
    shell.machine().send_line("poweroff")?;
    // The figures are there; a machine that does not go is ended when it is dropped.
    let _ = shell.machine().wait(Duration::from_secs(20));
    Ok(output.lines().filter_map(parse).collect())
}

/// `BENCH name ticks iterations`.
fn parse(line: &str) -> Option<(String, f64)> {
    let mut words = line.strip_prefix("BENCH ")?.split_whitespace();
    let name = words.next()?.to_owned();
    Some((name, words.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn rows_are_told_from_what_is_for_people() {
        assert_eq!(parse("BENCH yield 123.4 1000"), Some(("yield".to_owned(), 123.4)));
        assert_eq!(parse("  yield: 123.4 ticks"), None);
        assert_eq!(parse("BENCH yield x"), None);
    }
}
