//! Which functions were lent nothing that they could change, in small crates that the test compiles.

mod compiled;

use compiled::compile;

/// The last parts of the paths of those of the functions in `source` that count as isolated, sorted.
fn isolated(source: &str) -> Vec<String> {
    let digests = digests::of_object(&compile(source)).unwrap();
    let name = |name: &String| {
        let path = format!("{:#}", rustc_demangle::demangle(name));
        path.rsplit("::").next().unwrap_or_default().to_owned()
    };
    let mut names: Vec<String> = digests.isolated.iter().map(name).collect();
    names.sort();
    names
}

/// Makes a function of each name with a parameter of each type, which it uses.
fn functions(types: &[(&str, &str)]) -> String {
    let function = |(name, of_type): &(&str, &str)| {
        format!("#[inline(never)] pub fn {name}(value: {of_type}) {{ core::hint::black_box(value); }}\n")
    };
    types.iter().map(function).collect()
}

const PRELUDE: &str = "extern crate alloc;
    use core::sync::atomic::{AtomicBool, AtomicU64, AtomicPtr};
    pub struct Plain { a: u32, b: [u8; 3], c: Option<char> }
    pub struct Atomics { count: AtomicU64, going: AtomicBool }
    pub struct Hidden { inner: core::cell::Cell<u32> }
    pub struct Lends<'a> { inner: Option<&'a mut u32> }
    pub struct Node<'a> { next: Option<&'a Node<'a>>, value: u64 }
    pub enum Kind { A, B }
    pub trait Trait { fn method(&self); }
";

#[test]
fn what_cannot_be_changed_through_is_found() {
    let source = functions(&[
        ("number", "u64"),
        ("shared", "&Plain"),
        ("atomics", "&Atomics"),
        ("slice", "&[u16]"),
        ("text", "&str"),
        ("kind", "Option<Kind>"),
        ("pair", "(&u8, &[Plain; 2])"),
        ("list", "&Node<'_>"),
        ("boxed", "alloc::boxed::Box<[u8; 100]>"),
    ]);
    let expected = ["atomics", "boxed", "kind", "list", "nothing", "number", "pair", "shared", "slice", "text"];
    let found = isolated(&format!("{PRELUDE}{source} #[inline(never)] pub fn nothing() {{}}"));
    assert_eq!(expected.iter().filter(|name| !found.iter().any(|found| found == *name)).count(), 0, "{found:?}");
}

#[test]
fn what_can_be_changed_through_is_not() {
    let source = functions(&[
        ("unique", "&mut u32"),
        ("unique_slice", "&mut [u8]"),
        ("raw", "*const u32"),
        ("cell", "&Hidden"),
        ("lends", "&Lends<'_>"),
        ("object", "&dyn Trait"),
        ("pointer", "&AtomicPtr<u8>"),
        ("vector", "&alloc::vec::Vec<u8>"),
        ("counted", "alloc::sync::Arc<u32>"),
        ("function", "fn()"),
        ("second", "(u8, &mut u8)"),
        ("slice_of_cells", "&[Hidden]"),
    ]);
    let names: Vec<String> = isolated(&format!("{PRELUDE}{source}"));
    let taken = ["unique", "unique_slice", "raw", "cell", "lends", "object", "pointer", "vector", "counted"];
    let taken = taken.iter().chain(&["function", "second", "slice_of_cells"]);
    assert_eq!(taken.filter(|name| names.iter().any(|found| found == *name)).count(), 0, "{names:?}");
}

#[test]
fn a_parameter_that_is_not_used_counts() {
    let source = "#[inline(never)] fn inner(value: &mut u32, number: u32) -> u32 { core::hint::black_box(number) }
        pub fn outer(value: &mut u32) -> u32 { inner(value, 3) + inner(value, 4) }";
    assert_eq!(isolated(source), Vec::<String>::new());
}
