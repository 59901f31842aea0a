//! Drivers of devices beside the console.

use machine::{Configuration, Shell};

use crate::claim;
use crate::harness::{Batch, Check, Outcome, Places};
use crate::shell::{contains, one_line, says};

const NAME: &str = "opt/mitos/greeting";
const GREETING: &str = "hello from the host";
const LONG_NAME: &str = "opt/mitos/long";
/// More than a page of memory.
const LONG: usize = 9000;

/// A machine with an emulator that gives files to its guest.
pub(crate) fn batches() -> Vec<Batch> {
    let machine = |places: &Places| -> Configuration {
        places.machine().firmware_file(NAME, GREETING).firmware_file(LONG_NAME, "y".repeat(LONG))
    };
    vec![Batch { name: "firmware", machine, checks: CHECKS, self_checks: &[] }]
}

const CHECKS: &[Check] = &[
    Check { name: "the emulator's files are listed", run: |shell| contains(shell, "firmware", NAME) },
    Check {
        name: "a file is read by the device's own access to memory",
        run: |shell| says(shell, &format!("firmware {NAME}"), GREETING),
    },
    Check { name: "a file of several pages is whole", run: long_file },
    Check { name: "a file that is not there gets one line", run: |shell| one_line(shell, "firmware opt/none") },
    Check { name: "no memory stays with the device", run: nothing_stays },
];

fn long_file(shell: &mut Shell) -> Outcome {
    let output = shell.run(&format!("firmware {LONG_NAME}"))?;
    claim!(output.text.matches('y').count() == LONG, "{} bytes came", output.text.len());
    Ok(())
}

fn nothing_stays(shell: &mut Shell) -> Outcome {
    let output = shell.run("mem")?;
    let held = output.number_after("device buffers");
    claim!(held.is_none_or(|frames| frames == 0), "{held:?} frames in {:?}", output.text);
    Ok(())
}
