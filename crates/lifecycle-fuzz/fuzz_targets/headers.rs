//! Fuzzes the headers of a response.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lifecycle_fuzz::headers::check(data));
