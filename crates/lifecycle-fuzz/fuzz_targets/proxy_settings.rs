//! Fuzzes the environment variables with proxies.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lifecycle_fuzz::proxy_settings::check(data));
