//! Panics, and asks for the end of the task again in each destructor that runs because of that.
//!
//! Ends: exits. All destructors run, and the last cause counts.

use application::{Environment, Failure};

struct EndsAgain;

impl Drop for EndsAgain {
    fn drop(&mut self) {
        task::exit();
    }
}

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    let _guards = [EndsAgain, EndsAgain, EndsAgain];
    crate::harmless(environment, "about to panic")?;
    panic!("with three destructors that end the task");
}
