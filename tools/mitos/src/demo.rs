//! `mitos demo`: what a visitor would see, each step verified.
//!
//! Cells, load, four swaps, eight faults of an application, one of a driver and one with a lock held, a swap after all that,
//! cells again, and memory back where it was. It goes on after a step that failed, so that the report is whole, and succeeds
//! only if every step held.

use std::time::{Duration, Instant};

use build::Tree;
use machine::{CommandOutput, Configuration, Machine, MachineError, Shell};
use serde::Serialize;
use system_tests::counter::{Counter, is_counted};
use system_tests::fault_line::{FaultLine, kind_in_words};

use crate::failure::Failure;
use crate::report;

const BOOT: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_secs(60);
/// The cell and the build with its alternate. Each is swapped there and back, so that the machine ends as it began.
const SWAPS: [(&str, &str); 4] =
    [("scheduling_policy", "priority"), ("console", "bursts"), ("async_channel_core", "batching"), ("heap", "frugal")];
/// Tasks that compute while a cell is swapped.
const BUSY: u64 = 4;
/// The build that was booted.
const BASE: &str = "base";
const FAULTS: [&str; 8] = ["panic", "null", "gp", "div", "ud", "overflow", "deadlock", "oom"];
/// Frames that may be missing in the end: those of the heap's growth below, and the tables for them. Cells that were not
/// given back show in their number and as retired cells, too.
const SLACK_FRAMES: u64 = 8;
/// Bytes by which the heap may have grown: a hundred lines of the shell's history, and tables that stay as large as they were.
const SLACK_HEAP: u64 = 16 * 1024;

#[derive(Debug, Default, Serialize)]
struct Report {
    boot_ms: f64,
    cells: u64,
    cells_bytes: u64,
    adopted: u64,
    swaps: Vec<SwapRow>,
    faults: Vec<FaultRow>,
    frames_before: u64,
    frames_after: u64,
    heap_before: u64,
    heap_after: u64,
}

#[derive(Debug, Serialize)]
struct SwapRow {
    cell: String,
    ok: bool,
    prepare_us: Option<u64>,
    quiesce_us: Option<u64>,
    commit_us: Option<u64>,
    reclaim_us: Option<u64>,
    retired_cells: Option<u64>,
}

#[derive(Debug, Serialize)]
struct FaultRow {
    kind: String,
    recovered: bool,
    us: Option<u64>,
    leaked_bytes: Option<u64>,
}

/// The walk, with what it found.
struct Walk {
    shell: Shell,
    report: Report,
    failed: u32,
}

/// Runs the demo; true if every step held.
pub(crate) fn run(tree: &Tree) -> Result<bool, Failure> {
    let configuration =
        Configuration::direct(&tree.output()).argument("log=info").argument("exit=debug").argument("console=plain");
    let log = tree.root.join("target/logs/demo.log");
    println!("mitos: booting four processors in 256 MiB");
    let shell = Shell::reach(Machine::start(&configuration, &log)?, BOOT)?.patience(STEP);
    let mut walk = Walk { shell, report: Report::default(), failed: 0 };
    let result = walk.steps();
    if let Err(error) = &result {
        walk.step("the machine answers", Finding { held: false, text: error.to_string() });
    }
    let path = report::write(tree, "demo.json", &walk.report)?;
    println!("mitos: {}; {} steps failed", path.strip_prefix(&tree.root).unwrap_or(&path).display(), walk.failed);
    Ok(walk.failed == 0)
}

impl Walk {
    /// Says how a step went.
    fn step(&mut self, what: &str, Finding { held, text }: Finding) {
        if held {
            println!("  ok      {what}: {text}");
        } else {
            self.failed += 1;
            println!("  FAILED  {what}: {text}");
        }
    }

