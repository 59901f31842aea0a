//! `mitos bench`: the operations of the kernel in ticks, and counted in instructions.

use std::time::Duration;

use build::Tree;
use machine::{Accelerator, Configuration, Machine, Shell};
use serde::Serialize;

use crate::failure::Failure;
use crate::report;

/// Counted runs emulate one instruction after the other, measurements of 1,000 pages included.
const TIMEOUT: Duration = Duration::from_secs(300);

/// A row of `target/report/bench.json`.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    /// Ticks of the time stamp counter, median.
    ticks: Option<f64>,
    /// Instructions, from a run in which the counter counts them.
    instructions: Option<f64>,
}

/// One line of the application's.
#[derive(Debug, PartialEq)]
struct Figure {
    name: String,
    /// Ticks of the time stamp counter, median.
    ticks: f64,
    /// The instructions that it is to take at most: a goal for the design, kept beside the figures, never asserted.
    goal: u32,
}

/// Measures, prints a table, writes the report.
pub(crate) fn run(tree: &Tree) -> Result<(), Failure> {
    let base =
        Configuration::direct(&tree.output()).argument("log=warn").argument("exit=debug").argument("console=plain");
    let timed = measure(tree, "bench-ticks", base.clone())?;
    let counted = base.cpus(1).accelerator(Accelerator::CountedInstructions);
    let counted = measure(tree, "bench-instructions", counted)?;
    let mut operations: Vec<&Figure> = timed.iter().chain(&counted).collect();
    let mut seen = std::collections::HashSet::new();
    operations.retain(|operation| seen.insert(&operation.name));
    let find = |figures: &[Figure], name: &str| Some(figures.iter().find(|figure| figure.name == name)?.ticks);
    println!("{:<16} {:>12} {:>14} {:>10}", "operation", "ticks", "instructions", "at most");
    let mut rows = Vec::new();
    for Figure { name, goal, .. } in operations {
        let row = Row { name: name.clone(), ticks: find(&timed, name), instructions: find(&counted, name) };
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"));
        println!("{name:<16} {:>12} {:>14} {goal:>10}", number(row.ticks), number(row.instructions));
        rows.push(row);
    }
    let path = report::write(tree, "bench.json", &rows)?;
    println!("mitos: {}", path.strip_prefix(&tree.root).unwrap_or(&path).display());
    Ok(())
}

fn measure(tree: &Tree, name: &str, configuration: Configuration) -> Result<Vec<Figure>, Failure> {
    println!("mitos: measuring ({name})");
    let log = tree.root.join("target/logs").join(format!("{name}.log"));
    let mut shell = Shell::reach(Machine::start(&configuration, &log)?, TIMEOUT)?;
    let output = shell.run_within("bench", TIMEOUT)?;
    shell.machine().send_line("poweroff")?;
    // The figures are there; a machine that does not go is ended when it is dropped.
    let _ = shell.machine().wait(Duration::from_secs(20));
    Ok(output.lines().filter_map(parse).collect())
}

/// `BENCH name ticks iterations goal`.
fn parse(line: &str) -> Option<Figure> {
    let words: Vec<&str> = line.strip_prefix("BENCH ")?.split_whitespace().collect();
    let [name, ticks, _, goal] = words[..] else { return None };
    Some(Figure { name: name.to_owned(), ticks: ticks.parse().ok()?, goal: goal.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::{Figure, parse};

    #[test]
    fn rows_are_told_from_what_is_for_people() {
        let figure = Figure { name: "yield".to_owned(), ticks: 123.4, goal: 260 };
        assert_eq!(parse("BENCH yield 123.4 1000 260"), Some(figure));
        assert_eq!(parse("  yield: 123.4 ticks"), None);
        assert_eq!(parse("BENCH yield x 1000 260"), None);
        assert_eq!(parse("BENCH yield 123.4"), None);
    }
}
