//! The loader: what is damaged or foreign is refused, with an error that says what is wrong, and leaves no trace.

use std::path::Path;

use archive::{Archive, ArchiveError, Packer};
use machine::{Boot, Configuration, Shell};
use manifest::Blob;

use crate::claim;
use crate::harness::{Batch, Check, Outcome, Places};
use crate::shell::{contains, one_line, says};

/// Damaged objects in a running system, and an archive that is damaged before it starts.
pub(crate) fn batches() -> Vec<Batch> {
    vec![
        Batch { name: "loader", machine: Places::machine, checks: TRIALS, self_checks: &["check cells"] },
        Batch { name: "entry of another type", machine: other_entry, checks: OTHER_ENTRY, self_checks: &[] },
        Batch { name: "damaged archive", machine: damaged_archive, checks: DAMAGED, self_checks: &[] },
    ]
}

const TRIALS: &[Check] = &[
    Check { name: "an object is loaded on trial", run: |shell| contains(shell, "check try uptime", "can be loaded") },
    Check { name: "an object that is cut off is refused by its name", run: cut_off },
    Check { name: "an object with a flipped bit is refused by its name", run: flipped },
    Check {
        name: "an object is not cut off behind its end",
        run: |shell| one_line(shell, "check try uptime cut 99999999"),
    },
    Check { name: "an unknown object gets one line", run: |shell| one_line(shell, "check try none_such") },
    Check { name: "senseless damage gets the usage", run: |shell| contains(shell, "check try uptime bend 3", "usage") },
    Check { name: "the cell runs after all trials", run: |shell| contains(shell, "uptime", "0:0") },
    // The self checks come after this one, so that an application is unloaded under them.
    Check { name: "an application runs beside the checks", run: |shell| contains(shell, "busy 3 &", "[1] ") },
];

fn cut_off(shell: &mut Shell) -> Outcome {
    for size in [0, 3, 63, 64, 1000, 4000] {
        let command = format!("check try uptime cut {size}");
        contains(shell, &command, "cell uptime: ")?;
        one_line(shell, &command)?;
    }
    Ok(())
}

fn flipped(shell: &mut Shell) -> Outcome {
    // The machine's number, 62, is in the 18th byte.
    says(
        shell,
        "check try uptime flip 144",
        "check: cell uptime: not for x86_64 with 64 bits and little-endian numbers (ELF machine 63)",
    )
}

const VICTIM: &str = "uptime";

/// The usual machine with an archive in which a bit of one application is flipped.
fn damaged_archive(places: &Places) -> Configuration {
    let archive = places.logs.join("damaged.archive");
    // If it cannot be made, the machine does not start for want of it, and the check says so.
    if let Err(error) = damage(&places.output.join("cells.archive"), &archive) {
        eprintln!("{}: {error}", archive.display());
    }
    Configuration::new(Boot::Direct { kernel: places.output.join("nano_core.elf"), archive })
        .argument("log=warn")
        .argument("exit=debug")
        .argument("console=plain")
}

/// Copies the archive with a bit flipped so that the bytes of [`VICTIM`] can be unpacked, but are not those of the build.
fn damage(from: &Path, to: &Path) -> std::io::Result<()> {
    let sound = std::fs::read(from)?;
    let parsed = Archive::parse(&sound).map_err(std::io::Error::other)?;
    let cell = parsed.manifest().cell(VICTIM).ok_or(std::io::ErrorKind::NotFound)?.clone();
    let place = parsed.place(&cell.object).ok_or(std::io::ErrorKind::InvalidData)?;
    for at in place {
        let mut damaged = sound.clone();
        damaged[at] ^= 1;
        let digest = |archive: Archive<&Vec<u8>>| matches!(archive.object(&cell), Err(ArchiveError::Digest { .. }));
        if Archive::parse(&damaged).is_ok_and(digest) {
            return std::fs::write(to, damaged);
        }
    }
    Err(std::io::ErrorKind::InvalidData.into())
}

