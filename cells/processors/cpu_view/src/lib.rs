//! A view of the CPUs, made for applications.
//!
//! To an application: which CPUs there are, and what each has counted. It sends no message to a CPU and changes nothing.
//! Nothing here fails.
#![no_std]
#![forbid(unsafe_code)]

pub use cpu_local::CpuId;

/// One CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuInfo {
    /// Its number.
    pub id: CpuId,
    /// The number of its local APIC.
    pub apic: u32,
    /// Interrupts and exceptions that it has handled since boot.
    pub interrupts: u64,
}

/// All CPUs that have a local APIC, by number.
pub fn cpus() -> impl Iterator<Item = CpuInfo> {
    (0_u32..).take(cpu_local::MAX_CPUS).filter_map(CpuId::new).filter_map(|id| {
        let apic = apic::number_of(id)?;
        Some(CpuInfo { id, apic, interrupts: interrupts::handled(id) })
    })
}
