//! Coverage-guided search for typed bytes that break the line editor or the reader of commands.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::typed(bytes));
