//! Uses a thread local in its own initialiser.
//!
//! Ends: panics. The second use is refused, and the value stays absent.

use application::{Environment, Failure};

fn initial() -> u32 {
    if core::hint::black_box(true) { VALUE.get() + 1 } else { 0 }
}

thread_locals::thread_local! {
    static VALUE: u32 = initial();
}

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let value = VALUE.get();
    crate::expect(false, format_args!("the value is {value}"))?;
    crate::harmless(environment, "no value")
}
