//! The seed of Mitos: entry from the boot loader, and only what is needed to load the first cell.
//!
//! Guarantees to the rest: when the cell `init` takes over, all cells of the kernel are in the namespace, the
//! final page tables are in force, the heap and the log work, and the boot loader's tables are no longer needed. It runs
//! once, on the boot CPU. An error ends the boot with one line that names it and its cause.
#![no_std]

extern crate alloc;

mod bootstrap;
mod entry;
mod image;
mod loader_tables;

use boot_information::{BootInformation, MAX_COMMAND_LINE, options};

/// Where the boot code's tables show physical memory.
pub(crate) const WINDOW_BASE: u64 = 0xffff_ffff_8000_0000;
/// How much of it.
pub(crate) const WINDOW_SIZE: u64 = 1 << 30;

/// The first Rust code. The boot loader left `magic` and `tables` in registers; `entry_ticks` is the time stamp at the
/// first instruction, `header` the physical address of the host's facts about the image.
pub(crate) extern "C" fn start(magic: u32, tables: u32, entry_ticks: u64, header: u32) -> ! {
    // SAFETY: this is the first thing that the boot CPU does, once.
    unsafe { cpu_local::init_boot_cpu() };
    serial_port::init();
    klog::init(log::LevelFilter::Info);
    // SAFETY: the boot CPU, once, with interrupts off. From here on a fault of the boot itself is a message.
    unsafe { interrupts::init_boot_cpu() };
    // SAFETY: the boot code's tables are in force, and the registers come from the boot loader.
    let information = unsafe { loader_tables::read(magic, u64::from(tables), entry_ticks) };
    let Some(mut information) = information else { give_up("the boot loader's tables are not readable") };
    information.boot_stack = entry::boot_stack();
    klog::init(klog::level_from_command_line(information.command_line()));
    klog::set_colours(information.option("console") != Some("plain"));
    clock::init(clock::Instant { ticks: entry_ticks });
    if !clock::is_calibrated() {
        log::warn!("the interval timer (PIT) measures nothing: times are right in order, and wrong in scale");
    }
    // SAFETY: the boot code's tables are still in force, and the host wrote the header.
    let image = unsafe { image::Image::read(u64::from(header)) };
    match information.command_line() {
        "" => log::info!("Mitos, booted by {}", information.loader),
        options => log::info!("Mitos, booted by {}, with the options: {options}", information.loader),
    }
    tell_of_options(&information);
    match bootstrap::bootstrap(&information, &image) {
        Ok(main) => main(&information),
        Err(error) => {
            log::error!("boot failed: {error}");
            halt()
        }
    }
}

/// Reports the words of the command line that have no effect.
fn tell_of_options(information: &BootInformation) {
    for word in options::unknown_words(information.command_line()) {
        log::warn!("option {word}");
    }
    let dropped = information.dropped_words();
    if !dropped.is_empty() {
        log::warn!("the command line has room for {MAX_COMMAND_LINE} bytes; these options are dropped: {dropped}");
    }
    if information.left_out > 0 {
        log::warn!("{} memory regions and options of the boot loader are left out", information.left_out);
    }
}

/// The type of the function that takes over.
pub(crate) type Main = fn(&BootInformation) -> !;

entry_point::expected! {
    /// The function that takes over.
    MAIN: Main
}

fn give_up(reason: &str) -> ! {
    log::error!("boot failed: {reason}");
    halt()
}

fn halt() -> ! {
    loop {
        // SAFETY: with interrupts off nothing wakes the processor, which is the end that is wanted.
        unsafe { core::arch::asm!("cli", "hlt", options(nomem, nostack)) };
    }
}
