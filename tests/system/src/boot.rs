//! Ways to boot, how long it takes, and ways to end.

use machine::{Boot, Configuration, PROMPT, Shell};

use crate::claim;
use crate::harness::{BOOT, Batch, Check, Outcome, Places};
use crate::shell::{contains, one_line, says};

/// Through GRUB; with little memory; with the log on; with nothing to end by but what a PC has. All but the small machine
/// boot the product.
pub(crate) fn batches() -> Vec<Batch> {
    vec![
        Batch { name: "grub", machine: through_grub, checks: GRUB, self_checks: &[] },
        Batch { name: "small", machine: |places| places.machine().memory_mib(96), checks: SMALL, self_checks: &[] },
        Batch {
            name: "verbose",
            machine: |places| {
                Configuration::direct(&places.product)
                    .argument("log=loud")
                    .argument("log=debug")
                    .argument("exit=debug")
                    .argument("console=plain")
                    .argument("x".repeat(LONG))
                    .argument("\u{e4}".repeat(LONG / 2))
            },
            checks: VERBOSE,
            self_checks: &[],
        },
        Batch {
            name: "power",
            // A reset does not end QEMU here, so that an end of QEMU's own is a power-off.
            machine: |places| {
                Configuration::direct(&places.product).argument("log=info").argument("console=plain").restart_on_reset()
            },
            checks: POWER,
            self_checks: &[],
        },
    ]
}

/// The image has the same command line as the other machines.
fn through_grub(places: &Places) -> Configuration {
    Configuration::new(Boot::Iso(places.product.join("mitos.iso")))
}

const GRUB: &[Check] = &[
    Check { name: "the boot loader is known", run: boot_loader_is_known },
    Check { name: "cells are loaded as after a direct boot", run: |shell| contains(shell, "cells core", "digest") },
    Check { name: "applications run", run: |shell| says(shell, "echo through grub | cat", "through grub") },
    Check { name: "the product has no cells of tests", run: no_cells_of_tests },
];

fn boot_loader_is_known(shell: &mut Shell) -> Outcome {
    let output = shell.machine().output();
    claim!(output.contains("booted by GRUB"), "{:?}", output.lines().next());
    Ok(())
}

fn no_cells_of_tests(shell: &mut Shell) -> Outcome {
    says(shell, "check", "check: unknown command; 'help' lists them")?;
    let cells = shell.run("cells")?;
    let group = |line: &str| line.split_whitespace().nth(1).map(str::to_owned);
    let groups: Vec<String> = cells.lines().filter_map(group).collect();
    claim!(groups.iter().any(|group| group == "console"), "no groups are shown: {:?}", cells.text);
    claim!(!groups.iter().any(|group| group == "tests"), "{:?}", cells.text);
    Ok(())
}

const SMALL: &[Check] =
    &[Check { name: "applications run in 96 MiB", run: |shell| says(shell, "echo small | cat", "small") }];

const VERBOSE: &[Check] = &[
    Check { name: "log lines have time, processor, level and cell", run: log_lines_have_form },
    Check { name: "log lines are whole with four processors", run: log_lines_are_whole },
    Check { name: "the log says when the shell was there", run: boots_quickly },
    Check { name: "the log is kept and shown", run: log_is_kept },
    Check { name: "options without effect are named", run: options_are_named },
];

/// Bytes of a word of the command line: one fits, and a second one does not.
const LONG: usize = 300;

/// Of the command line of this machine one word has an unknown value, one is no option, and one has no room.
fn options_are_named(shell: &mut Shell) -> Outcome {
    let output = shell.machine().output();
    claim!(output.contains("option log=loud: the values of log are off, error"), "log=loud is taken in silence");
    claim!(output.contains("xx: no option of the kernel"), "an unknown option is taken in silence");
    claim!(output.contains("these options are dropped: \u{e4}\u{e4}"), "an option is dropped in silence");
    Ok(())
}

const POWER: &[Check] = &[Check { name: "reboot starts the machine anew", run: reboots }];

fn reboots(shell: &mut Shell) -> Outcome {
    says(shell, "echo gone > /tmp/before ; cat /tmp/before", "gone")?;
    let machine = shell.machine();
    let mark = machine.mark();
    machine.send_line("reboot")?;
    machine.line_since(mark, "Mitos, booted by", BOOT)?;
    machine.expect(PROMPT, BOOT)?;
    one_line(shell, "cat /tmp/before")?;
    says(shell, "echo anew | cat", "anew")
}

fn log_lines_have_form(shell: &mut Shell) -> Outcome {
    let output = shell.machine().output();
    let line = output.lines().find(|line| line.contains("Mitos, booted by")).unwrap_or_default();
    claim!(machine::is_log_line(line), "{line:?}");
    claim!(line.contains("cpu0") && line.contains("INFO") && line.contains("nano_core"), "{line:?}");
    Ok(())
}

fn log_lines_are_whole(shell: &mut Shell) -> Outcome {
    let output = shell.machine().output();
    // A line that another one was written into has a second head.
    let broken = output.lines().find(|line| line.matches(" cpu").count() > 1 && line.matches('[').count() > 1);
    claim!(broken.is_none(), "{broken:?}");
    Ok(())
}

fn log_is_kept(shell: &mut Shell) -> Outcome {
    let output = shell.run("log")?;
    claim!(output.log.iter().any(|line| line.contains("Mitos, booted by")), "{:?}", output.log);
    let last = shell.run("log 2")?;
    claim!(last.log.len() == 2, "{:?}", last.log);
    Ok(())
}

fn boots_quickly(shell: &mut Shell) -> Outcome {
    let output = shell.run("log")?;
    let line = output.log.iter().rfind(|line| line.contains("shell after "));
    let Some(line) = line else {
        claim!(false, "the log does not say when the shell was there: {:?}", output.log);
        return Ok(());
    };
    // How long is in the report of `make demo`; here only that the kernel says it (a busy host makes emulation slow).
    let time = line.rsplit(' ').next().unwrap_or_default();
    let number = time.trim_end_matches(|unit: char| unit.is_alphabetic());
    claim!(number.parse().is_ok_and(|number: f64| number > 0.0) && time.ends_with('s'), "{line:?}");
    Ok(())
}
