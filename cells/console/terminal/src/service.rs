//! The driver's task.
use crate::foreground;
use console::Sent;
use console_state::WORK;
use core::time::Duration;
use wait_queue::wait_for;

/// Lines sent in one turn, so that a flood of output does not keep Ctrl-C waiting.
const LINES_PER_TURN: usize = 8;

/// How long a port that is stuck is left alone.
const PAUSE: Duration = Duration::from_millis(10);

/// Serves the console for ever. Nothing is kept between two turns, so a supervisor may start it anew at any time.
pub fn serve() -> ! {
    loop {
        wait_for(&WORK, || console::has_work(foreground::is_occupied()).then_some(()));
        if console::receive(foreground::is_occupied()).interrupt {
            // Seen or not, the interrupt counts.
            let _shown = console::try_give_up(b"^C\r\n");
            foreground::interrupt();
        }
        for _ in 0..LINES_PER_TURN {
            match console::transmit() {
                Sent::All => {}
                Sent::Nothing => break,
                Sent::Stuck => {
                    task::sleep(PAUSE);
                    break;
                }
            }
        }
    }
}

/// Sends all that waits, in the caller's task: before the machine is turned off. Gives up if the port is stuck.
pub fn drain() {
    while console::transmit() == Sent::All {}
}
