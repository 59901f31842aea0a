//! `sleep SECONDS` waits, for parts of a second, too.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};
use core::time::Duration;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let [word] = &*environment.arguments() else { return Err(manual::SLEEP.usage.into()) };
    task::sleep(duration(word).ok_or(manual::SLEEP.usage)?);
    Ok(())
}

/// The time that a number such as `1.25` means, to the millisecond.
fn duration(word: &str) -> Option<Duration> {
    let (whole, part) = word.split_once('.').unwrap_or((word, "0"));
    let digits = part.get(..part.len().min(3))?;
    if !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let milliseconds = digits.parse::<u64>().ok()? * [1000, 100, 10, 1].get(digits.len())?;
    Some(Duration::from_secs(whole.parse::<u32>().ok()?.into()) + Duration::from_millis(milliseconds))
}

#[cfg(test)]
mod tests {
    use super::duration;
    use core::time::Duration;

    #[test]
    fn times() {
        let times = ["2", "0.5", "1.25", "0.0019"].map(duration);
        assert_eq!(times, [2000, 500, 1250, 1].map(|time| Some(Duration::from_millis(time))));
        assert!(["", ".", "1.", "-1", "1.x", "x", "1.2.3"].iter().all(|word| duration(word).is_none()));
    }
}
