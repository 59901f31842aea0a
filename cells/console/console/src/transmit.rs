//! To the port.
use crate::turn::{TURN, collect};
use console_state::{SENDING, TRANSMIT, WRITABLE};
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

/// Sends a turn's worth of what waits, in one piece.
pub fn transmit() -> Sent {
    // From before bytes are taken out until they are sent or kept and the writers have been woken: a driver that is ended
    // or fails loses none of them.
    let irq_off = InterruptGuard::new();
    let mut sending = SENDING.lock_irq_off(&irq_off);
    let mut turn = [0; TURN];
    let mut count = sending.pop_into(&mut turn);
    if count == 0 {
        count = collect(&mut turn, &irq_off);
    }
    let Some(bytes @ [_, ..]) = turn.get(..count) else { return Sent::Nothing };
    let rest = bytes.get(serial_port::write_bytes(bytes)..).unwrap_or_default();
    // There is room: they were taken out of this queue, or of the other while this one was empty.
    let _kept = sending.push_all(rest);
    drop(sending);
    serial_port::set_erasable(rest.is_empty() && TRANSMIT.lock_irq_off(&irq_off).is_line_shown());
    WRITABLE.wake_all();
    if rest.is_empty() { Sent::All } else { Sent::Stuck }
}
