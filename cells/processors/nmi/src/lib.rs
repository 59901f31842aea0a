//! Non-maskable interrupts from CPU to CPU, or from a timer: for a watchdog that wants to see where a CPU hangs, with
//! interrupts off perhaps, and to put it on the recovery ladder.
//!
//! Guarantees: the handler takes no lock, allocates nothing, writes no log, loops over 22 words and has no path that
//! panics, so it may come between any two instructions of anything. It meets requests of other CPUs
//! ([`registers_of`], [`fault`]); an NMI that no CPU asked for goes to the [`ALARM`]. How it can fail: a
//! CPU that does not take even an NMI is reported after a bounded wait.
#![cfg_attr(not(test), no_std)]

mod snapshot;

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use core::{error, fmt};

use apic::ApicError;
use cpu_local::{CpuId, MAX_CPUS, PerCpu, cpu_id};
use hook::Hook;
use interrupts::{Handler, InterruptCap, Interrupted, SavedRegisters};
use spin_lock::PreemptLock;

use crate::snapshot::Snapshot;

/// Why a CPU could not be looked at or faulted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NmiError {
    /// The NMI could not be sent.
    Apic(ApicError),
    /// The CPU has not taken it in time.
    Silent(CpuId),
    /// A CPU cannot ask for its own registers.
    Oneself,
}

impl fmt::Display for NmiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apic(error) => error.fmt(f),
            Self::Silent(cpu) => write!(f, "CPU {cpu} takes no NMI"),
            Self::Oneself => write!(f, "a CPU cannot send itself an NMI"),
        }
    }
}

impl error::Error for NmiError {}

impl From<ApicError> for NmiError {
    fn from(error: ApicError) -> Self {
        Self::Apic(error)
    }
}

/// An emulated CPU takes an NMI when its host thread runs; after two seconds it is lost.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The requests of other CPUs to one CPU.
struct Mailbox {
    /// The number of the last request to show the registers, and of the last that was met.
    wanted: AtomicU64,
    shown: AtomicU64,
    registers: Snapshot,
    /// Likewise for requests to fault.
    faults_wanted: AtomicU64,
    faults_made: AtomicU64,
}

static MAILBOXES: PerCpu<Mailbox> = PerCpu::new(
    [const {
        Mailbox {
            wanted: AtomicU64::new(0),
            shown: AtomicU64::new(0),
            registers: Snapshot::new(),
            faults_wanted: AtomicU64::new(0),
            faults_made: AtomicU64::new(0),
        }
    }; MAX_CPUS],
);

/// The CPU that holds it may ask.
static TURN: PreemptLock<()> = PreemptLock::new(());

// SAFETY: this cell claims no interrupt, and sends NMIs to CPUs that are to be looked at, which no other cell does.
const RIGHT: InterruptCap = unsafe { InterruptCap::new() };

/// Makes a fault of an NMI: it changes the registers so that the CPU goes on in the unwinder. The unset hook lets the CPU
/// go on as it was.
pub static FAULT: Hook<Handler> = Hook::new(|_interrupted| {});

/// Is called with each NMI that no CPU asked for: those of a timer. The unset hook ignores them.
pub static ALARM: Hook<Handler> = Hook::new(|_interrupted| {});

/// The registers of another CPU at the moment when the NMI came.
///
/// # Errors
/// The NMI cannot be sent, or the CPU does not take it in time.
pub fn registers_of(cpu: CpuId) -> Result<SavedRegisters, NmiError> {
    let mailbox = &MAILBOXES[cpu];
    ask(cpu, &mailbox.wanted, &mailbox.shown)?;
    Ok(mailbox.registers.read())
}

/// Makes a fault of the code that another CPU runs now.
///
/// # Errors
/// The NMI cannot be sent, or the CPU does not take it in time.
///
/// # Safety
/// The code that runs there is given up for lost: it may hold locks that only the ledger knows of, or none at all.
pub unsafe fn fault(cpu: CpuId) -> Result<(), NmiError> {
    let mailbox = &MAILBOXES[cpu];
    ask(cpu, &mailbox.faults_wanted, &mailbox.faults_made)
}

/// As [`fault`], for an interrupt handler, which cannot wait until it is done.
///
/// # Errors
/// The NMI cannot be sent.
///
/// # Safety
/// As for [`fault`].
pub unsafe fn request_fault(cpu: CpuId) -> Result<(), NmiError> {
    if cpu == cpu_id() {
        return Err(NmiError::Oneself);
    }
    MAILBOXES[cpu].faults_wanted.fetch_add(1, Ordering::AcqRel);
    Ok(apic::send_nmi(RIGHT, cpu)?)
}

/// Raises `wanted` and waits until `met` is as high.
fn ask(cpu: CpuId, wanted: &AtomicU64, met: &AtomicU64) -> Result<(), NmiError> {
    let _turn = TURN.lock();
    if cpu == cpu_id() {
        return Err(NmiError::Oneself);
    }
    let number = wanted.fetch_add(1, Ordering::AcqRel) + 1;
    apic::send_nmi(RIGHT, cpu)?;
    if clock::spin_until(TIMEOUT, || met.load(Ordering::Acquire) >= number) {
        Ok(())
    } else {
        Err(NmiError::Silent(cpu))
    }
}

/// The handler of NMIs, for [`interrupts::NMI`]. Runs on the NMI's own emergency stack; a second NMI waits until this one
/// returns.
pub fn handle(interrupted: &mut Interrupted<'_>) {
    let mailbox = &MAILBOXES[cpu_id()];
    let mut expected = false;
    let wanted = mailbox.wanted.load(Ordering::Acquire);
    if mailbox.shown.load(Ordering::Relaxed) < wanted {
        expected = true;
        mailbox.registers.write(interrupted.registers());
        mailbox.shown.store(wanted, Ordering::Release);
    }
    let faults = mailbox.faults_wanted.load(Ordering::Acquire);
    if mailbox.faults_made.load(Ordering::Relaxed) < faults {
        expected = true;
        mailbox.faults_made.store(faults, Ordering::Release);
        FAULT.get()(interrupted);
    }
    if !expected {
        ALARM.get()(interrupted);
    }
}
