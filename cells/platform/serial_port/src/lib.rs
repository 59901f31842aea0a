//! The first serial port (16550), sending by polling: the output that works from the first instruction on.
//!
//! Guarantees, to the log and the console: the bytes of one call of [`write_text`] or [`write_bytes`] come out in one
//! piece, for every CPU, interrupt or fault handler that calls; and no call waits for ever. Text that a CPU sends while
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
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};

use port_registers::{ReadOnly, ReadWrite, WriteOnly};
use tock_registers::interfaces::{Readable, Writeable};
use tock_registers::register_bitfields;
use x86_64::instructions::interrupts;

register_bitfields![u8,
    /// The interrupts that the port may send (8.7).
    InterruptEnable [
        /// Bytes have been received.
        RECEIVED OFFSET(0) NUMBITS(1) [],
        /// The transmit queue is empty. It comes at once if the queue is.
        TRANSMIT_EMPTY OFFSET(1) NUMBITS(1) [],
    ],
    /// The queues (8.5).
    QueueControl [
        ENABLE OFFSET(0) NUMBITS(1) [],
        CLEAR_RECEIVED OFFSET(1) NUMBITS(1) [],
        CLEAR_TRANSMIT OFFSET(2) NUMBITS(1) [],
        /// The received bytes that send an interrupt at once; fewer do after a pause.
        THRESHOLD OFFSET(6) NUMBITS(2) [Fourteen = 3],
    ],
    /// The form of a byte on the line (8.1).
    LineControl [
        LENGTH OFFSET(0) NUMBITS(2) [Eight = 3],
        /// The first two registers are the divisor of the clock.
        DIVISOR OFFSET(7) NUMBITS(1) [],
    ],
    /// The lines to the other end (8.8).
    ModemControl [
        TERMINAL_READY OFFSET(0) NUMBITS(1) [],
        REQUEST_TO_SEND OFFSET(1) NUMBITS(1) [],
        /// "OUT 2": on a PC, interrupts reach the controller.
        INTERRUPT OFFSET(3) NUMBITS(1) [],
    ],
    /// The state of the queues (8.4).
    LineStatus [
        DATA_READY OFFSET(0) NUMBITS(1) [],
        TRANSMIT_EMPTY OFFSET(5) NUMBITS(1) [],
    ],
];

/// The registers. Source: PC16550D datasheet, table II; the sections are those of the fields above.
struct Registers {
    data: ReadWrite<u8>,
    interrupt_enable: WriteOnly<u8, InterruptEnable::Register>,
    queue_control: WriteOnly<u8, QueueControl::Register>,
    line_control: WriteOnly<u8, LineControl::Register>,
    modem_control: WriteOnly<u8, ModemControl::Register>,
    line_status: ReadOnly<u8, LineStatus::Register>,
    scratch: ReadWrite<u8>,
}

const BASE: u16 = 0x3f8;

// SAFETY: the registers of the first serial port, and this cell is its only driver; the registers reach no memory.
static PORT: Registers = unsafe {
    Registers {
        data: ReadWrite::new(BASE),
        interrupt_enable: WriteOnly::new(BASE + 1),
        queue_control: WriteOnly::new(BASE + 2),
        line_control: WriteOnly::new(BASE + 3),
        modem_control: WriteOnly::new(BASE + 4),
        line_status: ReadOnly::new(BASE + 5),
        scratch: ReadWrite::new(BASE + 7),
    }
};

/// The ISA interrupt of the first serial port.
pub const SERIAL_IRQ: u8 = 4;

/// Ends a row.
const NEXT_ROW: &[u8] = b"\r\n";
/// To the start of the row, and nothing to the right of it.
const ERASE_ROW: &[u8] = b"\r\x1b[K";
/// Polls after which the port counts as stuck: 100 times what a queue takes at 115,200 baud on a slow bus.
const MAX_POLLS: u32 = 200_000;
/// How long to wait for another CPU to finish its piece, in ticks of the time stamp counter: about a second.
const TIMEOUT: u64 = 3_000_000_000;
/// The most that one look at the counter adds to the wait. A machine that its host stopped for a while sees the counter leap,
/// and the CPU that is waited for was stopped with it.
const LEAP: u64 = TIMEOUT / 1000;

