//! Boots a machine for each batch of checks and runs them one after the other in its shell.
//!
//! A check that finds a false claim leaves the machine to the next one; a check after which the machine does not answer any
//! more costs a new boot, so that one failure does not hide others.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use checks::Tally;
use machine::{Configuration, Exit, Machine, MachineError, Shell};

/// From the start of QEMU to the prompt. The kernel needs under a second of guest time; the rest is a slow, shared host.
pub const BOOT: Duration = Duration::from_secs(60);
/// For a command that checks the running system.
pub(crate) const SELF_CHECK: Duration = Duration::from_secs(120);
/// From `poweroff` to the end of QEMU.
const POWER_OFF: Duration = Duration::from_secs(20);

/// Why a check failed.
#[derive(Debug)]
pub enum Failure {
    /// The machine did not answer.
    Machine(MachineError),
    /// It answered, and something claimed is not so.
    Claim(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine(error) => write!(f, "{error}"),
            Self::Claim(text) => write!(f, "{text}"),
        }
    }
}

impl From<MachineError> for Failure {
    fn from(error: MachineError) -> Self {
        Self::Machine(error)
    }
}

/// The result of a check.
pub type Outcome = Result<(), Failure>;

/// Fails the check unless the condition holds.
#[macro_export]
macro_rules! claim {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::harness::Failure::Claim(format!($($message)+)));
        }
    };
}

/// One thing that must be so.
pub struct Check {
    /// What is claimed, as a sentence.
    pub name: &'static str,
    /// Finds out.
    pub run: fn(&mut Shell) -> Outcome,
}

/// Checks that share a machine.
pub struct Batch {
    /// Short name; the log files are called by it.
    pub name: &'static str,
    /// The machine.
    pub machine: fn(&Places) -> Configuration,
    /// What is checked, in this order.
    pub checks: &'static [Check],
    /// Commands that check the running system themselves, with a line `ok: CLAIM` or `FAILED: CLAIM: reason` for each claim;
    /// each claim counts as a check. They run after the checks.
    pub self_checks: &'static [&'static str],
}

/// A check that starts its own machine: one that does not reach a shell, or that is spoken to before it does.
pub struct Trial {
    /// What is claimed, as a sentence.
    pub name: &'static str,
    /// Finds out.
    pub run: fn(&Places) -> Outcome,
}

/// Runs the trials; with a filter, only those with a name that contains it, or all with `trial`.
pub fn run_trials(trials: &[Trial], places: &Places, filter: Option<&str>, tally: &mut Tally) {
    for trial in trials {
        let name = format!("system trial: {}", trial.name);
        if filter.is_none_or(|word| name.contains(word)) {
            let start = Instant::now();
            let result = (trial.run)(places);
            tally.record(&name, Some(start.elapsed()), result);
        }
    }
}

/// Where things are.
#[derive(Debug, Clone)]
pub struct Places {
    /// The build's outputs as a user boots them: image, archive, ISO.
    pub product: PathBuf,
    /// Image and archive with the cells that only tests need.
    pub output: PathBuf,
    /// Where logs go.
    pub logs: PathBuf,
}

impl Places {
    /// The machine that most checks use: booted directly, with the archive of tests, quiet log, debug exit device, plain
    /// console.
    pub fn machine(&self) -> Configuration {
        Configuration::direct(&self.output).argument("log=warn").argument("exit=debug").argument("console=plain")
    }
}

/// Runs the batches; with a filter, only checks with it in the name of the check or of its batch.
pub fn run(batches: &[Batch], places: &Places, filter: Option<&str>, tally: &mut Tally) {
    for batch in batches {
        let wanted = |name: &str| filter.is_none_or(|word| batch.name.contains(word) || name.contains(word));
        let chosen: Vec<&Check> = batch.checks.iter().filter(|check| wanted(check.name)).collect();
        let self_checks: Vec<&str> = batch.self_checks.iter().copied().filter(|command| wanted(command)).collect();
        if !chosen.is_empty() || !self_checks.is_empty() {
            run_batch(batch, &chosen, &self_checks, places, tally);
        }
    }
}

