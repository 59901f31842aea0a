//! Output in bursts: several lines in one turn of the port, for those who print much.
use console_state::{SENDING, SENDING_SIZE, TRANSMIT, WRITABLE};
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

/// Sends a burst of what waits: what a screen shows. Several lines are sent in one piece, so lines of the kernel's log come
/// between bursts instead of between lines.
pub fn transmit() -> Sent {
    // From before bytes are taken out until they are sent or kept and the writers have been woken: a driver that is ended
    // or fails loses none of them.
    let quiet = InterruptGuard::new();
    let mut sending = SENDING.lock_quiet(&quiet);
    let mut burst = [0; SENDING_SIZE];
    let mut count = sending.pop_into(&mut burst);
    if count == 0 {
        count = collect(&mut burst, &quiet);
    }
    let Some(bytes @ [_, ..]) = burst.get(..count) else { return Sent::Nothing };
    let rest = bytes.get(serial_port::write_bytes(bytes)..).unwrap_or_default();
    // There is room: they were taken out of this queue, or of the other while this one was empty.
    let _kept = sending.push_all(rest);
    drop(sending);
    WRITABLE.wake_all();
    if rest.is_empty() { Sent::All } else { Sent::Stuck }
}

/// Takes whole lines as long as they fit; of a longer one, what fits.
fn collect(burst: &mut [u8], quiet: &InterruptGuard) -> usize {
    let mut queue = TRANSMIT.lock_quiet(quiet);
    let mut count = 0;
    while let Some(rest @ [_, ..]) = burst.get_mut(count..) {
        match queue.pop_line(rest) {
            0 => break,
            more => count += more,
        }
    }
    count
}
