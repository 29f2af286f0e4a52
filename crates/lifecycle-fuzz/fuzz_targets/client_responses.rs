//! Fuzzes the client with a cloud that sends anything.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lifecycle_fuzz::client::check(data));
