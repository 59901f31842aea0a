//! Machines that lack something: Mitos names it in one line, or works without it. And keys that are typed early are kept.

use machine::{Configuration, Exit, Machine, PROMPT, Shell};

use crate::claim;
use crate::harness::{BOOT, Batch, Check, Outcome, Places, SELF_CHECK, Trial};
use crate::shell::{contains, says};

/// A machine with firmware that has no ACPI tables.
pub(crate) fn batches() -> Vec<Batch> {
    let machine = |places: &Places| usual(places).without_acpi();
    vec![Batch { name: "no acpi", machine, checks: NO_ACPI, self_checks: &["check cpus"] }]
}

const NO_ACPI: &[Check] = &[
    Check {
        name: "the log says that there are no tables, and the consequence",
        run: |shell| {
            let output = shell.machine().output();
            claim!(output.contains("no ACPI root pointer: one CPU runs"), "{output:?}");
            Ok(())
        },
    },
    Check { name: "one CPU runs", run: one_cpu },
    Check { name: "applications run", run: |shell| says(shell, "echo one | cat", "one") },
];

fn one_cpu(shell: &mut Shell) -> Outcome {
    let output = shell.run("cpus")?;
    claim!(output.lines().count() == 2, "{:?}", output.text);
    Ok(())
}

/// Machines on which Mitos cannot run, the smallest on which it can, and early typing.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial { name: "a processor without a 64-bit mode is told so in one line", run: no_long_mode },
        Trial { name: "a processor without NX is told so in one line", run: no_execute_disable },
        Trial { name: "a processor without global pages is told so in one line", run: no_global_pages },
        Trial { name: "a processor without a local APIC is told so in one line", run: no_local_apic },
        Trial { name: "the smallest machine works, and a smaller one is told how much is needed", run: memory },
        Trial { name: "keys typed before the boot reach the shell", run: typed_early },
    ]
}

fn usual(places: &Places) -> Configuration {
    Configuration::direct(&places.output).argument("log=info").argument("exit=debug").argument("console=plain")
}

fn start(places: &Places, configuration: &Configuration, name: &str) -> Result<Machine, machine::MachineError> {
    Machine::start(configuration, &places.logs.join(format!("trial-{name}.log")))
}

/// The machine says `reason` in a line, which is its last.
fn refuses(places: &Places, configuration: &Configuration, name: &str, reason: &str) -> Outcome {
    let mut machine = start(places, configuration, name)?;
    machine.expect(&format!("boot failed: {reason}"), BOOT)?;
    machine.expect("\n", BOOT)?;
    let output = machine.output();
    claim!(output.matches("failed").count() == 1 && output.trim_end().ends_with(reason), "{output:?}");
    Ok(())
}

fn no_long_mode(places: &Places) -> Outcome {
    let reason = "this processor has no 64-bit mode (CPUID 80000001h, EDX bit 29)";
    refuses(places, &usual(places).processor("qemu64,-lm"), "no-long-mode", reason)
}

fn no_execute_disable(places: &Places) -> Outcome {
    let reason = "this processor has no pages that are not executable (NX: CPUID 80000001h, EDX bit 20)";
    refuses(places, &usual(places).processor("qemu64,-nx"), "no-nx", reason)
}

fn no_global_pages(places: &Places) -> Outcome {
    let reason = "this processor has no global pages (PGE: CPUID 1, EDX bit 13)";
    refuses(places, &usual(places).processor("qemu64,-pge"), "no-pge", reason)
}

fn no_local_apic(places: &Places) -> Outcome {
    let reason = "this processor has no local APIC (CPUID 1, EDX bit 9)";
    refuses(places, &usual(places).processor("qemu64,-apic").cpus(1), "no-apic", reason)
}

/// Asks a machine that is much too small how much is needed, and gives another as much.
fn memory(places: &Places) -> Outcome {
    let mut small = start(places, &usual(places).memory_mib(16), "too-small")?;
    small.expect("boot failed: ", BOOT)?;
    small.expect(" MiB are needed\n", BOOT)?;
    let output = small.output();
    let last = output.lines().last().unwrap_or_default();
    let needed = last.strip_suffix(" MiB are needed").and_then(|text| text.rsplit(' ').next()?.parse::<u32>().ok());
    let Some(needed) = needed else {
        claim!(false, "no amount in {last:?}");
        return Ok(());
    };
    drop(small);
    // One MiB more: the firmware keeps some of what the machine has.
    let smallest = usual(places).memory_mib(needed + 1);
    let mut shell = Shell::reach(start(places, &smallest, "smallest")?, BOOT)?;
    says(&mut shell, "echo smallest | cat", "smallest")?;
    contains(&mut shell, "mem", "free")?;
    for command in ["check cells", "check swap"] {
        let output = shell.run_within(command, SELF_CHECK)?;
        let failed = output.lines().find(|line| line.starts_with("FAILED"));
        claim!(failed.is_none() && output.contains(" checks passed"), "{command} with {} MiB: {failed:?}", needed + 1);
    }
    let mut machine = shell.into_machine();
    machine.send_line("poweroff")?;
    let exit = machine.wait(BOOT)?;
    claim!(exit == Exit::Guest(Exit::SUCCESS), "{exit:?}");
    Ok(())
}

fn typed_early(places: &Places) -> Outcome {
    let mut machine = start(places, &usual(places), "typed-early")?;
    machine.send(b"echo early\rpoweroff\r")?;
    machine.expect(PROMPT, BOOT)?;
    machine.expect("\nearly\n", BOOT)?;
    let exit = machine.wait(BOOT)?;
    claim!(exit == Exit::Guest(Exit::SUCCESS), "{exit:?}");
    Ok(())
}
