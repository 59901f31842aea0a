//! To the port.
use console_state::{LINE, SENDING, TRANSMIT, WRITABLE};
use cpu_local::InterruptGuard;

/// Bytes that are sent in one batch, at most: a line, so that no line of the kernel's log gets into it. The port keeps interrupts
/// off meanwhile, so a longer line is cut.
const BATCH: usize = LINE;

/// The result of an attempt to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// There was nothing to send.
    Nothing,
    /// The bytes that were taken out have been sent.
    All,
    /// The port takes no more now; the rest is kept.
    Stuck,
}

/// Sends a batch of the bytes that wait, in one piece.
pub fn transmit() -> Sent {
    // From before bytes are taken out until they are sent or kept and the writers have been woken: a driver that is ended
    // or fails loses none of them.
    let irq_off = InterruptGuard::new();
    let mut sending = SENDING.lock_irq_off(&irq_off);
    let mut batch = [0; BATCH];
    let mut count = sending.pop_into(&mut batch);
    if count == 0 {
        count = collect(&mut batch, &irq_off);
    }
    let Some(bytes @ [_, ..]) = batch.get(..count) else { return Sent::Nothing };
    let rest = bytes.get(serial_port::write_bytes(bytes)..).unwrap_or_default();
    // There is room: they were taken out of this queue, or of the other while this one was empty.
    let _kept = sending.push_all(rest);
    drop(sending);
    serial_port::set_erasable(rest.is_empty() && TRANSMIT.lock_irq_off(&irq_off).is_line_shown());
    WRITABLE.wake_all();
    if rest.is_empty() { Sent::All } else { Sent::Stuck }
}

/// Takes out the next batch; returns its length in bytes.
fn collect(batch: &mut [u8; BATCH], irq_off: &InterruptGuard) -> usize {
    TRANSMIT.lock_irq_off(irq_off).pop_line(batch)
}
