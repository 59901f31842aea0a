//! Holds all its locks and never lets go.
//!
//! Ends: killed. Its locks are its own: the system waits for none of them.

use core::time::Duration;

use application::{Environment, Failure};
use mutex::Mutex;
use rwlock::RwLock;

static MUTEX: Mutex<u32> = Mutex::new(0);
static LOCK: RwLock<u32> = RwLock::new(0);

pub(crate) fn run(_environment: &mut Environment) -> Result<(), Failure> {
    let (_held, _written) = (MUTEX.lock(), LOCK.write());
    loop {
        task::sleep(Duration::from_secs(600));
    }
}
