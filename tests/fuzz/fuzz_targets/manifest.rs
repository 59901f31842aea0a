//! Coverage-guided search for a manifest that breaks the readers.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::manifest(bytes));
