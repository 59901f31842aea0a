//! The types of functions that are called by name, and of their callers' expectations, in small crates that the test compiles.

mod compiled;

use compiled::compile_as;
use manifest::Signature;

/// What the cell `entry_point` has, under the path that it has there, and types for functions.
const PRELUDE: &str = "
    pub struct Expected<F> { path: &'static str, types: [F; 0] }
    pub struct World { number: u32, words: [u64; 4] }
    #[derive(Clone, Copy)] pub struct Code(u8);
    #[used] pub static MAIN: Expected<fn(&mut World) -> Code> = Expected { path: \"entry_point::MAIN\", types: [] };
    #[used] pub static LAST: Expected<fn(&World) -> !> = Expected { path: \"entry_point::LAST\", types: [] };
";

/// The types of `function` and of the expectation `expected` in a crate with both.
fn types(function: &str, expected: &str) -> (Signature, Signature) {
    let found = digests::of_object(&compile_as("entry_point", &format!("{PRELUDE}{function}"))).unwrap().entry_points;
    let is_main = |symbol: &&String| format!("{:#}", rustc_demangle::demangle(symbol)) == "entry_point::main";
    let symbol = found.functions.keys().find(is_main).unwrap();
    (found.functions[symbol].clone(), found.expected[&format!("entry_point::{expected}")].clone())
}

#[test]
fn a_function_of_the_expected_type_has_its_digest_and_text() {
    for main in [
        "pub fn main(world: &mut World) -> Code { Code(world.number as u8) }",
        "pub fn main(_: &mut World) -> Code { Code(1) }",
    ] {
        let (found, expected) = types(main, "MAIN");
        assert_eq!(found, expected);
        assert_eq!(found.text, "fn(&mut entry_point::World) -> entry_point::Code");
    }
}

#[test]
fn every_other_type_has_another_digest_and_text() {
    let others = [
        "pub fn main() -> Code { Code(1) }",
        "pub fn main(world: &World) -> Code { Code(world.number as u8) }",
        "pub fn main(world: &mut Code) -> Code { *world }",
        "pub fn main(world: World) -> Code { Code(world.number as u8) }",
        "pub fn main(_: &mut World, _: u32) -> Code { Code(1) }",
        "pub fn main(world: &mut World) { world.number = 1; }",
        "pub fn main(world: &mut World) -> u8 { world.number as u8 }",
        "pub fn main(world: &mut World) -> Option<Code> { (world.number > 1).then_some(Code(1)) }",
        "pub fn main(world: &mut World) -> ! { world.number = 1; loop {} }",
    ];
    for main in others {
        let (found, expected) = types(main, "MAIN");
        assert_ne!(found.digest, expected.digest, "{main}");
        assert_ne!(found.text, expected.text, "{main}");
    }
}

#[test]
fn a_function_that_never_returns_is_no_function_without_a_result() {
    let (never, expected) = types("pub fn main(world: &World) -> ! { core::hint::black_box(world); loop {} }", "LAST");
    assert_eq!(never, expected);
    let (returns, expected) = types("pub fn main(world: &World) { core::hint::black_box(world); }", "LAST");
    assert_ne!(returns.digest, expected.digest);
    assert_eq!((&*returns.text, &*expected.text), ("fn(&entry_point::World) -> ()", "fn(&entry_point::World) -> !"));
}
