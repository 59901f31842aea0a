//! That all CPUs are there and can be reached.

use core::sync::atomic::{AtomicU32, Ordering};

use cpu_local::{CpuSet, MAX_CPUS};
use interrupts::{RegisterError, SavedRegisters, vectors};
use self_check::{CheckError, Outcome, eventually, expect, holds};
use task::Builder;
use x86_64::VirtAddr;

/// A vector for messages that nobody else uses.
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

pub(crate) fn vectors_have_one_handler() -> Outcome {
    fn nothing(_registers: &mut SavedRegisters) {}
    let reserved = vectors::PAGE_FAULT;
    holds(
        "an exception's vector is reserved",
        interrupts::register(reserved, nothing).err() == Some(RegisterError::Reserved(reserved)),
    )?;
    let registration = interrupts::register(VECTOR, nothing)?;
    let again = interrupts::register(VECTOR, nothing).err();
    holds("a vector is given once", again == Some(RegisterError::Taken(VECTOR)))?;
    drop(registration);
    holds("a vector that was given back can be had", interrupts::register(VECTOR, nothing).is_ok())
}

/// The CPUs that took the message.
static REACHED: AtomicU32 = AtomicU32::new(0);

fn note(_registers: &mut SavedRegisters) {
    REACHED.fetch_or(CpuSet::EMPTY.with(cpu_local::cpu_id()).bits(), Ordering::AcqRel);
}

pub(crate) fn messages_reach_each_cpu() -> Outcome {
    REACHED.store(0, Ordering::Release);
    let _registration = interrupts::register(VECTOR, note)?;
    send_to_each()
}

fn send_to_each() -> Outcome {
    for cpu in smp::online().iter() {
        apic::send_ipi(cpu, VECTOR)?;
    }
    let all = smp::online().bits();
    eventually("each CPU takes a message", || REACHED.load(Ordering::Acquire) == all)
}

pub(crate) fn each_cpu_ticks() -> Outcome {
    for cpu in smp::online().iter() {
        let before = interrupts::handled(cpu);
        eventually("each CPU is interrupted by its timer", || interrupts::handled(cpu) > before + 3)?;
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
