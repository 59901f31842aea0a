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
        "# Connects to `make run GDB=1`, goes on to the first line in Rust and knows the cells of the seed there.\n\
        # Type `mitos-cells` for those loaded since.\n\
        set confirm off\nset architecture i386:x86-64\ntarget remote :1234\npython\nOBJECTS = {\n",
    );
    // Where each object is and its text sections lie, and the addresses of those that never move.
    for cell in &built.cells {
        let _ = writeln!(text, "  {:?}: ({:?}, {:?}),", cell.name(), cell.full_object, sections(cell)?);
    }
    text.push_str("}\nSEED = {\n");
    for seed in &built.seed.cells {
        let _ = writeln!(text, "  {:?}: {:#x},", seed.name, seed.text);
    }
    let _ = writeln!(text, "}}\nLOG = {:?}", tree.root.join("target/logs/run.log"));
    text.push_str(COMMANDS);
    text.push_str("end\n");
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

const COMMANDS: &str = r#"
import gdb, re

def add_symbols(name, base):
    path, sections = OBJECTS[name]
    if sections:
        places = " ".join("-s %s %#x" % (section, base + offset) for section, offset in sections)
        gdb.execute("add-symbol-file %s %s" % (path, places), to_string=True)

class MitosCells(gdb.Command):
    """Adds the symbols of all cells that the kernel's log says are loaded."""
    def __init__(self):
        super().__init__("mitos-cells", gdb.COMMAND_FILES)
        self.known = set()
    def invoke(self, argument, from_tty):
        with open(LOG, errors="replace") as log:
            for line in log:
                found = re.search(r"\] loaded (\S+), text at (0x[0-9a-f]+)", line)
                if not found or found.group(1) not in OBJECTS or found.group(1) in SEED or found.groups() in self.known:
                    continue
                self.known.add(found.groups())
                add_symbols(found.group(1), int(found.group(2), 16))
        print("symbols of %d loaded cells" % len(self.known))

# Before long mode no address has a meaning that the symbols know.
path, sections = OBJECTS["nano_core"]
start = [offset for section, offset in sections if section.endswith("9nano_core5start")]
gdb.execute("thbreak *%#x" % (SEED["nano_core"] + start[0]), to_string=True)
gdb.execute("continue", to_string=True)
for name, base in SEED.items():
    add_symbols(name, base)
print("symbols of %d cells of the seed" % len(SEED))
MitosCells()
"#;
