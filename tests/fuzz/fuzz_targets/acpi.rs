//! Coverage-guided search for ACPI tables that break their reader.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::acpi(bytes));
