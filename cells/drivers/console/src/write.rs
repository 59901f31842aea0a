//! From the writers and the editor of a line to the queue.
use console_state::{READABLE, SENDING, TRANSMIT, TRANSMIT_SIZE, WORK};
use cpu_local::InterruptGuard;
use output_queue::{Outcome, Outgoing};

/// Whether bytes wait for the port.
pub fn has_output() -> bool {
    !TRANSMIT.lock().is_empty() || !SENDING.lock().is_empty()
}

/// Whether the line that the user is typing was erased, and is to be drawn by its editor.
pub fn line_is_erased() -> bool {
    TRANSMIT.lock().is_erased()
}

/// Takes all of `bytes` for output, or says that there is no room for them now. A line that the user is typing is erased
/// first, and its editor is woken. With `fresh`, they begin on a line of their own.
#[must_use]
pub fn try_write(bytes: &[u8], fresh: bool) -> bool {
    submit(|output_queue| output_queue.write(bytes, fresh)) != Outcome::NoRoom
}

/// Takes a line that the user is typing, whole and with its prompt.
pub fn try_draw(bytes: &[u8]) -> Outcome {
    submit(|output_queue| output_queue.draw(bytes))
}

/// Takes a change of the line, if that is still there.
pub fn try_change(bytes: &[u8]) -> Outcome {
    submit(|output_queue| output_queue.change(bytes))
}

/// Takes the end of the line, if that is still there. After it there is none.
pub fn try_finish(bytes: &[u8]) -> Outcome {
    submit(|output_queue| output_queue.finish(bytes))
}

/// Takes the last word about a line that is given up.
pub fn try_give_up(bytes: &[u8]) -> Outcome {
    submit(|output_queue| output_queue.give_up(bytes))
}

/// Hands something to the queue and wakes the tasks that it concerns.
fn submit(give: impl FnOnce(&mut Outgoing<TRANSMIT_SIZE>) -> Outcome) -> Outcome {
    // Until all have been woken: a task that is ended in between would leave its last words in the queue, or the line erased.
    let irq_off = InterruptGuard::new();
    let outcome = give(&mut TRANSMIT.lock_irq_off(&irq_off));
    if matches!(outcome, Outcome::Taken | Outcome::TakenAndErased) {
        WORK.wake_all();
    }
    if outcome == Outcome::TakenAndErased {
        READABLE.wake_all();
    }
    outcome
}
