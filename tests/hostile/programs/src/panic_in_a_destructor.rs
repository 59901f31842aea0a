//! Panics in the destructors that run because of a panic, three deep.
//!
//! Ends: panics. Each destructor is cut off at its panic, and the next one runs.

use application::{Environment, Failure};

struct PanicsAgain(u32);

impl Drop for PanicsAgain {
    fn drop(&mut self) {
        let _deeper = (self.0 > 0).then(|| PanicsAgain(self.0 - 1));
        panic!("in a destructor");
    }
}

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let _guards = [PanicsAgain(3), PanicsAgain(3)];
    crate::harmless(environment, "about to panic")?;
    panic!("with destructors that panic");
}
