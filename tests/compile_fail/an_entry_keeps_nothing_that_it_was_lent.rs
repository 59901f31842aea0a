// expect: mismatched types
// The reference that an application's `main` is lent ends with the call: a `main` that wants to keep it has another type,
// which structural digests cannot tell from the right one, for lifetimes leave no trace in an object.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode};

fn main(environment: &'static mut Environment) -> ExitCode { //~ wrong
fn main(environment: &mut Environment) -> ExitCode { //~ right
    let _ = environment.name();
    ExitCode::SUCCESS
}

pub fn build() {
    launcher::MAIN.accepts(main); //~ wrong
    launcher::MAIN.accepts(main); //~ right
}
