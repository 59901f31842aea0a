//! The use of the 256 vectors. Only those named here have entries.

/// Vectors 0 to 31 are exceptions.
pub const EXCEPTIONS: u8 = 32;

/// Divide error.
pub const DIVIDE_ERROR: u8 = 0;
/// Single step, hardware breakpoints.
pub const DEBUG: u8 = 1;
/// Non-maskable interrupt.
pub const NMI: u8 = 2;
/// The `int3` instruction.
pub const BREAKPOINT: u8 = 3;
/// Invalid opcode.
pub const INVALID_OPCODE: u8 = 6;
/// An exception while delivering an exception.
pub const DOUBLE_FAULT: u8 = 8;
/// Stack segment fault: among others, a non-canonical address relative to `rsp` or `rbp`.
pub const STACK_SEGMENT: u8 = 12;
/// General protection.
pub const GENERAL_PROTECTION: u8 = 13;
/// Page fault.
pub const PAGE_FAULT: u8 = 14;
/// Machine check.
pub const MACHINE_CHECK: u8 = 18;

/// First of the 32 vectors for devices.
pub const DEVICES: u8 = 0x20;
/// The local APIC timer: the lowest priority, so that anything else comes first.
pub const TIMER: u8 = 0x20;
/// First of the 16 vectors for ISA interrupts; add the number of the interrupt.
pub const ISA: u8 = 0x30;
/// Last of the vectors for devices.
pub const LAST_DEVICE: u8 = 0x3f;

/// First of the 16 vectors for messages between CPUs and for the local APIC itself.
pub const MESSAGES: u8 = 0xf0;
/// Asks a CPU to look at its run queue.
pub const RESCHEDULE: u8 = 0xf0;
/// Asks a CPU to forget translations.
pub const SHOOTDOWN: u8 = 0xf1;
/// Asks a CPU to stop for good, before power-off or after a fault that ends the system.
pub const STOP: u8 = 0xf3;
/// Asks a CPU to deliver a kill to the task it runs.
pub const KILL: u8 = 0xf4;
/// The local APIC found an error.
pub const APIC_ERROR: u8 = 0xfe;
/// The local APIC withdrew an interrupt; it wants no acknowledgement.
pub const SPURIOUS: u8 = 0xff;

/// Whether a vector is for devices and messages, which have owners.
pub(crate) const fn is_for_handlers(vector: u8) -> bool {
    (vector >= DEVICES && vector <= LAST_DEVICE) || vector >= MESSAGES
}

/// The short name of an exception, as in the processor's manual.
pub const fn exception_name(vector: u8) -> &'static str {
    match vector {
        0 => "#DE divide error",
        1 => "#DB debug",
        2 => "NMI",
        3 => "#BP breakpoint",
        4 => "#OF overflow",
        5 => "#BR bound range",
        6 => "#UD invalid opcode",
        7 => "#NM device not available",
        8 => "#DF double fault",
        10 => "#TS invalid TSS",
        11 => "#NP segment not present",
        12 => "#SS stack segment",
        13 => "#GP general protection",
        14 => "#PF page fault",
        16 => "#MF floating point",
        17 => "#AC alignment check",
        18 => "#MC machine check",
        19 => "#XM vector floating point",
        20 => "#VE virtualization",
        21 => "#CP control protection",
        _ => "reserved exception",
    }
}
