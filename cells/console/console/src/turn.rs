//! What is sent in one turn of the port: a line, so that no line of the kernel's log gets into it. The port keeps interrupts
//! off meanwhile, so longer ones are cut.
use console_state::{LINE, TRANSMIT};
use cpu_local::InterruptGuard;

/// Bytes of a turn, at most.
pub(crate) const TURN: usize = LINE;

/// Takes out what is to be sent in one turn; how many bytes there were.
pub(crate) fn collect(turn: &mut [u8; TURN], irq_off: &InterruptGuard) -> usize {
    TRANSMIT.lock_irq_off(irq_off).pop_line(turn)
}
