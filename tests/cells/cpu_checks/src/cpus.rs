//! That all CPUs are there and can be reached.

use core::sync::atomic::{AtomicU32, Ordering};

use cpu_local::{CpuSet, MAX_CPUS};
use interrupts::{ClaimError, Interrupt, InterruptCap, Interrupted, vectors};
use self_check::{CheckError, Outcome, TIMEOUT, eventually, expect, holds};
use task::Builder;
use x86_64::VirtAddr;

// SAFETY: the checks claim a message that no other cell uses, and give it back.
const RIGHT: InterruptCap = unsafe { InterruptCap::new() };

/// A message that no other cell uses.
const VECTOR: u8 = vectors::MESSAGES + 0x0a;

pub(crate) fn listed_cpus_run() -> Outcome {
    let listed = acpi_tables::platform().map_or(0, |platform| platform.cpus.len()).min(MAX_CPUS);
    expect("CPUs that run", smp::online().len() as u64, listed as u64)?;
    holds("the boot CPU runs", smp::online().contains(cpu_local::CpuId::BOOT))
}

pub(crate) fn apic_numbers_differ() -> Outcome {
    for cpu in smp::online().iter() {
        let number = apic::number_of(cpu).ok_or(CheckError::Not("each CPU has an APIC number"))?;
        holds("an APIC number leads back to its CPU", apic::cpu_of(number) == Some(cpu))?;
    }
    Ok(())
}

/// The pages of the code for starting CPUs are below 1 MiB.
pub(crate) fn start_code_is_gone() -> Outcome {
    let mapped = (0..256_u64).filter(|page| mapping::translate(VirtAddr::new(page * 4096)).is_some()).count();
    expect("mapped pages below 1 MiB", mapped as u64, 0)
}

pub(crate) fn interrupts_have_one_owner() -> Outcome {
    let exception = Interrupt::claim(RIGHT, vectors::PAGE_FAULT).err();
    holds("an exception belongs to the processor", exception == Some(ClaimError::Reserved(vectors::PAGE_FAULT)))?;
    let interrupt = Interrupt::claim(RIGHT, VECTOR)?;
    let taken = Some(ClaimError::Taken(VECTOR));
    holds("an interrupt has one owner", Interrupt::claim(RIGHT, VECTOR).err() == taken)?;
    let registration = interrupt.handle(note);
    holds("it has one while it is handled", Interrupt::claim(RIGHT, VECTOR).err() == taken)?;
    drop(registration);
    holds("an interrupt that was given back can be had", Interrupt::claim(RIGHT, VECTOR).is_ok())
}

/// The CPUs that took the message.
static REACHED: AtomicU32 = AtomicU32::new(0);

fn note(_interrupted: &mut Interrupted<'_>) {
    REACHED.fetch_or(CpuSet::EMPTY.with(cpu_local::cpu_id()).bits(), Ordering::AcqRel);
}

pub(crate) fn messages_reach_each_cpu() -> Outcome {
    REACHED.store(0, Ordering::Release);
    let message = Interrupt::claim(RIGHT, VECTOR)?.handle(note);
    for cpu in smp::online().iter() {
        apic::send_ipi(cpu, &message)?;
    }
    let all = smp::online().bits();
    eventually("each CPU takes a message", || REACHED.load(Ordering::Acquire) == all)
}

pub(crate) fn each_cpu_ticks() -> Outcome {
    let ticks = || task::current().map_or(0, |task| task.share().ticks());
    for cpu in smp::online().iter() {
        let compute = move || {
            let end = clock::now() + TIMEOUT;
            while ticks() < 3 && clock::now() < end {}
            ticks()
        };
        let ticks = Builder::new().name("tick check").affinity(CpuSet::EMPTY.with(cpu)).spawn(compute)?.join()?;
        holds("each CPU is interrupted by its timer", ticks >= 3)?;
    }
    Ok(())
}

/// From another CPU each time, since none can send itself an NMI.
pub(crate) fn nmi_shows_each_cpu() -> Outcome {
    let all = smp::online();
    for cpu in all.iter().filter(|_| all.len() > 1) {
        let registers = Builder::new()
            .name("nmi check")
            .affinity(all.without(cpu))
            .spawn(move || nmi::registers_of(cpu))?
            .join()??;
        holds("a CPU is in the kernel's half of the address space", registers.rip >= 0xffff_8000_0000_0000)?;
        expect("vector that showed it", registers.vector, u64::from(vectors::NMI))?;
    }
    Ok(())
}
