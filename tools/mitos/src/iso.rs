//! `mitos iso`: the bootable image with GRUB.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use build::Tree;

use crate::failure::Failure;

/// Writes `target/mitos/mitos.iso`, which boots with the given command line.
pub(crate) fn write(tree: &Tree, command_line: &str) -> Result<PathBuf, Failure> {
    let folder = tree.output().join("iso");
    let boot = folder.join("boot");
    let grub = boot.join("grub");
    fs::create_dir_all(&grub).map_err(Failure::file(&grub))?;
    let template = tree.root.join("build/grub.cfg");
    let configuration = fs::read_to_string(&template).map_err(Failure::file(&template))?;
    let target = grub.join("grub.cfg");
    fs::write(&target, configuration.replace("@COMMAND_LINE@", command_line)).map_err(Failure::file(&target))?;
    for source in [tree.image(), tree.archive()] {
        let target = boot.join(source.file_name().unwrap_or_default());
        fs::copy(&source, &target).map_err(Failure::file(&source))?;
    }
    let image = tree.output().join("mitos.iso");
    let mut command = Command::new("grub-mkrescue");
    // The BIOS modules are all that is used; without the choice, GRUB for EFI would be needed where it is installed.
    command.args(["--directory=/usr/lib/grub/i386-pc", "--compress=no"]);
    command.arg("-o").arg(&image).arg(&folder);
    let output = command.output().map_err(|error| Failure::program(&command, error))?;
    if output.status.success() {
        return Ok(image);
    }
    let output_text = format!(": {}", String::from_utf8_lossy(&output.stderr).trim());
    Err(Failure::Failed { program: "grub-mkrescue".into(), status: output.status, output: output_text })
}
