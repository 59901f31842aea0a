//! Power-off and reset.
//!
//! Guarantees: [`power_off`] and [`reset`] do not return and need nothing but ports: no lock, no heap, no other CPU, so
//! that the last resort of recovery can call them. They try the firmware's way, then the ways of every PC or
//! emulator. How it can fail: on a machine that has none of it, the CPU halts with a message.
//!
//! With `exit=debug` on the command line, QEMU's debug exit device takes the place of power-off, which lets tests
//! tell a good end (QEMU's status 33) from a bad one.
#![cfg_attr(not(test), no_std)]

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use acpi_tables::{PowerOff, Reset};
use addresses::{PAGE_SIZE, PhysAddr};
use mapping::{Device, MapError, MappedPages, map_physical};
use spin::Once;
use x86_64::instructions::port::{Port, PortWriteOnly};
use x86_64::instructions::{hlt, interrupts};

/// Where QEMU's debug exit device is, by `-device isa-debug-exit,iobase=0xf4,iosize=0x04`.
const DEBUG_EXIT: u16 = 0xf4;

/// How a run ends, for the emulator that runs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum ExitStatus {
    /// All went well; QEMU exits with 33.
    Success = 0x10,
    /// Something failed; QEMU exits with 35.
    Failure = 0x11,
}

static DEBUG: AtomicBool = AtomicBool::new(false);
/// The reset register, if it is in memory: mapped beforehand, so that a reset needs no memory manager.
static RESET_MEMORY: Once<(MappedPages<Device>, usize, u8)> = Once::new();

/// Enable bit of the power management control register; the sleep type lies below it.
const SLEEP_ENABLE: u16 = 1 << 13;
const SLEEP_TYPE_SHIFT: u16 = 10;
const SLEEP_TYPE_MASK: u16 = 0b111 << SLEEP_TYPE_SHIFT;
/// Ports and values by which emulators power off: QEMU, Bochs and old QEMU.
const EMULATORS: [(u16, u16); 2] = [(0x604, 0x2000), (0xb004, 0x2000)];
/// How long to wait for an effect before trying the next way.
const TIMEOUT: Duration = Duration::from_millis(50);

/// Reads `exit=debug` from the command line, and prepares for a reset.
///
/// # Errors
/// If the reset register is in memory and cannot be mapped.
pub fn init(command_line: &str) -> Result<(), MapError> {
    DEBUG.store(command_line.split_ascii_whitespace().any(|word| word == "exit=debug"), Ordering::Relaxed);
    if let Some(Reset::Memory { address, value }) = acpi_tables::platform().and_then(|platform| platform.reset) {
        // SAFETY: the firmware says that this is the reset register.
        let register = unsafe { map_physical(address, 1, Device)? };
        let offset = offset_in_page(address);
        RESET_MEMORY.call_once(|| (register, offset, value));
    }
    Ok(())
}

#[expect(clippy::cast_possible_truncation, reason = "below 4096")]
fn offset_in_page(address: PhysAddr) -> usize {
    (address.as_u64() % PAGE_SIZE as u64) as usize
}

/// Ends the run, telling QEMU how it went; powers off where there is no debug exit device.
pub fn exit(status: ExitStatus) -> ! {
    if DEBUG.load(Ordering::Relaxed) {
        // SAFETY: the command line says that the debug exit device is there.
        unsafe { PortWriteOnly::<u32>::new(DEBUG_EXIT).write(status as u32) };
    }
    if let Some(power) = acpi_tables::platform().and_then(|platform| platform.power) {
        sleep(power);
    }
    for (port, value) in EMULATORS {
        // SAFETY: these ports power off the emulators that have them, as the caller wants.
        unsafe { PortWriteOnly::new(port).write(value) };
        clock::spin_for(TIMEOUT);
    }
    halt("this machine cannot be powered off by software")
}

/// Ends a run that cannot go on: QEMU is told where it can be, else the machine starts anew.
pub fn fail() -> ! {
    if DEBUG.load(Ordering::Relaxed) {
        exit(ExitStatus::Failure)
    }
    reset()
}

/// Powers off.
pub fn power_off() -> ! {
    exit(ExitStatus::Success)
}

/// Enters the sleep state that is power-off.
fn sleep(power: PowerOff) {
    let enter = |port: u16, sleep_type: u8| {
        let mut control = Port::<u16>::new(port);
        // SAFETY: the firmware says that these are the control registers; the machine is to stop.
        unsafe {
            let kept = control.read() & !SLEEP_TYPE_MASK;
            control.write(kept | u16::from(sleep_type) << SLEEP_TYPE_SHIFT | SLEEP_ENABLE);
        }
    };
    enter(power.control_a, power.sleep_type_a);
    if let Some(port) = power.control_b {
        enter(port, power.sleep_type_b);
    }
    clock::spin_for(TIMEOUT);
}

/// Resets the machine.
pub fn reset() -> ! {
    if let Some(Reset::Port { port, value }) = acpi_tables::platform().and_then(|platform| platform.reset) {
        // SAFETY: the firmware says that this resets.
        unsafe { PortWriteOnly::new(port).write(value) };
        clock::spin_for(TIMEOUT);
    }
    if let Some((register, offset, value)) = RESET_MEMORY.get() {
        // A failure leads on to the next way.
        let _tried = register.write(*offset, *value);
        clock::spin_for(TIMEOUT);
    }
    // The chipset's reset port, then the keyboard controller's reset line.
    for (port, value) in [(0xcf9, 0x06u8), (0x64, 0xfe)] {
        // SAFETY: these ports reset a PC, as the caller wants.
        unsafe { PortWriteOnly::new(port).write(value) };
        clock::spin_for(TIMEOUT);
    }
    halt("this machine cannot be reset by software")
}

fn halt(why: &str) -> ! {
    log::error!("{why}");
    loop {
        interrupts::disable();
        hlt();
    }
}
