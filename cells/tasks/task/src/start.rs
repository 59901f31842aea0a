//! From CPUs that boot to CPUs that run tasks.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use cpu_local::{CpuId, CpuSet};
use scheduler::SchedulerInterrupts;
use task_core::{Name, Priority, Role};
use x86_64::instructions;

use crate::builder::{Builder, SpawnError};
use crate::reaper;
use crate::rights::{ESSENTIAL, SPAWN};

/// Why there can be no tasks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StartError {
    /// There is no first task.
    Spawn(SpawnError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spawn(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for StartError {}

impl From<SpawnError> for StartError {
    fn from(error: SpawnError) -> Self {
        Self::Spawn(error)
    }
}

/// Registers what tasks need. Once, on the boot CPU, when memory, interrupts, the local APIC and the clock work, and
/// before [`start`] or [`start_cpu`].
pub fn init(interrupts: SchedulerInterrupts) {
    scheduler::init(interrupts);
}

/// Makes the boot CPU run tasks, beginning with one that does `first`. The caller and its stack are forgotten, so it
/// owns nothing that must be dropped. Returns only if that is not possible.
///
/// # Panics
/// In a task: the boot is over.
pub fn start(first: impl FnOnce() + Send + 'static) -> StartError {
    assert_no_task();
    match prepare(first) {
        // SAFETY: `prepare` brought the CPU online; the caller owns nothing, as asked.
        Ok(()) => unsafe {
            scheduler::start_ticking();
            scheduler::begin()
        },
        Err(error) => error,
    }
}

fn prepare(first: impl FnOnce() + Send + 'static) -> Result<(), StartError> {
    bring_online(CpuId::BOOT)?;
    Builder::new().name("reaper").priority(Priority::HIGHEST).spawn_essential(ESSENTIAL, reaper::work)?;
    Builder::new().name("init").priority(Priority::INTERACTIVE).spawn(first)?.detach();
    Ok(())
}

/// Makes another CPU run tasks: what a CPU that was started calls, on that CPU, with interrupts off.
///
/// # Panics
/// In a task: its CPU runs tasks already.
pub fn start_cpu(cpu: CpuId) -> ! {
    assert_no_task();
    match bring_online(cpu) {
        // SAFETY: the CPU is online, and this function's callers own nothing: they are where a CPU begins.
        Ok(()) => unsafe {
            scheduler::start_ticking();
            scheduler::begin()
        },
        Err(error) => log::error!("CPU {cpu} runs no tasks: {error}"),
    }
    loop {
        instructions::interrupts::enable_and_hlt();
    }
}

fn assert_no_task() {
    assert!(task_core::current_id().is_none(), "this CPU runs tasks already");
}

fn bring_online(cpu: CpuId) -> Result<(), SpawnError> {
    let mut text = IdleName::default();
    let _ = fmt::Write::write_fmt(&mut text, format_args!("idle {cpu}"));
    let idle = Builder::new().name(text.as_str()).affinity(CpuSet::EMPTY.with(cpu)).priority(Priority::LOWEST).make(
        Role::Idle,
        Box::new(|| {
            loop {
                scheduler::idle_turn(SPAWN);
            }
        }),
    )?;
    // SAFETY: called once per CPU, on it. The record is leaked: an idle task never ends.
    unsafe { scheduler::bring_online(&*Arc::into_raw(idle)) };
    Ok(())
}

/// Room for the name of an idle task.
#[derive(Default)]
struct IdleName {
    bytes: [u8; Name::CAPACITY],
    length: usize,
}

impl IdleName {
    fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..self.length]).unwrap_or("idle")
    }
}

impl fmt::Write for IdleName {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
