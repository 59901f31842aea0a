//! The script that tells GDB about cells. Seed cells have fixed addresses; loaded ones are announced in the kernel's log
//! (`log=trace`), which `mitos run` keeps, and the script reads.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use build::{Build, Tree};

use crate::failure::Failure;

/// Where the script is.
pub(crate) fn script(tree: &Tree) -> PathBuf {
    tree.output().join("mitos.gdb")
}

/// Writes the script of a build.
pub(crate) fn write(tree: &Tree, built: &Build) -> Result<(), Failure> {
    let mut text = String::from(
        "# Connects to `make run GDB=1` and knows the cells. Type `mitos-cells` for those loaded since.\n\
        set confirm off\nset architecture i386:x86-64\n",
    );
    for (seed, cell) in built.seed.cells.iter().filter_map(|seed| {
        let cell = built.cells.iter().find(|cell| cell.name() == seed.name)?;
        Some((seed, cell))
    }) {
        add(&mut text, cell, seed.text)?;
    }
    // The folder of each object, for the cells that the log announces.
    let _ = writeln!(text, "python\nOBJECTS = {{");
    for cell in &built.cells {
        let _ = writeln!(text, "  {:?}: ({:?}, {:?}),", cell.name(), cell.full_object, sections(cell)?);
    }
    let _ = writeln!(text, "}}\nLOG = {:?}", tree.root.join("target/logs/run.log"));
    text.push_str(LOADED);
    text.push_str("end\ntarget remote :1234\n");
    let path = script(tree);
    fs::write(&path, text).map_err(Failure::file(&path))
}

/// Name and offset of each text section.
fn sections(cell: &build::cells::Cell) -> Result<Vec<(String, usize)>, Failure> {
    let object = cell.object()?;
    let layout = layout::Layout::new(&object);
    Ok(object
        .sections
        .iter()
        .enumerate()
        .filter(|(_, section)| section.kind == object::SectionKind::Text && section.size > 0)
        .filter_map(|(index, section)| Some((section.name.to_owned(), layout.placements.get(index)?.offset)))
        .collect())
}

fn add(text: &mut String, cell: &build::cells::Cell, base: u64) -> Result<(), Failure> {
    let sections = sections(cell)?;
    if sections.is_empty() {
        return Ok(());
    }
    let _ = write!(text, "add-symbol-file {}", cell.full_object.display());
    for (name, offset) in sections {
        let _ = write!(text, " -s {name} {:#x}", base + offset as u64);
    }
    text.push('\n');
    Ok(())
}

const LOADED: &str = r#"
import gdb, re
class MitosCells(gdb.Command):
    """Adds the symbols of all cells that the kernel's log says are loaded."""
    def __init__(self):
        super().__init__("mitos-cells", gdb.COMMAND_FILES)
        self.known = set()
    def invoke(self, argument, from_tty):
        with open(LOG, errors="replace") as log:
            for line in log:
                found = re.search(r"\] loaded (\S+), text at (0x[0-9a-f]+)", line)
                if not found or found.group(1) not in OBJECTS or found.groups() in self.known:
                    continue
                self.known.add(found.groups())
                path, sections = OBJECTS[found.group(1)]
                base = int(found.group(2), 16)
                if sections:
                    places = " ".join("-s %s %#x" % (name, base + offset) for name, offset in sections)
                    gdb.execute("add-symbol-file %s %s" % (path, places), to_string=True)
        print("symbols of %d loaded cells" % len(self.known))
MitosCells()
"#;
