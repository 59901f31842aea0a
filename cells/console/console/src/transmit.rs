//! From the writers to the port.
use console_state::{TRANSMIT, WORK, WRITABLE};

/// The most that is sent in one turn. A line is sent in one piece, so that no line of the kernel's log gets into it;
/// the port keeps interrupts off meanwhile, so longer ones are cut.
const CHUNK: usize = 256;

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

/// Sends a line of what waits; whether there was anything.
pub fn transmit() -> bool {
    let mut chunk = [0; CHUNK];
    let count = TRANSMIT.lock().pop_line(&mut chunk);
    let Some(bytes @ [_, ..]) = chunk.get(..count) else { return false };
    serial_port::write_bytes(bytes);
    WRITABLE.wake_all();
    true
}
