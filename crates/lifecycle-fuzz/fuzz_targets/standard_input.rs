//! Fuzzes the references on standard input of the command.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lifecycle_fuzz::standard_input::check(data));
