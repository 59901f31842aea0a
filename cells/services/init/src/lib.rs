//! Starts every service, in the order in which they need each other.
#![no_std]

use boot_information::BootInformation;

/// Takes over from nano_core on the boot CPU, with all cells loaded.
pub fn main(information: &BootInformation) -> ! {
    log::info!("all cells are loaded ({} regions of memory) after {:?}", information.usable().len(), clock::since_boot());
    loop {
        core::hint::spin_loop();
    }
}
