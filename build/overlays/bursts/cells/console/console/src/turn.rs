//! Output in bursts: several lines in one turn of the port, for those who print much.
//!
//! Several lines are sent in one piece, so lines of the kernel's log come between bursts instead of between lines.
use console_state::{SENDING_SIZE, TRANSMIT};
use cpu_local::InterruptGuard;

/// Bytes of a turn, at most: what a screen shows.
pub(crate) const TURN: usize = SENDING_SIZE;

/// Takes out whole lines as long as they fit; of a longer one, what fits. How many bytes there were.
pub(crate) fn collect(turn: &mut [u8; TURN], irq_off: &InterruptGuard) -> usize {
    let mut queue = TRANSMIT.lock_irq_off(irq_off);
    let mut count = 0;
    while let Some(rest @ [_, ..]) = turn.get_mut(count..) {
        match queue.pop_line(rest) {
            0 => break,
            more => count += more,
        }
    }
    count
}
