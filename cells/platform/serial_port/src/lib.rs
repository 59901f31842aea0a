//! The first serial port (16550), sending by polling: the output that works from the first instruction on.
//!
//! Guarantees, to the log and the console: what one call of [`write_text`] or [`write_bytes`] sends comes out in one
//! piece, whichever CPU, interrupt or fault handler calls; and no call waits for ever. Text that a CPU sends while
//! it is itself sending (a fault inside here) breaks into the piece, because a late message is worse than a mixed
//! one; so does text that waited a second for a CPU which stopped. A port that takes nothing for long is stuck: its
//! reader has stopped reading. Of a piece that meets a stuck port the rest is not sent, which [`write_bytes`] tells its
//! caller. A machine without the port swallows everything.
//! Text begins a row of the terminal: if the cursor stands in a row, that row is ended first, or erased if the driver says
//! that it can draw the row again ([`set_erasable`]). After text the port interrupts its driver, so that it does.
//! Receiving is for the console driver: [`enable_interrupts`] and [`receive`].
#![cfg_attr(not(test), no_std)]

use core::arch::x86_64::_rdtsc;
use core::hint;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use x86_64::instructions::interrupts;
use x86_64::instructions::port::{Port, PortReadOnly, PortWriteOnly};

const BASE: u16 = 0x3f8;
/// The ISA interrupt of the first serial port.
pub const SERIAL_IRQ: u8 = 4;

/// Line status: a byte was received.
const DATA_READY: u8 = 1;
/// Line status: the transmit queue is empty.
const TRANSMIT_EMPTY: u8 = 1 << 5;
/// Interrupt enable: received data.
const RECEIVE_INTERRUPT: u8 = 1;
/// Interrupt enable: the transmit queue is empty. It comes at once if the queue is.
const TRANSMIT_INTERRUPT: u8 = 1 << 1;
/// Ends a row.
const NEXT_ROW: &[u8] = b"\r\n";
/// To the start of the row, and nothing to the right of it.
const ERASE_ROW: &[u8] = b"\r\x1b[K";
/// Polls after which the port counts as stuck: 100 times what a queue takes at 115,200 baud on a slow bus.
const MAX_POLLS: u32 = 200_000;
/// How long to wait for another CPU to finish its piece, in ticks of the time stamp counter: about a second.
const TIMEOUT: u64 = 3_000_000_000;
/// What one look at the counter may add to the wait. A machine that its host stopped for a while sees the counter leap,
/// and the CPU that is waited for was stopped with it.
const LEAP: u64 = TIMEOUT / 1000;

const NOBODY: u32 = 0;
/// Who is sending: [`NOBODY`] or a number for the CPU plus one.
static SENDER: AtomicU32 = AtomicU32::new(NOBODY);
static ABSENT: AtomicBool = AtomicBool::new(false);
/// Whether the port took nothing when it was last waited for. Until it takes something again, it is not waited for.
static STUCK: AtomicBool = AtomicBool::new(false);
/// Whether the last byte that was sent ended a row.
static AT_START: AtomicBool = AtomicBool::new(true);
/// Whether the row with the cursor can be drawn again by its writer.
static ERASABLE: AtomicBool = AtomicBool::new(false);
/// Whether the driver has asked for interrupts.
static DRIVEN: AtomicBool = AtomicBool::new(false);
/// Whether text was sent since the driver looked.
static TEXT_SENT: AtomicBool = AtomicBool::new(false);

/// Sets the port to 115,200 baud, 8 bits, no parity, and finds out whether it is there.
pub fn init() {
    let mut scratch = Port::<u8>::new(BASE + 7);
    // SAFETY: the ports of the first serial port, whose only driver is this cell.
    unsafe {
        scratch.write(0x5a);
        ABSENT.store(scratch.read() != 0x5a, Ordering::Relaxed);
        for (offset, value) in [
            (1, 0x00), // no interrupts
            (3, 0x80), // the next two bytes are the divisor
            (0, 0x01), // 115,200 baud
            (1, 0x00),
            (3, 0x03), // 8 bits, no parity, one stop bit
            (2, 0xc7), // queues on and empty, receive threshold 14 bytes
            (4, 0x0b), // ready, and interrupts reach the controller
        ] {
            PortWriteOnly::<u8>::new(BASE + offset).write(value);
        }
    }
}

/// Whether the machine has the port.
pub fn is_present() -> bool {
    !ABSENT.load(Ordering::Relaxed)
}

/// Sends bytes as they are, in one piece; how many, which is fewer than there are only if the port is stuck.
#[must_use]
pub fn write_bytes(bytes: &[u8]) -> usize {
    in_one_piece(|| bytes.iter().take_while(|byte| send(**byte)).count()).unwrap_or(bytes.len())
}

