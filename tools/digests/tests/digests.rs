//! Digests of small crates that the test compiles: what must change them, and what must not.

mod compiled;

use compiled::compile;
use digests::{ObjectDigests, frames};
use manifest::{ShortDigest as Digest, Structure};

fn digests(source: &str) -> ObjectDigests {
    digests::of_object(&compile(source)).unwrap()
}

/// The digest of the one structure of that kind with `part` in its name.
fn structure(digests: &ObjectDigests, kind: Structure, part: &str) -> Digest {
    let found: Vec<_> =
        digests.structures.iter().filter(|digest| digest.kind == kind && digest.name.ends_with(part)).collect();
    assert_eq!(found.len(), 1, "{kind:?} {part}: {:?}", digests.structures);
    found[0].digest
}

fn section(digests: &ObjectDigests, part: &str) -> Digest {
    let found: Vec<_> = digests.sections.iter().filter(|section| section.name.ends_with(part)).collect();
    assert_eq!(found.len(), 1, "{part}: {:?}", digests.sections);
    found[0].digest
}

fn structures_differ(kind: Structure, part: &str, before: &str, after: &str) -> bool {
    structure(&digests(before), kind, part) != structure(&digests(after), kind, part)
}

fn type_changes(before: &str, after: &str) -> bool {
    let user = "pub fn user(value: &T) -> &T { value }";
    structures_differ(Structure::Type, "sample::T", &format!("{before} {user}"), &format!("{after} {user}"))
}

#[test]
fn the_same_source_has_the_same_digests() {
    let source = "pub struct T { a: u8, b: u64 } pub static S: [u8; 3] = [1, 2, 3];
        pub fn f(value: &T) -> u64 { value.b + S[value.a as usize] as u64 }";
    assert_eq!(digests(source), digests(source));
}

#[test]
fn reordered_fields_of_one_size_change_a_type_but_no_code_that_passes_it_on() {
    let user = "pub fn user(value: &T) -> &T { value }";
    let before = digests(&format!("#[repr(C)] pub struct T {{ a: u32, b: u32 }} {user}"));
    let after = digests(&format!("#[repr(C)] pub struct T {{ b: u32, a: u32 }} {user}"));
    assert_eq!(section(&before, "4user"), section(&after, "4user"));
    assert_ne!(structure(&before, Structure::Type, "sample::T"), structure(&after, Structure::Type, "sample::T"));
}

#[test]
fn what_changes_a_type() {
    assert!(type_changes("pub struct T { a: u32 }", "pub struct T { a: u64 }"));
    assert!(type_changes("pub struct T { a: u32 }", "pub struct T { a: i32 }"));
    assert!(type_changes("pub struct T { a: u32 }", "pub struct T { renamed: u32 }"));
    assert!(type_changes("pub struct T { a: [u8; 4] }", "pub struct T { a: [u8; 5] }"));
    assert!(type_changes("pub enum T { A(u32), B }", "pub enum T { A(u32), B, C }"));
    assert!(type_changes("#[repr(u8)] pub enum T { A = 1, B = 2 }", "#[repr(u8)] pub enum T { A = 2, B = 1 }"));
    assert!(type_changes("pub union T { a: u32, b: f32 }", "pub union T { a: u32, b: i32 }"));
    assert!(type_changes("pub struct T { a: &'static u32 }", "pub struct T { a: &'static i32 }"));
    assert!(type_changes(
        "pub struct I { x: u16, y: u16 } pub struct T { i: I }",
        "pub struct I { x: i16, y: u16 } pub struct T { i: I }"
    ));
}

#[test]
fn what_does_not_change_a_type() {
    assert!(!type_changes("pub struct T { a: u32, b: u64 }", "pub struct T { b: u64, a: u32 }"));
    assert!(!type_changes(
        "pub struct T { a: u32 }",
        "impl T { pub fn m(&self) -> u32 { self.a } } pub struct T { a: u32 }"
    ));
    assert!(
        !type_changes(
            "pub struct I { x: u16 } pub struct T { i: &'static I }",
            "pub struct I { x: i16 } pub struct T { i: &'static I }"
        ),
        "what is behind a pointer has a digest of its own"
    );
}

