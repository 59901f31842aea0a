//! Single keys, for an application that shows more than lines.
use crate::size;
use application::{Size, Terminal};
use console_state::READABLE;
use core::sync::atomic::{AtomicBool, Ordering};
use wait_queue::wait_for;

/// Whether a key is waited for: then the editors of lines leave the keys alone.
static CLAIMED: AtomicBool = AtomicBool::new(false);

/// Whether keys are for an application, and not for a line.
pub(crate) fn are_claimed() -> bool {
    CLAIMED.load(Ordering::Relaxed)
}

/// The terminal for one application.
#[derive(Default)]
pub struct Keys(());

impl Keys {
    /// Keys that are not claimed yet.
    pub const fn new() -> Self {
        Self(())
    }
}

/// While this lives, the keys are claimed.
struct Claim;

impl Claim {
    fn new() -> Self {
        CLAIMED.store(true, Ordering::Relaxed);
        Self
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        CLAIMED.store(false, Ordering::Relaxed);
        // An editor may have passed over a byte that is for it.
        READABLE.wake_all();
    }
}

impl Terminal for Keys {
    fn size(&self) -> Size {
        size::size()
    }

    fn read_key(&mut self) -> u8 {
        let _claim = Claim::new();
        let mut byte = [0];
        wait_for(&READABLE, || (console::try_read(&mut byte) > 0).then_some(()));
        byte[0]
    }
}
