//! Coverage-guided search for lists of the emulator's files that break their reader.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::firmware(bytes));
