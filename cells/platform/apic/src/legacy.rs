//! The old interrupt controllers (two 8259), which are masked for good.
//!
//! Source: Intel 8259A datasheet (order number 231468), "Programming the 8259A".

use interrupts::vectors;
use x86_64::instructions::port::Port;

const COMMANDS: [u16; 2] = [0x20, 0xa0];
const DATA: [u16; 2] = [0x21, 0xa1];
/// The diagnostic port: a write to it takes about a microsecond, which the controllers need after each command.
const NOWHERE: u16 = 0x80;

fn write(port: u16, value: u8) {
    // SAFETY: the ports of the old controllers, which nothing else uses, and the diagnostic port.
    unsafe {
        Port::<u8>::new(port).write(value);
        Port::<u8>::new(NOWHERE).write(0);
    }
}

/// Masks all inputs, and moves the vectors away from the exceptions: a controller can still invent an interrupt.
pub(crate) fn silence() {
    for (index, (command, data)) in COMMANDS.into_iter().zip(DATA).enumerate() {
        let second = index == 1;
        write(data, 0xff);
        write(command, 0x11); // initialise, in cascade, with a fourth word
        write(data, vectors::ISA + if second { 8 } else { 0 });
        write(data, if second { 2 } else { 1 << 2 }); // the second controller is at input 2 of the first
        write(data, 0x01); // 8086 mode
        write(data, 0xff);
    }
}
