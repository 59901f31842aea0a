//! Where the kernel places the sections of a compiled crate.

mod compiled;

use cell_object::Object;
use compiled::compile;
use layout::{FIRST_VALUE, Layout, Segment};

/// A crate with constants, statics with and without a value, and functions.
const CELL: &str = "
    pub static ZERO: core::sync::atomic::AtomicU8 = core::sync::atomic::AtomicU8::new(0);
    pub static COUNT: core::sync::atomic::AtomicU8 = core::sync::atomic::AtomicU8::new(7);
    pub static TEXT: &str = \"text\";
    #[inline(never)] pub fn count() -> u8 { COUNT.load(core::sync::atomic::Ordering::Relaxed) }
";

/// The scan for references relies on it: the address of a segment's start is in many notes.
#[test]
fn no_value_has_the_address_of_its_segments_start() {
    let file = compile(CELL);
    let object = Object::parse(&file).unwrap();
    let layout = Layout::new(&object);
    for segment in [Segment::Constants, Segment::Data] {
        let placements = layout.placements.iter().filter(|placement| placement.segment == segment);
        let offsets: Vec<usize> = placements.map(|placement| placement.offset).collect();
        assert!(!offsets.is_empty(), "{segment:?}");
        assert!(offsets.iter().all(|&offset| offset >= FIRST_VALUE), "{segment:?}: {offsets:?}");
    }
}