/// Sends text in one piece and on a row of its own, each line feed as carriage return and line feed, as terminals want it. Of
/// text that meets a stuck port the rest is dropped.
pub fn write_text(text: &[u8]) {
    let send_text = |byte: u8| (byte != b'\n' || send(b'\r')) && send(byte);
    let _sent = in_one_piece(|| {
        let before: &[u8] = match (AT_START.load(Ordering::Relaxed), ERASABLE.swap(false, Ordering::Relaxed)) {
            (true, _) => &[],
            (false, true) => ERASE_ROW,
            (false, false) => NEXT_ROW,
        };
        let sent = before.iter().all(|byte| send(*byte)) && text.iter().all(|byte| send_text(*byte));
        if DRIVEN.load(Ordering::Relaxed) {
            TEXT_SENT.store(true, Ordering::SeqCst);
            enable(RECEIVE_INTERRUPT | TRANSMIT_INTERRUPT);
        }
        sent
    });
}

/// Says whether the row with the cursor is one that the driver can draw again, so that text may take its place.
pub fn set_erasable(erasable: bool) {
    ERASABLE.store(erasable, Ordering::Relaxed);
}

/// Whether text was sent since this was last asked. For the interrupt handler: the port does not interrupt again for that
/// text.
#[must_use]
pub fn text_was_sent() -> bool {
    // First the port, then the flag: text that comes in between interrupts once more.
    enable(RECEIVE_INTERRUPT);
    TEXT_SENT.swap(false, Ordering::SeqCst)
}

/// The number by which a CPU is known here: its APIC number from the processor itself, so that this works before
/// anything is set up.
fn this_cpu() -> u32 {
    // CPUID leaf 1 exists on every x86_64 processor.
    (core::arch::x86_64::__cpuid(1).ebx >> 24) + 1
}

/// Does `work` with the port, if there is one.
fn in_one_piece<R>(work: impl FnOnce() -> R) -> Option<R> {
    if ABSENT.load(Ordering::Relaxed) {
        return None;
    }
    interrupts::without_interrupts(|| {
        let me = this_cpu();
        let taken = take_turn(me);
        let result = work();
        if taken {
            // If it took so long that another CPU took the turn, the turn is the other's to give up.
            let _ = SENDER.compare_exchange(me, NOBODY, Ordering::Release, Ordering::Relaxed);
        }
        Some(result)
    })
}

/// Waits for the turn to send. False if the caller breaks into its own piece, which then goes on.
fn take_turn(me: u32) -> bool {
    let ticks = || {
        // SAFETY: every x86_64 processor has the instruction.
        unsafe { _rdtsc() }
    };
    let (mut waited, mut before) = (0, ticks());
    loop {
        match SENDER.compare_exchange_weak(NOBODY, me, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => return true,
            Err(sender) if sender == me => return false,
            Err(_) if waited > TIMEOUT => {
                SENDER.store(me, Ordering::Relaxed);
                return true;
            }
            Err(_) => hint::spin_loop(),
        }
        let now = ticks();
        waited += now.saturating_sub(before).min(LEAP);
        before = now;
    }
}

fn line_status() -> u8 {
    // SAFETY: the port's own register; reading it clears error flags that nobody looks at.
    unsafe { PortReadOnly::<u8>::new(BASE + 5).read() }
}

/// Sends one byte; false if the port is stuck.
fn send(byte: u8) -> bool {
    let polls = if STUCK.load(Ordering::Relaxed) { 1 } else { MAX_POLLS };
    for _ in 0..polls {
        if line_status() & TRANSMIT_EMPTY != 0 {
            // SAFETY: the port's own register, and its queue has room.
            unsafe { PortWriteOnly::<u8>::new(BASE).write(byte) };
            STUCK.store(false, Ordering::Relaxed);
            AT_START.store(byte == b'\n', Ordering::Relaxed);
            return true;
        }
        hint::spin_loop();
    }
    STUCK.store(true, Ordering::Relaxed);
    false
}

/// Lets the port interrupt (by [`SERIAL_IRQ`]) when bytes have come, and after text.
pub fn enable_interrupts() {
    DRIVEN.store(true, Ordering::Relaxed);
    enable(RECEIVE_INTERRUPT);
}

/// Chooses the interrupts of the port.
fn enable(interrupts: u8) {
    // SAFETY: the port's own register; the console has registered a handler before it asked for interrupts.
    unsafe { PortWriteOnly::<u8>::new(BASE + 1).write(interrupts) };
}

/// Takes a byte that has come, if there is one. For one caller at a time.
pub fn receive() -> Option<u8> {
    if ABSENT.load(Ordering::Relaxed) {
        return None;
    }
    // SAFETY: the port's own register; reading it takes the byte out of the queue.
    (line_status() & DATA_READY != 0).then(|| unsafe { PortReadOnly::<u8>::new(BASE).read() })
}
