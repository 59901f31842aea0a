//! `firmware` lists the files that the emulator gives to its guest, or writes one of them.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    match &*environment.arguments() {
        [] => {
            for file in firmware_config::files().map_err(Failure::refused)? {
                writeln!(environment, "{:>8} {}", file.size(), file.name())?;
            }
            Ok(())
        }
        [name] => {
            let contents = firmware_config::read(name).map_err(Failure::refused)?;
            Ok(environment.output().write(&contents)?)
        }
        _ => Err(manual::FIRMWARE.usage.into()),
    }
}
