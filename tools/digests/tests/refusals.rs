//! What a swap refuses, from source to verdict: two versions of a small crate are compiled, digested as the build does
//! it, and compared as the running system does it.

mod compiled;

use cell_object::Object;
use comparison::{Incompatibility, Version, compare};
use compiled::compile;
use manifest::{CellDetails, Structure};

/// A cell with one of everything that has a structure.
const CELL: &str = "
    pub struct Record { pub number: u32, pub word: u64 }
    pub trait Speak { fn speak(&self) -> u32; fn shout(&self) -> u32; }
    impl Speak for Record {
        fn speak(&self) -> u32 { self.number }
        fn shout(&self) -> u32 { self.number + 1 }
    }
    pub static COUNT: core::sync::atomic::AtomicU32 = core::sync::atomic::AtomicU32::new(7);
    #[thread_local] pub static MINE: core::cell::Cell<u32> = core::cell::Cell::new(3);
    #[inline(never)] pub fn called(record: &Record) -> u64 { MINE.set(1); record.word + count() }
    #[inline(never)] pub fn spoken(record: &'static Record) -> &'static dyn Speak { record }
    #[inline(never)] pub fn export_state() -> u64 { count() }
    #[inline(never)] pub fn import_state(count: u64) -> bool { count == 1 }
    fn count() -> u64 { u64::from(COUNT.load(core::sync::atomic::Ordering::Relaxed)) }
";

/// What a swap from [`CELL`] to `CELL` with `from` replaced by `to` says.
fn verdict(from: &str, to: &str, hands_over: bool) -> Result<(), Incompatibility> {
    assert!(CELL.contains(from));
    let (before, after) = (compile(CELL), compile(&CELL.replace(from, to)));
    let details = |file: &[u8]| digests::of_object(file).unwrap().into_details();
    let (before_details, after_details) = (details(&before), details(&after));
    let (old, new) = (Object::parse(&before).unwrap(), Object::parse(&after).unwrap());
    let named = |part| old.symbols.iter().find(|symbol| symbol.name.starts_with("_R") && symbol.name.ends_with(part));
    let mangled = |part| named(part).unwrap().name.to_owned();
    let state_transfer = (mangled("export_state"), mangled("import_state"));
    compare(
        &Version { name: "sample", object: &old, details: &before_details },
        &Version { name: "sample", object: &new, details: &after_details },
        hands_over.then_some(&state_transfer),
        &|symbol| symbol.contains("called"),
    )
    .map(|_| ())
}

fn refused(from: &str, to: &str) -> Incompatibility {
    let held = verdict(from, to, false).unwrap_err();
    let line = held.to_string();
    assert!(line.lines().count() == 1 && line.len() > 10, "{line:?}");
    held
}

#[test]
fn another_body_is_allowed() {
    assert_eq!(verdict("self.number + 1", "self.number + 2", false), Ok(()));
}

#[test]
fn a_version_without_digests_is_refused() {
    let file = compile(CELL);
    let (object, details) = (Object::parse(&file).unwrap(), digests::of_object(&file).unwrap().into_details());
    let stripped = CellDetails { structures: Vec::new(), ..details.clone() };
    let version = |details| Version { name: "sample", object: &object, details };
    let verdict = |old, new| compare(&version(old), &version(new), None, &|_| false).map(|_| ());
    assert_eq!(verdict(&details, &details), Ok(()));
    assert_eq!(verdict(&stripped, &details), Err(Incompatibility::NoDigests));
    assert_eq!(verdict(&details, &CellDetails::default()), Err(Incompatibility::NoDigests));
}

#[test]
fn a_changed_type_is_refused() {
    let held = refused("number: u32, pub word: u64", "number: u32, pub word: u64, pub more: u64");
    assert!(matches!(&held, Incompatibility::Structure(Structure::Type, name) if name.contains("Record")), "{held:?}");
}

#[test]
fn reordered_fields_are_refused() {
    let held = refused("pub struct Record {", "#[repr(C)] pub struct Record {");
    assert!(matches!(&held, Incompatibility::Structure(Structure::Type, name) if name.contains("Record")), "{held:?}");
}

#[test]
fn a_static_of_another_type_is_refused() {
    let held = refused("AtomicU32 = core::sync::atomic::AtomicU32", "AtomicU64 = core::sync::atomic::AtomicU64");
    assert!(matches!(&held, Incompatibility::Static(name) if name.contains("COUNT")), "{held:?}");
}

#[test]
fn a_static_that_would_be_gone_is_refused() {
    let held = refused("COUNT", "OTHER");
    assert!(matches!(&held, Incompatibility::Static(name) if name.contains("COUNT")), "{held:?}");
}

#[test]
fn a_static_that_changes_is_allowed_to_a_cell_that_hands_over() {
    assert_eq!(verdict("COUNT", "OTHER", true), Ok(()));
}

#[test]
fn a_state_transfer_with_another_signature_is_refused() {
    let held = verdict("import_state(count: u64)", "import_state(count: u32)", true).unwrap_err();
    assert!(
        matches!(&held, Incompatibility::Structure(Structure::Signature, name) if name.contains("import_state")),
        "{held:?}"
    );
}

#[test]
fn changed_thread_locals_are_refused() {
    let held = refused("Cell<u32> =", "Cell<u64> =");
    assert_eq!(held, Incompatibility::ThreadLocals);
}

#[test]
fn reordered_methods_of_a_trait_object_are_refused() {
    let held =
        refused("fn speak(&self) -> u32; fn shout(&self) -> u32;", "fn shout(&self) -> u32; fn speak(&self) -> u32;");
    assert!(matches!(&held, Incompatibility::Structure(Structure::TraitObject, _)), "{held:?}");
}

#[test]
fn a_changed_signature_of_a_function_that_others_call_is_refused() {
    let held = refused("-> u64 { MINE.set(1); record.word + count() }", "-> u32 { MINE.set(1); count() as u32 }");
    assert!(
        matches!(&held, Incompatibility::Structure(Structure::Signature, name) if name.contains("called")),
        "{held:?}"
    );
}

#[test]
fn a_changed_signature_of_a_function_that_nobody_calls_is_allowed() {
    assert_eq!(verdict("&'static dyn Speak { record }", "u32 { record.number }", false), Ok(()));
}
