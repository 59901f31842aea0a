//! To the port.
use console_state::{LINE, SENDING, TRANSMIT, WRITABLE};
use cpu_local::InterruptGuard;

/// What came of an attempt to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// There was nothing to send.
    Nothing,
    /// What was taken out has been sent.
    All,
    /// The port takes no more now; what is left is kept.
    Stuck,
}

/// Sends a line of what waits. A line is sent in one piece, so that no line of the kernel's log gets into it; the port
/// keeps interrupts off meanwhile, so longer ones are cut.
pub fn transmit() -> Sent {
    // From before bytes are taken out until they are sent or kept and the writers have been woken: a driver that is ended
    // or fails loses none of them.
    let quiet = InterruptGuard::new();
    let mut sending = SENDING.lock_quiet(&quiet);
    let mut line = [0; LINE];
    let mut count = sending.pop_into(&mut line);
    if count == 0 {
        count = TRANSMIT.lock_quiet(&quiet).pop_line(&mut line);
    }
    let Some(bytes @ [_, ..]) = line.get(..count) else { return Sent::Nothing };
    let rest = bytes.get(serial_port::write_bytes(bytes)..).unwrap_or_default();
    // There is room: they were taken out of this queue, or of the other while this one was empty.
    let _kept = sending.push_all(rest);
    drop(sending);
    WRITABLE.wake_all();
    if rest.is_empty() { Sent::All } else { Sent::Stuck }
}
