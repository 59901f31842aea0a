//! `mitos iso`: the bootable image with GRUB.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use boot_information::options;
use build::Tree;

use crate::failure::Failure;

/// The words of a command line as GRUB's script has them: each in quotes, within which GRUB gives no character a meaning.
fn quoted(command_line: &str) -> String {
    command_line.split_whitespace().map(shell_word).collect::<Vec<_>>().join(" ")
}

/// One word for a shell, GRUB's too: a quote ends the quoted part, stands for itself after a backslash, and begins another.
pub(crate) fn shell_word(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Writes `target/mitos/mitos.iso`, which boots with the given command line.
pub(crate) fn write(tree: &Tree, command_line: &str) -> Result<PathBuf, Failure> {
    for word in options::unknown_words(command_line) {
        eprintln!("mitos: the image has a word that the kernel reports and ignores: {word}");
    }
    let folder = tree.output().join("iso");
    let boot = folder.join("boot");
    let grub = boot.join("grub");
    fs::create_dir_all(&grub).map_err(Failure::file(&grub))?;
    let template = tree.root.join("build/grub.cfg");
    let configuration = fs::read_to_string(&template).map_err(Failure::file(&template))?;
    let target = grub.join("grub.cfg");
    fs::write(&target, configuration.replace("@COMMAND_LINE@", &quoted(command_line)))
        .map_err(Failure::file(&target))?;
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

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn no_character_of_a_word_means_anything_to_grub() {
        assert_eq!(quoted("log=info  exit=debug"), "'log=info' 'exit=debug'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("a;halt $x \"y\""), "'a;halt' '$x' '\"y\"'");
        assert_eq!(quoted(""), "");
    }

    #[test]
    fn a_shell_reads_the_words_back() {
        // GRUB's script has the quotes of a shell.
        let words = ["it's", "a;halt", "$HOME", "`date`", "\\", "\"", "a'b'c"];
        let script = format!("printf '%s\\n' {}", quoted(&words.join(" ")));
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).lines().collect::<Vec<_>>(), words);
    }
}
