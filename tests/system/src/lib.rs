//! System tests: Mitos boots in QEMU and is used over its serial line, as a person would.
//!
//! [`batches`] lists everything; the host tool runs it (`make test`, or `mitos test --only system --filter WORD`).

pub mod harness;

use harness::Batch;

/// All batches, in the order in which they run.
pub fn batches() -> Vec<Batch> {
    Vec::new()
}
