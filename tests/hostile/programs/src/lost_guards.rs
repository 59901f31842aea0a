//! Forgets the guards of more locks than a ledger has places for, and frees the locks.
//!
//! Ends: returns. The end of the task looks at none of the freed locks.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use application::{Environment, Failure};
use mutex::Mutex;
use rwlock::RwLock;

const LOCKS: usize = 100;

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    for _ in 0..LOCKS {
        let (mutex, read, written) = (Box::new(Mutex::new(1)), Box::new(RwLock::new(2)), Box::new(RwLock::new(3)));
        mem::forget(mutex.lock());
        mem::forget(read.read());
        mem::forget(written.write());
        drop((mutex, read, written));
        // Other bytes come to where the locks were.
        let _filler: Vec<u8> = alloc::vec![0xa5; 256];
    }
    crate::harmless(environment, format_args!("{LOCKS} guards of each kind were forgotten"))
}
