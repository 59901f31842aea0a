//! Coverage-guided search for tables of a Multiboot2 loader that break their reader.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::multiboot(bytes));