    fn steps(&mut self) -> Result<(), MachineError> {
        self.boot()?;
        // The first use of everything fills caches that stay, and tables grow that the largest swap needs: `before` is taken
        // after it.
        for command in ["echo warm | cat", "traffic 1", "ps", "swap frugal", "swap base", "swap reclaim"] {
            self.shell.run(command)?;
        }
        self.fault_in_busy("panic", "busy 60")?;
        (self.report.frames_before, self.report.heap_before) = self.memory()?;
        let cells = self.cells()?;
        self.load()?;
        for (cell, build) in SWAPS {
            self.swap(cell, build)?;
        }
        for kind in FAULTS {
            self.fault(kind)?;
        }
        self.fault_of_driver()?;
        self.fault_with_lock()?;
        self.swap_after_faults()?;
        let left = self.shell.run("swap reclaim")?;
        self.step("all replaced cells are freed", verdict(left.text == "0 retired cells", &left.text));
        let again = self.cells()?;
        self.step("the same cells as before", same("cells", cells, again));
        self.memory_is_back()?;
        self.power_off()
    }

    fn boot(&mut self) -> Result<(), MachineError> {
        let log = self.shell.run("log")?;
        let found = log.log.iter().map(String::as_str).chain(log.lines()).filter_map(shell_after).last();
        self.report.boot_ms = found.unwrap_or_default();
        self.step(
            "boots to the shell",
            verdict(found.is_some(), &found.map_or("no time in the log".into(), |ms| format!("{ms:.0} ms"))),
        );
        let cells = self.shell.run("cells")?;
        let last = cells.lines().last().unwrap_or_default();
        let numbers: Vec<u64> =
            last.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect();
        let understood = if let [cells, adopted, bytes] = numbers[..] {
            (self.report.cells, self.report.adopted, self.report.cells_bytes) = (cells, adopted, bytes);
            true
        } else {
            false
        };
        self.step("every crate is a cell", verdict(understood, last));
        Ok(())
    }

    /// The number of cells, the application that lists them included.
    fn cells(&mut self) -> Result<u64, MachineError> {
        let cells = self.shell.run("cells")?;
        Ok(cells.lines().last().and_then(|line| line.split(' ').next()).and_then(|word| word.parse().ok()).unwrap_or(0))
    }

    fn memory(&mut self) -> Result<(u64, u64), MachineError> {
        self.shell.run("mem reclaim")?;
        let output = self.shell.run("mem")?;
        let value = |name: &str| {
            let line = output.lines().find(|line| line.split_whitespace().next() == Some(name));
            line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
        };
        Ok((value("free"), value("used")))
    }

    fn load(&mut self) -> Result<(), MachineError> {
        let output = self.shell.run("traffic 1")?;
        let whole = output.contains(" 0 lost, 0 doubled");
        self.step("a channel under load", Finding { held: whole, text: output.text });
        Ok(())
    }

    /// Swaps a cell while four tasks compute and two talk over a channel, and back. When it is the console's driver, a
    /// fifth task prints all the while.
    fn swap(&mut self, cell: &str, build: &str) -> Result<(), MachineError> {
        let load = (0..BUSY).map(|_| self.shell.start("busy 600")).collect::<Result<Vec<_>, _>>()?;
        let talking = self.shell.start("traffic 600")?;
        let counter = if cell == "console" { Some(Counter::start(&mut self.shell)?) } else { None };
        let there = self.swap_once(cell, build)?;
        let back = self.swap_once(cell, BASE)?;
        if let Some(counter) = counter {
            counter.goes_on(&mut self.shell)?;
            let lines = counter.stop(&mut self.shell)?;
            let text = match &lines {
                Ok(count) => format!("{count} lines"),
                Err(wrong) => wrong.to_string(),
            };
            self.step("  every line printed meanwhile came once, whole, in order", verdict(lines.is_ok(), &text));
        }
        let computing = self.tasks_called("busy")?;
        self.step("  the load computed all the while", same("tasks", BUSY, computing.len() as u64));
        let talkers = self.tasks_called("traffic-in")?.len() + self.tasks_called("traffic-out")?.len();
        self.step("  messages came and went all the while", same("tasks", 2, talkers as u64));
        self.shell.run("kill traffic")?;
        let said = self.shell.end_of(talking)?;
        for number in computing {
            self.shell.run(&format!("kill {number}"))?;
        }
        for job in load {
            self.shell.end_of(job)?;
        }
        let left = self.tasks_called("busy")?;
        self.step("  the load ends when it is killed", verdict(left.is_empty(), &format!("{BUSY} tasks")));
        let traffic =
            said.lines().find(|line| line.contains(" doubled")).unwrap_or("nothing was said about the traffic");
        let whole = traffic.ends_with(" 0 lost, 0 doubled");
        self.step("  nothing lost and nothing doubled meanwhile", verdict(whole, traffic));
        for (row, text) in [there, back] {
            let ok = row.ok;
            self.report.swaps.push(row);
            self.step(&format!("swap {cell} under load"), verdict(ok, &text));
        }
        Ok(())
    }

