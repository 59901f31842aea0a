//! Output in bursts: several lines in one turn of the port, for those who print much.
use console_state::{TRANSMIT, WORK, WRITABLE};

/// The most that is sent in one turn: what a screen shows, in a stack frame of reasonable size. Several lines are sent
/// in one piece, so lines of the kernel's log come between bursts instead of between lines.
const CHUNK: usize = 1024;

/// Whether something waits for the port.
pub fn has_output() -> bool {
    !TRANSMIT.lock().is_empty()
}

/// Takes all of `bytes` for output, or says that there is no room for them now.
#[must_use]
pub fn try_write(bytes: &[u8]) -> bool {
    let taken = TRANSMIT.lock().push_all(bytes);
    if taken {
        WORK.wake_all();
    }
    taken
}

/// Sends a burst of what waits; whether there was anything.
pub fn transmit() -> bool {
    let mut chunk = [0; CHUNK];
    let count = collect(&mut chunk);
    let Some(bytes @ [_, ..]) = chunk.get(..count) else { return false };
    serial_port::write_bytes(bytes);
    WRITABLE.wake_all();
    true
}

/// Takes whole lines as long as they fit; of a longer one, what fits.
fn collect(burst: &mut [u8]) -> usize {
    let mut queue = TRANSMIT.lock();
    let mut count = 0;
    while let Some(rest @ [_, ..]) = burst.get_mut(count..) {
        match queue.pop_line(rest) {
            0 => break,
            more => count += more,
        }
    }
    count
}
