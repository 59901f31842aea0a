//! System tests: Mitos boots in QEMU and is used over its serial line, as a person would.
//!
//! [`batches`] lists everything; the host tool runs it (`make test`, or `mitos test --only system --filter WORD`).

pub mod counter;
pub mod fault_line;
pub mod harness;

mod boot;
mod cells;
mod commands;
mod drivers;
mod faults;
mod hostile;
mod lacking;
mod load;
mod loader;
mod prompt;
mod refusals;
mod scarce;
mod shell;
mod swaps;
mod tasks;
mod terminal;

use harness::{Batch, Trial};

/// All batches, in the order in which they run.
pub fn batches() -> Vec<Batch> {
    let mut batches = shell::batches();
    batches.extend(commands::batches());
    batches.extend(terminal::batches());
    batches.extend(prompt::batches());
    batches.extend(cells::batches());
    batches.extend(loader::batches());
    batches.extend(tasks::batches());
    batches.extend(faults::batches());
    batches.extend(hostile::batches());
    batches.extend(swaps::batches());
    batches.extend(refusals::batches());
    batches.extend(scarce::batches());
    batches.extend(boot::batches());
    batches.extend(lacking::batches());
    batches.extend(drivers::batches());
    batches
}

/// All checks that start their own machines.
pub fn trials() -> Vec<Trial> {
    lacking::trials()
}