    fn swap_once(&mut self, cell: &str, build: &str) -> Result<(SwapRow, String), MachineError> {
        let output = self.shell.run(&format!("swap {build}"))?;
        let phase = |name: &str| output.number_after(&format!("{name} "));
        let row = SwapRow {
            cell: cell.to_owned(),
            ok: output.contains(&format!("swapped to {build}")) && phase("commit").is_some(),
            prepare_us: phase("prepare"),
            quiesce_us: phase("quiesce"),
            commit_us: phase("commit"),
            reclaim_us: phase("reclaim"),
            retired_cells: phase("retired cells"),
        };
        let text = output.lines().filter(|line| !is_counted(line)).collect::<Vec<_>>().join("; ");
        Ok((row, text))
    }

    /// Makes a fault in a running application, which ends, and reads what the fault log says.
    fn fault(&mut self, kind: &str) -> Result<(), MachineError> {
        let (record, line) = self.fault_in_busy(kind, "busy 60")?;
        let recovered = record.is_some();
        let us = record.as_ref().map(|record| record.microseconds);
        let leaked_bytes = record.as_ref().map(|record| record.leaked);
        self.report.faults.push(FaultRow { kind: kind.to_owned(), recovered, us, leaked_bytes });
        self.step(&format!("fault {kind}"), verdict(recovered, &line));
        Ok(())
    }

    /// Makes a fault in an application that holds a lock, which is released.
    fn fault_with_lock(&mut self) -> Result<(), MachineError> {
        let (record, line) = self.fault_in_busy("gp", "busy locked")?;
        let released = record.is_some_and(|record| record.released > 0);
        self.step("fault gp, with a lock held", verdict(released, &line));
        Ok(())
    }

    /// Makes a fault in the console's driver, which is restarted: the dialogue goes on over it.
    fn fault_of_driver(&mut self) -> Result<(), MachineError> {
        let before = self.faults()?.0;
        self.shell.run("fault null console")?;
        let start = Instant::now();
        let (mut record, mut line) = self.fault_since(before, "null", "console")?;
        while record.is_none() && start.elapsed() < STEP {
            std::thread::sleep(Duration::from_millis(200));
            (record, line) = self.fault_since(before, "null", "console")?;
        }
        let restarted = record.is_some_and(|record| record.action.starts_with("restarted"));
        self.step("fault null, in the console's driver", verdict(restarted, &line));
        Ok(())
    }

    /// Swaps a driver and back once more, with nothing left of what it replaced.
    fn swap_after_faults(&mut self) -> Result<(), MachineError> {
        for build in ["bursts", BASE] {
            let (row, text) = self.swap_once("console", build)?;
            self.step("swap console after all faults", verdict(row.ok && row.retired_cells == Some(0), &text));
        }
        Ok(())
    }

