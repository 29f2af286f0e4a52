//! Fuzzes requests to the simulated clouds.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lifecycle_fuzz::simulator::check(data));
