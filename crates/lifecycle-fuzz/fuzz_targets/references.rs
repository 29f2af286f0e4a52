//! Fuzzes references, ids, locations, endpoints and specifications of fleets.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lifecycle_fuzz::text::check_references(data));