    /// Makes a fault in an application called `busy`, which must end of it; what the log says.
    fn fault_in_busy(&mut self, kind: &str, command: &str) -> Result<(Option<FaultLine>, String), MachineError> {
        let before = self.faults()?.0;
        let job = self.shell.start(command)?;
        self.shell.run(&format!("fault {kind} busy"))?;
        self.shell.end_of(job)?;
        let (record, line) = self.fault_since(before, kind, "busy")?;
        let gone = self.tasks_called("busy")?.is_empty();
        Ok((record.filter(|record| gone && record.action == "ended"), line))
    }

    /// The last line of the log about a task, and what it says: if that is the one fault since there were `before`, of that
    /// kind, and the shell lives on.
    fn fault_since(
        &mut self,
        before: Option<u64>,
        kind: &str,
        task: &str,
    ) -> Result<(Option<FaultLine>, String), MachineError> {
        let (count, log) = self.faults()?;
        let name = format!("'{task}'");
        let line = log.lines().filter(|line| line.contains(&name)).last().unwrap_or_default().to_owned();
        let alive = self.shell.run("echo alive")?.text == "alive";
        let is_it = |record: &FaultLine| {
            alive
                && Some(record.number) == before
                && count == before.map(|before| before + 1)
                && record.kind == kind_in_words(kind)
        };
        Ok((FaultLine::parse(&line).filter(is_it), line))
    }

    /// The numbers of the tasks of this name.
    fn tasks_called(&mut self, name: &str) -> Result<Vec<String>, MachineError> {
        let output = self.shell.run("ps")?;
        let lines = output.lines().filter(|line| line.split_whitespace().last() == Some(name));
        Ok(lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
    }

    /// The number of faults, if the log says it, and the log.
    fn faults(&mut self) -> Result<(Option<u64>, CommandOutput), MachineError> {
        let log = self.shell.run("fault log")?;
        let count = log.lines().last().and_then(|line| line.strip_suffix(" faults since boot")?.parse().ok());
        Ok((count, log))
    }

    fn memory_is_back(&mut self) -> Result<(), MachineError> {
        let (frames, heap) = self.memory()?;
        (self.report.frames_after, self.report.heap_after) = (frames, heap);
        let (before, heap_before) = (self.report.frames_before, self.report.heap_before);
        let frames_back = frames + SLACK_FRAMES >= before && before > 0;
        self.step("frames are back", verdict(frames_back, &format!("{before} free before, {frames} after")));
        let heap_back = heap <= heap_before + SLACK_HEAP;
        self.step("the heap is back", verdict(heap_back, &format!("{heap_before} bytes used before, {heap} after")));
        Ok(())
    }

    fn power_off(&mut self) -> Result<(), MachineError> {
        self.shell.machine().send_line("poweroff")?;
        let exit = self.shell.machine().wait(Duration::from_secs(20))?;
        self.step("powers off", verdict(exit.is_success(), &format!("{exit:?}")));
        Ok(())
    }
}

/// What a step found, and whether that is what it must be.
struct Finding {
    held: bool,
    text: String,
}

fn verdict(held: bool, text: &str) -> Finding {
    Finding { held, text: text.trim().to_owned() }
}

fn same(what: &str, before: u64, after: u64) -> Finding {
    verdict(before == after && before > 0, &format!("{before} {what} before, {after} after"))
}

/// The milliseconds in a log line `... shell after 812.3ms`, as `Duration` writes them.
fn shell_after(line: &str) -> Option<f64> {
    let text = line.split_once("shell after ")?.1.trim();
    if let Some(number) = text.strip_suffix("ms") {
        return number.parse().ok();
    }
    text.strip_suffix('s').and_then(|number| number.parse::<f64>().ok()).map(|seconds| seconds * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::shell_after;

    #[test]
    fn the_time_of_the_boot_is_read_in_both_units() {
        assert_eq!(shell_after("[0.8 cpu0 INFO  init] shell after 812.5ms"), Some(812.5));
        assert_eq!(shell_after("shell after 1.5s"), Some(1500.0));
        assert_eq!(shell_after("something else"), None);
    }
}
