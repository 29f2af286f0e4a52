//! Fuzzes the readers of Alibaba's responses.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lifecycle_fuzz::responses::check("aliyun", data));
