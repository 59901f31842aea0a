//! The last 64 KiB of the log, kept as bytes with running positions.

use core::cell::UnsafeCell;
use core::hint;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use cpu_local::{InterruptGuard, cpu_id};

const SIZE: usize = 64 * 1024;

/// How long to wait for another CPU to finish its copy before taking its place: copying a line takes microseconds,
/// so that CPU has stopped.
const PATIENCE: Duration = Duration::from_secs(1);

/// Bytes with running positions: byte *n* of the log lies at *n* modulo the size until it is overwritten.
struct Ring<const N: usize> {
    bytes: [u8; N],
    end: u64,
}

impl<const N: usize> Ring<N> {
    const fn new() -> Self {
        Self { bytes: [0; N], end: 0 }
    }

    fn append(&mut self, text: &[u8]) {
        for &byte in text {
            self.bytes[Self::place(self.end)] = byte;
            self.end += 1;
        }
    }

    /// Copies from position `from` on; gives the number of bytes and the position after them. If `from` has been
    /// overwritten, starts at the first whole line that is left.
    fn read(&self, from: u64, buffer: &mut [u8]) -> (usize, u64) {
        let oldest = self.end.saturating_sub(N as u64);
        let mut position = from.clamp(oldest, self.end);
        if from < oldest {
            while position < self.end && self.bytes[Self::place(position)] != b'\n' {
                position += 1;
            }
            position = (position + 1).min(self.end);
        }
        let mut count = 0;
        for (byte, source) in buffer.iter_mut().zip(position..self.end) {
            *byte = self.bytes[Self::place(source)];
            count += 1;
        }
        (count, position + count as u64)
    }

    #[expect(clippy::cast_possible_truncation, reason = "below N")]
    fn place(position: u64) -> usize {
        (position % N as u64) as usize
    }
}

struct Shared {
    /// Who copies: zero, or the number of a CPU plus one.
    holder: AtomicU32,
    ring: UnsafeCell<Ring<SIZE>>,
}

// SAFETY: `exclusively` gives the ring to one CPU at a time.
unsafe impl Sync for Shared {}

static LOG: Shared = Shared { holder: AtomicU32::new(0), ring: UnsafeCell::new(Ring::new()) };

/// Lets `work` have the ring. `None` if this CPU has it already: a fault while copying, whose message then goes to
/// the serial port only.
fn exclusively<R>(work: impl FnOnce(&mut Ring<SIZE>) -> R) -> Option<R> {
    let _undisturbed = InterruptGuard::new();
    let me = cpu_id().number() + 1;
    let start = clock::now();
    while let Err(holder) = LOG.holder.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed) {
        if holder == me {
            return None;
        }
        if start.elapsed() > PATIENCE {
            LOG.holder.store(me, Ordering::Relaxed);
            break;
        }
        hint::spin_loop();
    }
    // SAFETY: `holder` names this CPU, and interrupts are off. A CPU whose place was taken has stopped; should it go
    // on all the same, both write plain bytes into the ring, and positions stay below the size by `place`.
    let result = work(unsafe { &mut *LOG.ring.get() });
    LOG.holder.store(0, Ordering::Release);
    Some(result)
}

/// Adds a line.
pub(crate) fn append(line: &[u8]) {
    exclusively(|ring| ring.append(line));
}

/// Copies the log from position `from` (0 at boot) into `buffer`; gives the number of bytes copied and the position
/// at which to go on. What has been overwritten is left out, up to a whole line.
pub fn read(from: u64, buffer: &mut [u8]) -> (usize, u64) {
    exclusively(|ring| ring.read(from, buffer)).unwrap_or((0, from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_in_parts() {
        let mut ring = Ring::<32>::new();
        ring.append(b"one\ntwo\n");
        let mut buffer = [0; 5];
        let (count, next) = ring.read(0, &mut buffer);
        assert_eq!(&buffer[..count], b"one\nt");
        let (count, next) = ring.read(next, &mut buffer);
        assert_eq!(&buffer[..count], b"wo\n");
        assert_eq!(ring.read(next, &mut buffer), (0, 8));
    }

    #[test]
    fn reading_what_is_gone_starts_at_a_whole_line() {
        let mut ring = Ring::<16>::new();
        ring.append(b"first line\nsecond\nthird\n");
        let mut buffer = [0; 16];
        let (count, next) = ring.read(0, &mut buffer);
        assert_eq!(&buffer[..count], b"second\nthird\n");
        assert_eq!(next, 24);
    }

    #[test]
    fn a_position_beyond_the_end_reads_nothing() {
        let ring = Ring::<16>::new();
        assert_eq!(ring.read(99, &mut [0; 4]), (0, 0));
    }
}
