//! Coverage-guided search for an object that breaks the reader.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::object(bytes));
