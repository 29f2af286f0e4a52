//! Fuzzes the configuration file.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lifecycle_fuzz::text::check_configuration(data));