fn run_batch(batch: &Batch, checks: &[&Check], self_checks: &[&str], places: &Places, tally: &mut Tally) {
    let mut boots = 0;
    let mut rest = checks;
    loop {
        boots += 1;
        let start = Instant::now();
        let booted = boot(batch, places, boots);
        if boots == 1 || booted.is_err() {
            let name = format!("system {}: boots to the shell", batch.name);
            tally.record(&name, Some(start.elapsed()), booted.as_ref().map(|_| ()));
        }
        let Ok(mut shell) = booted else {
            for check in rest {
                tally.record(&title(batch, check), None, Err("not run: no machine"));
            }
            return;
        };
        rest = match run_checks(batch, rest, &mut shell, tally) {
            Lost::No => &[],
            Lost::Before(rest) => rest,
        };
        if !rest.is_empty() {
            continue;
        }
        for command in self_checks {
            run_self_checks(batch, command, &mut shell, tally);
        }
        let start = Instant::now();
        let result = power_off(shell, (batch.machine)(places).good_end());
        tally.record(&format!("system {}: powers off", batch.name), Some(start.elapsed()), result);
        return;
    }
}

/// Runs one command that checks the system itself.
fn run_self_checks(batch: &Batch, command: &str, shell: &mut Shell, tally: &mut Tally) {
    let start = Instant::now();
    let output = match shell.run_within(command, SELF_CHECK) {
        Ok(output) => output,
        Err(error) => {
            tally.record(&format!("system {}: {command}", batch.name), Some(start.elapsed()), Err(error));
            return;
        }
    };
    let mut claims = 0;
    for line in output.lines() {
        let (claim, result) = match (line.strip_prefix("ok: "), line.strip_prefix("FAILED: ")) {
            (Some(claim), _) => (claim, Ok(())),
            (_, Some(text)) => {
                let (claim, reason) = text.split_once(": ").unwrap_or((text, "no reason given"));
                (claim, Err(reason))
            }
            _ => continue,
        };
        claims += 1;
        tally.record(&format!("system {}: {command}: {claim}", batch.name), None, result);
    }
    let told = output.lines().find_map(number_of_claims);
    if claims == 0 || told != Some(claims) {
        let name = format!("system {}: {command}: every claim is told", batch.name);
        tally.record(
            &name,
            Some(start.elapsed()),
            Err(format!("{claims} came, {told:?} were checked: {:?}", output.text)),
        );
    }
}

/// How many checks there were, if `line` is the one that says how many of them passed.
fn number_of_claims(line: &str) -> Option<usize> {
    let (_passed, all) = line.strip_suffix(" checks passed")?.split_once(" of ")?;
    all.parse().ok()
}

/// Whether the machine survived a run of checks.
enum Lost<'c> {
    No,
    /// It was lost, and these checks are still to be run.
    Before(&'c [&'c Check]),
}

fn title(batch: &Batch, check: &Check) -> String {
    format!("system {}: {}", batch.name, check.name)
}

/// Runs checks until one loses the machine.
fn run_checks<'c>(batch: &Batch, checks: &'c [&'c Check], shell: &mut Shell, tally: &mut Tally) -> Lost<'c> {
    for (index, check) in checks.iter().enumerate() {
        let start = Instant::now();
        let result = (check.run)(shell);
        let lost = matches!(result, Err(Failure::Machine(_)));
        tally.record(&title(batch, check), Some(start.elapsed()), result);
        if lost && index + 1 < checks.len() {
            return Lost::Before(&checks[index + 1..]);
        }
    }
    Lost::No
}

fn boot(batch: &Batch, places: &Places, number: usize) -> Result<Shell, MachineError> {
    let log = places.logs.join(format!("system-{}-{number}.log", batch.name.replace(' ', "-")));
    let machine = Machine::start(&(batch.machine)(places), &log)?;
    Shell::reach(machine, BOOT)
}

fn power_off(shell: Shell, expected: Exit) -> Outcome {
    let mut machine = shell.into_machine();
    machine.send_line("poweroff")?;
    let exit = machine.wait(POWER_OFF)?;
    claim!(exit == expected, "ended with {exit:?}, not {expected:?}");
    Ok(())
}
