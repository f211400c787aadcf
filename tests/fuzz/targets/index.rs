//! See `kakitome_fuzz::bodies::index`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kakitome_fuzz::bodies::index(data));
