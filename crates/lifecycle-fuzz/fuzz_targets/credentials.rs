//! Fuzzes the credential sources of all clouds.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lifecycle_fuzz::credentials::check(data));
