//! Fuzzes the journal of the controller.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lifecycle_fuzz::journal::check_journal(data));