const DAMAGED: &[Check] = &[
    Check { name: "an object that is not the build's is refused with both digests", run: refused_by_digest },
    Check { name: "it is refused on trial too", run: |shell| contains(shell, "check try uptime", "the manifest says") },
    Check { name: "it left no cell behind", run: left_no_cell },
    Check { name: "all other applications run", run: |shell| says(shell, "echo still here | cat", "still here") },
];

fn refused_by_digest(shell: &mut Shell) -> Outcome {
    let output = shell.run(VICTIM)?;
    for part in [VICTIM, "have digest ", "the manifest says "] {
        claim!(output.contains(part), "no {part:?} in {:?}", output.text);
    }
    claim!(output.lines().count() == 1, "{:?}", output.text);
    Ok(())
}

fn left_no_cell(shell: &mut Shell) -> Outcome {
    let output = shell.run("cells")?;
    claim!(!output.lines().any(|line| line.starts_with("uptime ")), "{VICTIM} is loaded");
    Ok(())
}

/// The usual machine with an archive that says of one application that its `main` has another type. Image and archive agree
/// that they are of one build, so nothing but the comparison of types stands against the call.
fn other_entry(places: &Places) -> Configuration {
    let (image, archive) = (places.logs.join("other_entry.elf"), places.logs.join("other_entry.archive"));
    // If they cannot be made, the machine does not start for want of them, and the check says so.
    if let Err(error) = forge(places, &image, &archive) {
        eprintln!("{}: {error}", archive.display());
    }
    Configuration::new(Boot::Direct { kernel: image, archive })
        .argument("log=warn")
        .argument("exit=debug")
        .argument("console=plain")
}

fn forge(places: &Places, image: &Path, archive: &Path) -> std::io::Result<()> {
    let damaged = |_: ArchiveError| std::io::Error::other("the build's archive is damaged");
    let original = Archive::parse(std::fs::read(places.output.join("cells.archive"))?).map_err(damaged)?;
    let mut manifest = original.manifest().clone();
    let victim = manifest.cells.iter_mut().find(|cell| cell.name == VICTIM).ok_or(std::io::ErrorKind::NotFound)?;
    for (_, signature) in &mut victim.entry_points {
        signature.digest[0] ^= 1;
        signature.text = OTHER_TYPE.to_owned();
    }
    let (mut bytes, build) = Packer::new().finish(&manifest).map_err(damaged)?;
    let blobs = original.place(&Blob::default()).ok_or(std::io::ErrorKind::InvalidData)?.start;
    bytes.extend_from_slice(&std::fs::read(places.output.join("cells.archive"))?[blobs..]);
    std::fs::write(archive, bytes)?;
    let mut bytes = std::fs::read(places.output.join("nano_core.elf"))?;
    let at = bytes.windows(build.len()).position(|window| window == original.build());
    let at = at.ok_or(std::io::ErrorKind::InvalidData)?;
    bytes[at..at + build.len()].copy_from_slice(&build);
    std::fs::write(image, bytes)
}

const OTHER_TYPE: &str = "fn(u64) -> u64";
const ENTRY_TYPE: &str = "fn(&mut application::Environment) -> application::failure::ExitCode";

const OTHER_ENTRY: &[Check] = &[
    Check { name: "an application whose entry has another type is refused with both types", run: refused_for_its_type },
    Check { name: "other applications run", run: |shell| says(shell, "echo still here | cat", "still here") },
    Check { name: "what was refused is not loaded", run: refused_is_gone },
];

fn refused_for_its_type(shell: &mut Shell) -> Outcome {
    let message = format!("cell {VICTIM}: its entry has the type `{OTHER_TYPE}`, and launcher expects `{ENTRY_TYPE}`");
    for _ in 0..5 {
        contains(shell, VICTIM, &message)?;
        one_line(shell, VICTIM)?;
    }
    Ok(())
}

fn refused_is_gone(shell: &mut Shell) -> Outcome {
    let output = shell.run("cells")?;
    claim!(!output.lines().any(|line| line.split_whitespace().next() == Some(VICTIM)), "{:?}", output.text);
    Ok(())
}