#[test]
fn a_change_behind_a_pointer_is_found_at_the_pointee() {
    let with = |field: &str| {
        format!(
            "pub struct Inner {{ x: {field} }} pub struct T {{ i: &'static Inner }} pub fn user(t: &T) -> &T {{ t }}"
        )
    };
    assert!(structures_differ(Structure::Type, "sample::Inner", &with("u16"), &with("i16")));
}

#[test]
fn a_recursive_type_has_a_digest() {
    let digests = digests("pub struct T { next: Option<&'static T>, v: u8 } pub fn user(t: &T) -> u8 { t.v }");
    structure(&digests, Structure::Type, "sample::T");
}

#[test]
fn types_of_the_toolchain_alone_are_left_out() {
    let digests = digests("pub fn user(v: &Option<core::time::Duration>) -> bool { v.is_some() }");
    assert!(digests.structures.iter().all(|digest| digest.kind != Structure::Type), "{:?}", digests.structures);
}

#[test]
fn a_signature_counts_parameters_results_and_what_they_are() {
    let differs = |before: &str, after: &str| structures_differ(Structure::Signature, "3api", before, after);
    assert!(differs("pub fn api(a: u32) -> u32 { a }", "pub fn api(a: u64) -> u32 { a as u32 }"));
    assert!(differs("pub fn api(a: u32) -> u32 { a }", "pub fn api(a: u32) -> i32 { a as i32 }"));
    assert!(differs("pub fn api(a: u32) -> u32 { a }", "pub fn api(a: u32, _b: u32) -> u32 { a }"));
    assert!(differs(
        "pub struct P(u32); pub fn api(a: P) -> u32 { a.0 }",
        "pub struct P(i32); pub fn api(a: P) -> u32 { a.0 as u32 }"
    ));
    assert!(!differs("pub fn api(a: u32) -> u32 { a }", "pub fn api(renamed: u32) -> u32 { renamed + 1 }"));
}

#[test]
fn an_unused_parameter_still_counts() {
    let differs = |before: &str, after: &str| structures_differ(Structure::Signature, "3api", before, after);
    assert!(differs("pub fn api(_: u32) -> u32 { 7 }", "pub fn api(_: u64) -> u32 { 7 }"));
}

#[test]
fn a_static_counts_its_type() {
    let with = |kind: &str| {
        format!(
            "use core::sync::atomic::*; pub static COUNT: {kind} = {kind}::new(0);
            pub fn f() {{ COUNT.store(1, Ordering::Relaxed) }}"
        )
    };
    assert!(structures_differ(Structure::Static, "5COUNT", &with("AtomicU32"), &with("AtomicI32")));
    assert!(!structures_differ(Structure::Static, "5COUNT", &with("AtomicU32"), &with("AtomicU32")));
}

#[test]
fn a_trait_object_counts_the_order_of_its_methods() {
    let with = |methods: &str| {
        format!(
            "pub trait Shape {{ {methods} }} pub struct Square;
            impl Shape for Square {{ fn area(&self) -> u64 {{ 4 }} fn edge(&self) -> u64 {{ 2 }} }}
            pub fn make() -> &'static dyn Shape {{ &Square }}"
        )
    };
    let before = with("fn area(&self) -> u64; fn edge(&self) -> u64;");
    let after = with("fn edge(&self) -> u64; fn area(&self) -> u64;");
    assert!(structures_differ(Structure::TraitObject, "dyn sample::Shape", &before, &after));
    let provided = with("fn area(&self) -> u64; fn edge(&self) -> u64; fn twice(&self) -> u64 { self.area() * 2 }");
    assert!(structures_differ(Structure::TraitObject, "dyn sample::Shape", &before, &provided));
}

