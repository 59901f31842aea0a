//! Takes every reader's place of a lock and leaks the guards, then asks for one more and to write.
//!
//! Ends: killed. Another task that wants to write waits for as long as this one lives, and goes on when it has ended.

use alloc::sync::Arc;
use core::mem;

use application::{Environment, Failure};
use rwlock::{MAX_READERS, RwLock};

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let lock = Arc::new(RwLock::new(0_u32));
    for _ in 0..MAX_READERS {
        mem::forget(lock.read());
    }
    let shared = Arc::clone(&lock);
    let writer = task::spawn("hostile_writer", move || {
        if let Ok(mut value) = shared.write() {
            *value += 1;
        }
    });
    writer.map_err(Failure::refused)?.detach();
    let _more = lock.read();
    crate::expect(false, "there were more readers than places")?;
    crate::harmless(environment, "no reader too many")
}