const NONE: u32 = 0;
/// The CPU that is sending: its number plus one, or [`NONE`].
static SENDER: AtomicU32 = AtomicU32::new(NONE);
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

/// Bytes that may come before the port's queues are on: as many as an emulator hands over at once.
const MAX_EARLY: usize = 64;
/// Looks in a row that find no byte when the other end pauses: about a millisecond, in which the line carries ten bytes.
const PAUSE: u32 = 1000;
/// The bytes that came before the port's queues were on.
static EARLY: [AtomicU8; MAX_EARLY] = [const { AtomicU8::new(0) }; MAX_EARLY];
/// The number of them, and of those that [`receive`] has given out.
static EARLY_COUNT: AtomicUsize = AtomicUsize::new(0);
static EARLY_GIVEN: AtomicUsize = AtomicUsize::new(0);

/// Sets the port to 115,200 baud, 8 bits, no parity, and finds out whether it is there. Bytes that were typed before are kept
/// for [`receive`]: switching the queues on empties them (PC16550D datasheet, 8.5).
pub fn init() {
    // A register without a purpose: it keeps its value where there is a port.
    PORT.scratch.set(0x5a);
    ABSENT.store(PORT.scratch.get() != 0x5a, Ordering::Relaxed);
    PORT.interrupt_enable.set(0);
    PORT.line_control.write(LineControl::DIVISOR::SET);
    // The divisor 1, in two halves: 115,200 baud.
    PORT.data.set(1);
    PORT.interrupt_enable.set(0);
    PORT.line_control.write(LineControl::LENGTH::Eight);
    let on = QueueControl::ENABLE::SET
        + QueueControl::CLEAR_RECEIVED::SET
        + QueueControl::CLEAR_TRANSMIT::SET
        + QueueControl::THRESHOLD::Fourteen;
    keep_early();
    PORT.queue_control.write(on);
    PORT.modem_control
        .write(ModemControl::TERMINAL_READY::SET + ModemControl::REQUEST_TO_SEND::SET + ModemControl::INTERRUPT::SET);
}

/// Takes the bytes that have come while the port holds one at a time, until none has come for a while. A byte that the other end
/// has ready follows the one before at once, so none is lost between the last look and the change of the queues.
fn keep_early() {
    let (mut count, mut empty) = (0, 0);
    while let Some(place) = EARLY.get(count).filter(|_| is_present() && empty < PAUSE) {
        if PORT.line_status.is_set(LineStatus::DATA_READY) {
            place.store(PORT.data.get(), Ordering::Relaxed);
            (count, empty) = (count + 1, 0);
        } else {
            empty += 1;
        }
    }
    EARLY_COUNT.store(count, Ordering::Relaxed);
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
            PORT.interrupt_enable.write(InterruptEnable::RECEIVED::SET + InterruptEnable::TRANSMIT_EMPTY::SET);
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
    PORT.interrupt_enable.write(InterruptEnable::RECEIVED::SET);
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
            let _ = SENDER.compare_exchange(me, NONE, Ordering::Release, Ordering::Relaxed);
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
        match SENDER.compare_exchange_weak(NONE, me, Ordering::Acquire, Ordering::Relaxed) {
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

/// Sends one byte; false if the port is stuck.
fn send(byte: u8) -> bool {
    let polls = if STUCK.load(Ordering::Relaxed) { 1 } else { MAX_POLLS };
    for _ in 0..polls {
        if PORT.line_status.is_set(LineStatus::TRANSMIT_EMPTY) {
            PORT.data.set(byte);
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
    PORT.interrupt_enable.write(InterruptEnable::RECEIVED::SET);
}

/// Takes a byte that has come, if there is one. For one caller at a time. Bytes that are left in the port stay there, and its
/// queue keeps the sender waiting where the line has flow control, as an emulator's has.
pub fn receive() -> Option<u8> {
    if ABSENT.load(Ordering::Relaxed) {
        return None;
    }
    let given = EARLY_GIVEN.load(Ordering::Relaxed);
    if given < EARLY_COUNT.load(Ordering::Relaxed) {
        EARLY_GIVEN.store(given + 1, Ordering::Relaxed);
        return EARLY.get(given).map(|early| early.load(Ordering::Relaxed));
    }
    // Reading the data takes the byte out of the queue.
    PORT.line_status.is_set(LineStatus::DATA_READY).then(|| PORT.data.get())
}
