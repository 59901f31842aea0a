// expect: declaration of a static with `link_section`
// A function that stands in a list of the linker is called by others.

#![no_std]
#![forbid(unsafe_code)]

#[unsafe(link_section = ".init_array")] //~ wrong
#[used] //~ right
pub static HOOK: fn() = run;

fn run() {}
