//! What machine to build.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Exit;

/// What executes the guest's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Accelerator {
    /// Emulation, a host thread per CPU: works everywhere.
    #[default]
    Emulation,
    /// Emulation that counts instructions and takes its clock from them: runs repeat to the digit. One CPU only.
    CountedInstructions,
    /// The host's own CPU. The user's choice: a `/dev/kvm` that opens is no proof that a 64-bit guest runs under it.
    Kvm,
}

/// Whether a debugger can attach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Debugger {
    /// No debugger.
    #[default]
    None,
    /// QEMU listens on this TCP port of the loopback interface and runs the first instruction when the debugger says so.
    WaitOnPort(u16),
}

/// How the kernel gets into memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Boot {
    /// Through the PVH entry, without a boot loader.
    Direct { kernel: PathBuf, archive: PathBuf },
    /// Through GRUB on this ISO image. The command line is in the image.
    Iso(PathBuf),
}

/// A machine to be started; the defaults are what the system tests use.
#[derive(Debug, Clone)]
pub struct Configuration {
    boot: Boot,
    cpus: u32,
    memory_mib: u32,
    accelerator: Accelerator,
    debugger: Debugger,
    command_line: Vec<String>,
    emulator: PathBuf,
    restart_on_reset: bool,
    processor: Option<String>,
    acpi: bool,
    firmware_files: Vec<(String, String)>,
}

impl Configuration {
    /// Four CPUs and 256 MiB, emulated.
    pub fn new(boot: Boot) -> Self {
        Self {
            boot,
            cpus: 4,
            memory_mib: 256,
            accelerator: Accelerator::default(),
            debugger: Debugger::default(),
            command_line: Vec::new(),
            emulator: PathBuf::from("qemu-system-x86_64"),
            restart_on_reset: false,
            processor: None,
            acpi: true,
            firmware_files: Vec::new(),
        }
    }

    /// The kernel and archive that the build leaves in `folder`.
    pub fn direct(folder: &Path) -> Self {
        Self::new(Boot::Direct { kernel: folder.join("nano_core.elf"), archive: folder.join("cells.archive") })
    }

    /// Number of CPUs.
    pub fn cpus(mut self, cpus: u32) -> Self {
        self.cpus = cpus;
        self
    }

    /// Memory in MiB.
    pub fn memory_mib(mut self, memory: u32) -> Self {
        self.memory_mib = memory;
        self
    }

    /// What executes the instructions.
    pub fn accelerator(mut self, accelerator: Accelerator) -> Self {
        self.accelerator = accelerator;
        self
    }

    /// Whether a debugger attaches.
    pub fn debugger(mut self, debugger: Debugger) -> Self {
        self.debugger = debugger;
        self
    }

    /// Adds a word to the kernel's command line (direct boot only).
    pub fn argument(mut self, word: impl Into<String>) -> Self {
        self.command_line.push(word.into());
        self
    }

    /// Lets a reset of the guest restart it instead of ending QEMU.
    pub fn restart_on_reset(mut self) -> Self {
        self.restart_on_reset = true;
        self
    }

    /// Another processor than the usual one, in QEMU's words: `qemu64,-nx`.
    pub fn processor(mut self, model: impl Into<String>) -> Self {
        self.processor = Some(model.into());
        self
    }

    /// Leaves out the firmware's ACPI tables.
    pub fn without_acpi(mut self) -> Self {
        self.acpi = false;
        self
    }

    /// Gives the guest a file by the firmware configuration device. A name of the user's begins with `opt/`.
    pub fn firmware_file(mut self, name: impl Into<String>, contents: impl Into<String>) -> Self {
        self.firmware_files.push((name.into(), contents.into()));
        self
    }

    /// How a guest that ends its run well ends QEMU: by the debug exit device if it was told that there is one, as by the
    /// images' own command lines; else by powering off.
    pub fn good_end(&self) -> Exit {
        let told = self.command_line.iter().any(|word| word == "exit=debug");
        if told || matches!(self.boot, Boot::Iso(_)) { Exit::Guest(Exit::SUCCESS) } else { Exit::PowerOff }
    }

    /// Another emulator program; the tests of this crate put a stand-in here.
    pub fn emulator(mut self, program: impl Into<PathBuf>) -> Self {
        self.emulator = program.into();
        self
    }

