//! Has a thread local with a destructor that makes its value anew, each time.
//!
//! Ends: returns. A bounded number of destructors run at the end of a task.

use application::{Environment, Failure};

struct Again;

impl Drop for Again {
    fn drop(&mut self) {
        AGAIN.with(|_| ());
    }
}

thread_locals::thread_local! {
    static AGAIN: Again = Again;
}

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    AGAIN.with(|_| ());
    crate::harmless(environment, "the value will be made anew")
}
