//! The script that tells GDB about cells. Seed cells have fixed addresses; loaded ones are announced in the kernel's log
//! (`log=trace`), which `mitos run` keeps, and the script reads. Cells have other objects in alternate builds, so each is
//! known by its name and the start of its digest.

use std::fmt::Write as _;
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
    let alternates = built.alternates.iter().flat_map(|alternate| alternate.changed(&built.cells));
    for cell in built.cells.iter().chain(alternates.map(|(_, cell)| cell)) {
        let _ = writeln!(text, "  {}: ({:?}, {:?}),", key(cell), cell.full_object, sections(cell)?);
    }
    text.push_str("}\nSEED = {\n");
    for seed in &built.seed.cells {
        let cell = built.cells.iter().find(|cell| cell.name() == seed.name);
        let _ = cell.map(|cell| writeln!(text, "  {}: {:#x},", key(cell), seed.text));
    }
    let _ = writeln!(text, "}}\nLOG = {:?}", tree.root.join("target/logs/run.log"));
    text.push_str(COMMANDS);
    text.push_str("end\n");
    let path = script(tree);
    Ok(build::files::write(&path, text)?)
}

/// What the script knows a cell's object by, as the kernel announces it.
fn key(cell: &build::cells::Cell) -> String {
    let digest: String = archive::digest(&cell.file).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("({:?}, {digest:?})", cell.name())
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

def quoted(path):
    return '"%s"' % path.replace("\\", "\\\\").replace('"', '\\"')

def add_symbols(cell, base):
    path, sections = OBJECTS[cell]
    if sections:
        places = " ".join("-s %s %#x" % (section, base + offset) for section, offset in sections)
        gdb.execute("add-symbol-file %s %s" % (quoted(path), places), to_string=True)

def remove_symbols(cell, base):
    sections = OBJECTS[cell][1]
    if sections:
        gdb.execute("remove-symbol-file -a %#x" % (base + sections[0][1]), to_string=True)

class MitosCells(gdb.Command):
    """Adds the symbols of all cells that the kernel's log says are loaded, those that a swap brought too."""
    def __init__(self):
        super().__init__("mitos-cells", gdb.COMMAND_FILES)
        self.at = {}
    def invoke(self, argument, from_tty):
        latest = {}
        with open(LOG, errors="replace") as log:
            for line in log:
                found = re.search(r"\] loaded (\S+) ([0-9a-f]{16}), text at (0x[0-9a-f]+)", line)
                if found and (found.group(1), found.group(2)) in OBJECTS:
                    latest[int(found.group(3), 16)] = (found.group(1), found.group(2))
        for base, cell in latest.items():
            # Where a cell went, another may have come.
            if self.at.get(base) != cell and SEED.get(cell) != base:
                if base in self.at:
                    remove_symbols(self.at[base], base)
                add_symbols(cell, base)
                self.at[base] = cell
        print("symbols of %d loaded cells" % len(self.at))

# Before long mode no address has a meaning that the symbols know.
entry = next(cell for cell in SEED if cell[0] == "nano_core")
start = [offset for section, offset in OBJECTS[entry][1] if section.endswith("9nano_core5start")]
gdb.execute("thbreak *%#x" % (SEED[entry] + start[0]), to_string=True)
gdb.execute("continue", to_string=True)
for cell, base in SEED.items():
    add_symbols(cell, base)
print("symbols of %d cells of the seed" % len(SEED))
MitosCells()
"#;
