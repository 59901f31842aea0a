// expect: mismatched types
// The owner of an interrupt sends it to another CPU. A number is not enough: it could be that of an exception.

#![no_std]
#![forbid(unsafe_code)]

use apic::ApicError;
use cpu_local::CpuId;
use interrupts::{Registration, vectors};

pub fn call(cpu: CpuId, message: &Registration) -> Result<(), ApicError> {
    apic::send_ipi(cpu, vectors::PAGE_FAULT)?; //~ wrong
    apic::send_ipi(cpu, message)?; //~ right
    Ok(())
}
