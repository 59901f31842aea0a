//! The last 64 KiB of the log, kept as bytes with running positions.

use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use core::time::Duration;

use cpu_local::{InterruptGuard, cpu_id};

const SIZE: usize = 64 * 1024;

/// How long to wait for another CPU to finish its copy before taking its place: copying a line takes microseconds,
/// so that CPU has stopped.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Bytes with running positions: byte *n* of the log lies at *n* modulo the size until it is overwritten. Two users
/// at once mix up their bytes, and no more.
struct Ring<const N: usize> {
    bytes: [AtomicU8; N],
    end: AtomicU64,
}

impl<const N: usize> Ring<N> {
    const fn new() -> Self {
        Self { bytes: [const { AtomicU8::new(0) }; N], end: AtomicU64::new(0) }
    }

    fn append(&self, text: &[u8]) {
        let start = self.end.load(Ordering::Relaxed);
        for (position, &byte) in (start..).zip(text) {
            self.byte(position).store(byte, Ordering::Relaxed);
        }
        self.end.store(start + text.len() as u64, Ordering::Relaxed);
    }

    /// Copies from position `from` on; gives the number of bytes and the position after them. If `from` has been
    /// overwritten, starts at the first whole line that is left.
    fn read(&self, from: u64, buffer: &mut [u8]) -> (usize, u64) {
        let end = self.end.load(Ordering::Relaxed);
        let oldest = end.saturating_sub(N as u64);
        let mut position = from.clamp(oldest, end);
        if from < oldest {
            while position < end && self.byte(position).load(Ordering::Relaxed) != b'\n' {
                position += 1;
            }
            position = (position + 1).min(end);
        }
        let mut count = 0;
        for (byte, source) in buffer.iter_mut().zip(position..end) {
            *byte = self.byte(source).load(Ordering::Relaxed);
            count += 1;
        }
        (count, position + count as u64)
    }

    #[expect(clippy::cast_possible_truncation, reason = "below N")]
    fn byte(&self, position: u64) -> &AtomicU8 {
        &self.bytes[(position % N as u64) as usize]
    }
}

struct Shared {
    /// The CPU that copies: zero, or its number plus one.
    holder: AtomicU32,
    ring: Ring<SIZE>,
}

static LOG: Shared = Shared { holder: AtomicU32::new(0), ring: Ring::new() };

/// Lets `work` have the ring. `None` if this CPU has it already: a fault while copying; the message of that fault then
/// goes to the serial port only.
fn exclusively<R>(work: impl FnOnce(&Ring<SIZE>) -> R) -> Option<R> {
    let _undisturbed = InterruptGuard::new();
    let me = cpu_id().number() + 1;
    let mut holder = 0;
    let take = || match LOG.holder.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed) {
        Ok(_) => true,
        Err(other) => {
            holder = other;
            other == me
        }
    };
    let taken = clock::spin_until(TIMEOUT, take);
    if holder == me {
        return None;
    }
    if !taken {
        LOG.holder.store(me, Ordering::Relaxed);
    }
    let result = work(&LOG.ring);
    // If this CPU was away for so long that another took its place, the place is the other's to give up.
    let _ = LOG.holder.compare_exchange(me, 0, Ordering::Release, Ordering::Relaxed);
    Some(result)
}

/// Adds a line.
pub(crate) fn append(line: &[u8]) {
    exclusively(|ring| ring.append(line));
}

/// Copies the log from position `from` (0 at boot) into `buffer`; gives the number of bytes copied and the position
/// at which to go on. The overwritten part is left out, up to a whole line.
pub fn read(from: u64, buffer: &mut [u8]) -> (usize, u64) {
    exclusively(|ring| ring.read(from, buffer)).unwrap_or((0, from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_in_parts() {
        let ring = Ring::<32>::new();
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
        let ring = Ring::<16>::new();
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