    /// QEMU with all arguments but those of the serial line, which depend on the program that talks over it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.emulator);
        let machine = if self.acpi { "q35" } else { "q35,acpi=off" };
        command.args(["-machine", machine, "-nodefaults", "-display", "none"]);
        if !self.acpi {
            // The usual firmware makes up tables where QEMU gives none; this one, which QEMU brings, too, does not.
            command.args(["-bios", "qboot.rom"]);
        }
        command.args(["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]);
        command.args(["-smp", &self.cpus.to_string()]);
        command.args(["-m", &format!("{}M", self.memory_mib)]);
        if !self.restart_on_reset {
            command.arg("-no-reboot");
        }
        let processor = match self.accelerator {
            Accelerator::Emulation => {
                command.args(["-accel", "tcg,thread=multi"]);
                "qemu64"
            }
            Accelerator::CountedInstructions => {
                command.args(["-accel", "tcg", "-icount", "shift=0,sleep=off", "-rtc", "clock=vm"]);
                "qemu64"
            }
            Accelerator::Kvm => {
                command.args(["-accel", "kvm"]);
                "host"
            }
        };
        command.args(["-cpu", self.processor.as_deref().unwrap_or(processor)]);
        for (name, contents) in &self.firmware_files {
            command.args(["-fw_cfg", &format!("name={name},string={contents}")]);
        }
        if let Debugger::WaitOnPort(port) = self.debugger {
            command.args(["-gdb", &format!("tcp:127.0.0.1:{port}"), "-S"]);
        }
        match &self.boot {
            Boot::Direct { kernel, archive } => {
                command.arg("-kernel").arg(kernel);
                command.arg("-initrd").arg(archive);
                if !self.command_line.is_empty() {
                    command.args(["-append", &self.command_line.join(" ")]);
                }
            }
            Boot::Iso(image) => {
                command.arg("-cdrom").arg(image);
            }
        }
        command
    }

    /// QEMU on the caller's terminal: Ctrl-A X leaves. What the guest says goes to `log` as well.
    ///
    /// # Errors
    /// The folder of the log cannot be made.
    pub fn interactive_command(&self, log: &Path) -> std::io::Result<Command> {
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut command = self.command();
        // A comma in an option's value is doubled.
        let log = log.to_string_lossy().replace(',', ",,");
        command.args(["-chardev", &format!("stdio,id=console,mux=on,signal=off,logfile={log}")]);
        command.args(["-serial", "chardev:console", "-mon", "chardev=console,mode=readline"]);
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(configuration: &Configuration) -> Vec<String> {
        configuration.command().get_args().map(|word| word.to_string_lossy().into_owned()).collect()
    }

    fn value<'a>(words: &'a [String], option: &str) -> Option<&'a str> {
        let at = words.iter().position(|word| word == option)?;
        words.get(at + 1).map(String::as_str)
    }

    #[test]
    fn a_direct_boot_names_kernel_archive_and_command_line() {
        let configuration = Configuration::direct(Path::new("/out"))
            .cpus(2)
            .memory_mib(128)
            .argument("log=debug")
            .argument("exit=debug");
        let words = words(&configuration);
        assert_eq!(value(&words, "-kernel"), Some("/out/nano_core.elf"));
        assert_eq!(value(&words, "-initrd"), Some("/out/cells.archive"));
        assert_eq!(value(&words, "-append"), Some("log=debug exit=debug"));
        assert_eq!(value(&words, "-smp"), Some("2"));
        assert_eq!(value(&words, "-m"), Some("128M"));
        assert!(words.iter().any(|word| word == "-no-reboot"));
        assert_eq!(configuration.good_end(), Exit::Guest(Exit::SUCCESS));
    }

    #[test]
    fn a_machine_can_lack_things() {
        let configuration = Configuration::direct(Path::new("/out")).processor("qemu64,-nx").without_acpi();
        let words = words(&configuration);
        assert_eq!(value(&words, "-cpu"), Some("qemu64,-nx"));
        assert_eq!(value(&words, "-machine"), Some("q35,acpi=off"));
    }

    #[test]
    fn a_reset_ends_qemu_unless_it_is_to_restart_the_machine() {
        let configuration = Configuration::direct(Path::new("/out")).restart_on_reset();
        assert!(!words(&configuration).iter().any(|word| word == "-no-reboot"));
        assert_eq!(configuration.good_end(), Exit::PowerOff);
    }

    #[test]
    fn counted_runs_take_their_clock_from_instructions() {
        let configuration = Configuration::direct(Path::new("/out")).accelerator(Accelerator::CountedInstructions);
        let words = words(&configuration);
        assert_eq!(value(&words, "-icount"), Some("shift=0,sleep=off"));
        assert_eq!(value(&words, "-rtc"), Some("clock=vm"));
    }

    #[test]
    fn a_debugger_is_waited_for_on_the_loopback_only() {
        let configuration = Configuration::direct(Path::new("/out")).debugger(Debugger::WaitOnPort(1234));
        let words = words(&configuration);
        assert_eq!(value(&words, "-gdb"), Some("tcp:127.0.0.1:1234"));
        assert!(words.iter().any(|word| word == "-S"));
    }

    #[test]
    fn an_image_brings_its_own_command_line() {
        let words = words(&Configuration::new(Boot::Iso("/out/mitos.iso".into())).argument("x=y"));
        assert_eq!(value(&words, "-cdrom"), Some("/out/mitos.iso"));
        assert_eq!(value(&words, "-append"), None);
    }
}
