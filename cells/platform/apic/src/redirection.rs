//! Where a device interrupt goes: the entries of an I/O APIC, as values.

use acpi_tables::SourceOverride;

const ACTIVE_LOW: u64 = 1 << 13;
const LEVEL: u64 = 1 << 15;
const MASKED: u64 = 1 << 16;
/// Delivered as an NMI, which has no vector and comes by its edge.
const NMI: u64 = 0b100 << 8;

/// An entry that lets nothing through.
pub(crate) const SILENT: u64 = MASKED;

/// How an ISA interrupt is wired.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Wiring {
    /// The global interrupt it is.
    pub(crate) interrupt: u32,
    active_low: bool,
    level: bool,
}

/// How ISA interrupt `irq` is wired: one to one, active high and by its edge, unless the firmware says otherwise.
pub(crate) fn wiring(irq: u8, overrides: &[SourceOverride]) -> Wiring {
    match overrides.iter().find(|source| source.irq == irq) {
        Some(&SourceOverride { interrupt, active_low, level, .. }) => Wiring { interrupt, active_low, level },
        None => Wiring { interrupt: u32::from(irq), active_low: false, level: false },
    }
}

/// The entry that sends an interrupt as `vector` to the local APIC `destination`.
pub(crate) fn entry(wiring: Wiring, vector: u8, destination: u8) -> u64 {
    let polarity = if wiring.active_low { ACTIVE_LOW } else { 0 };
    let trigger = if wiring.level { LEVEL } else { 0 };
    u64::from(destination) << 56 | polarity | trigger | u64::from(vector)
}

/// The entry that sends an interrupt as an NMI to the local APIC `destination`.
pub(crate) fn nmi_entry(wiring: Wiring, destination: u8) -> u64 {
    entry(Wiring { level: false, ..wiring }, 0, destination) | NMI
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As QEMU's tables have them.
    const OVERRIDES: [SourceOverride; 2] = [
        SourceOverride { irq: 0, interrupt: 2, active_low: false, level: false },
        SourceOverride { irq: 9, interrupt: 9, active_low: false, level: true },
    ];

    #[test]
    fn overrides_count() {
        assert_eq!(wiring(0, &OVERRIDES).interrupt, 2);
        assert_eq!(wiring(4, &OVERRIDES), Wiring { interrupt: 4, active_low: false, level: false });
        assert!(wiring(9, &OVERRIDES).level);
    }

    #[test]
    fn entries_have_the_hardware_s_layout() {
        assert_eq!(entry(wiring(4, &[]), 0x34, 0), 0x34);
        assert_eq!(entry(wiring(9, &OVERRIDES), 0x39, 3), 0x0300_0000_0000_8039);
        assert_eq!(nmi_entry(wiring(9, &OVERRIDES), 3), 0x0300_0000_0000_0400);
    }
}
