//! Starts every service, in the order in which they need each other.
//!
//! Guarantees: what can be missing without making the system useless (the date, other CPUs) is reported and left out;
//! without interrupts, a timer or tasks the boot ends with one line that says what is missing.
#![no_std]

extern crate alloc;

mod hardware;
mod hooks;

use alloc::string::String;

use boot_information::{BootInformation, Region};
use hardware::DeviceInterrupts;
use x86_64::instructions;

/// Takes over from nano_core on the boot CPU, with all cells loaded.
pub fn main(information: &BootInformation) -> ! {
    log::debug!("all cells are loaded after {:?}", clock::since_boot());
    match hardware::start(information) {
        Ok(interrupts) => {
            let command_line = String::from(information.command_line());
            let boot_stack = information.boot_stack;
            let error = task::start(move || services(&command_line, boot_stack, interrupts));
            log::error!("boot failed: {error}");
        }
        Err(error) => log::error!("boot failed: {error}"),
    }
    loop {
        instructions::interrupts::disable();
        instructions::hlt();
    }
}

/// The first task.
fn services(command_line: &str, boot_stack: Region, interrupts: DeviceInterrupts) {
    if let Err(error) = recovery::start(interrupts.alarm) {
        log::error!("faults end tasks, and nothing restarts them: {error}");
    }
    // SAFETY: the boot code ended in `task::start`, which does not return to that stack; the tasks have stacks of their own.
    if let Err(error) = unsafe { evolution::init(boot_stack.start..boot_stack.start + boot_stack.bytes) } {
        log::error!("cells that a swap does not free at once stay until the next one: {error}");
    }
    log::info!("tasks run after {:?}", clock::since_boot());
    if let Err(error) = userland::start(command_line, interrupts.serial) {
        log::error!("{error}");
    }
}
