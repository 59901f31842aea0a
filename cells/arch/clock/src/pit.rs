//! The interval timer (8254), used once: to measure how fast the time stamp counter ticks.

use x86_64::instructions::port::Port;

use crate::now;

/// The timer's counts per second: a third of the colour burst frequency, in every PC since 1981.
const PIT_RATE: u64 = 1_193_182;

/// How long to measure, in timer ticks: 10 ms. Reading the counter costs about a microsecond, so the error is
/// around a ten-thousandth.
const SPAN: u16 = 11_932;

/// Attempts to read a pair of counters closely together; one is enough unless a hypervisor interrupts it.
const ATTEMPTS: usize = 8;

/// Measurements that may be spoiled by a hypervisor that stops the machine for longer than the timer counts down.
const MEASUREMENTS: usize = 16;

/// Polls after which the timer counts as dead: far more than 10 ms take.
const MAX_POLLS: u32 = 1_000_000;

const CHANNEL_2: u16 = 0x42;
const COMMAND: u16 = 0x43;
const GATE: u16 = 0x61;

/// Channel 2, both bytes, mode 0 (count down once), binary.
const COMMAND_COUNT_DOWN: u8 = 0b1011_0000;
/// Channel 2 has counted down to zero since it was started. It goes on counting from the top, so that its value says
/// nothing any more.
const COUNTED_DOWN: u8 = 1 << 5;
/// Latch the count of channel 2.
const COMMAND_LATCH: u8 = 0b1000_0000;

struct Reading {
    ticks: u64,
    count: u16,
    /// How long the reading took: its uncertainty.
    width: u64,
}

/// Ticks of the time stamp counter per second; `None` if the timer does not count.
pub(crate) fn measure_rate() -> Option<u64> {
    for _ in 0..MEASUREMENTS {
        let rate = measure_once()?;
        if !has_counted_down() {
            // A rate outside these bounds is no processor's, but a timer's fault.
            return (50_000_000..18_000_000_000).contains(&rate).then_some(rate);
        }
    }
    None
}

/// One measurement, to be believed if the timer has not counted down at its end.
fn measure_once() -> Option<u64> {
    start();
    let first = best_reading();
    let mut polls = 0;
    while first.count.wrapping_sub(latched_count()) < SPAN {
        polls += 1;
        if polls == MAX_POLLS {
            return None;
        }
    }
    let last = best_reading();
    let counted = u64::from(first.count.wrapping_sub(last.count));
    // Nothing counted: the timer stands, or has come round to the same value.
    last.ticks.saturating_sub(first.ticks).checked_mul(PIT_RATE)?.checked_div(counted.max(1))
}

fn has_counted_down() -> bool {
    // SAFETY: as in `start`; reading the gate changes nothing.
    unsafe { Port::<u8>::new(GATE).read() & COUNTED_DOWN != 0 }
}

/// Lets channel 2 count down from its largest value (55 ms), with the speaker off.
fn start() {
    let (mut gate, mut command, mut data) =
        (Port::<u8>::new(GATE), Port::<u8>::new(COMMAND), Port::<u8>::new(CHANNEL_2));
    // SAFETY: these ports belong to the timer and its gate on every PC; no other code uses channel 2.
    unsafe {
        let other_bits = gate.read() & !0b11;
        gate.write(other_bits | 1);
        command.write(COMMAND_COUNT_DOWN);
        data.write(0xff);
        data.write(0xff);
    }
}

fn latched_count() -> u16 {
    let (mut command, mut data) = (Port::<u8>::new(COMMAND), Port::<u8>::new(CHANNEL_2));
    // SAFETY: as above; a latch followed by two reads gives low and high byte.
    unsafe {
        command.write(COMMAND_LATCH);
        u16::from_le_bytes([data.read(), data.read()])
    }
}

fn best_reading() -> Reading {
    let mut best = Reading { ticks: 0, count: 0, width: u64::MAX };
    for _ in 0..ATTEMPTS {
        let before = now().ticks;
        let count = latched_count();
        let width = now().ticks.saturating_sub(before);
        if width < best.width {
            best = Reading { ticks: before + width / 2, count, width };
        }
    }
    best
}