#[test]
fn a_section_counts_bytes_and_named_targets() {
    let with = |callee: &str, constant: u32| {
        format!(
            "#[inline(never)] pub fn one(x: u32) -> u32 {{ x * 3 }} #[inline(never)] pub fn two(x: u32) -> u32 {{ x * 5 }}
            pub fn caller(x: u32) -> u32 {{ {callee}(x) + {constant} }}"
        )
    };
    let caller = |source: &str| section(&digests(source), "6caller");
    assert_eq!(caller(&with("one", 1)), caller(&with("one", 1)));
    assert_ne!(caller(&with("one", 1)), caller(&with("two", 1)));
    assert_ne!(caller(&with("one", 1)), caller(&with("one", 2)));
}

#[test]
fn a_changed_callee_does_not_change_its_caller() {
    let with = |factor: u32| {
        format!(
            "#[inline(never)] pub fn one(x: u32) -> u32 {{ x * {factor} + x / {factor} }}
            pub fn caller(x: u32) -> u32 {{ one(x) + 1 }}"
        )
    };
    let (before, after) = (digests(&with(3)), digests(&with(7)));
    assert_eq!(section(&before, "6caller"), section(&after, "6caller"));
    assert_ne!(section(&before, "3one"), section(&after, "3one"));
}

#[test]
fn anonymous_constants_count_by_content_not_by_number() {
    let text = |words: &str| {
        format!(
            "{words} pub fn says(i: usize) -> &'static str {{ if i == 0 {{ \"alpha\" }} else {{ \"a longer text\" }} }}"
        )
    };
    let before = digests(&text(""));
    let renumbered = digests(&text("pub fn another() -> &'static str { \"comes first\" }"));
    let changed = digests(&text("").replace("alpha", "alphb"));
    assert_eq!(section(&before, "4says"), section(&renumbered, "4says"));
    assert_ne!(section(&before, "4says"), section(&changed, "4says"));
}

#[test]
fn a_table_of_a_switch_belongs_to_its_function() {
    let with = |fourth: u32| {
        format!(
            "pub fn pick(k: u32) -> u32 {{ match k {{ 0 => 17, 1 => 5, 2 => 99, 3 => {fourth}, 4 => 7, 5 => 3, _ => 0 }} }}"
        )
    };
    let pick = |source: &str| {
        let digests = digests(source);
        let text = digests
            .sections
            .iter()
            .find(|section| section.name.starts_with(".text.") && section.name.ends_with("4pick"));
        text.unwrap().digest
    };
    assert_ne!(pick(&with(1000)), pick(&with(1001)));
}

#[test]
fn compiled_code_has_frame_entries_throughout() {
    let object = compile("pub fn f(v: &[u32], i: usize) -> u32 { v[i] } pub fn g(x: u32) -> u32 { x / 3 }");
    assert_eq!(frames::gaps(&object).unwrap(), []);
}

#[test]
fn assembly_without_frame_information_is_named() {
    let object = compile(
        "core::arch::global_asm!(\".section .text.naked_one, \\\"ax\\\"\", \"naked_one:\", \"mov eax, 1\", \"ret\");
        core::arch::global_asm!(\".section .text.dressed, \\\"ax\\\"\", \"dressed:\", \".cfi_startproc\", \"ret\", \".cfi_endproc\");
        pub fn f() -> u32 { 1 }",
    );
    let gaps = frames::gaps(&object).unwrap();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!(gaps[0].section, ".text.naked_one");
    assert_eq!((gaps[0].start, gaps[0].end), (0, 6));
}

#[test]
fn damaged_objects_are_refused_and_never_panic() {
    let object = compile("pub fn f(v: &[u32], i: usize) -> u32 { v[i] } pub static S: &str = \"x\";");
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 16).unwrap()
    };
    for _ in 0..2_000 {
        let mut damaged = object.clone();
        for _ in 0..1 + random() % 4 {
            let at = random() % damaged.len();
            damaged[at] ^= 1 << (random() % 8);
        }
        if random() % 4 == 0 {
            damaged.truncate(random() % object.len());
        }
        let _ = digests::of_object(&damaged);
        let _ = frames::gaps(&damaged);
    }
}
