//! See `kakitome_fuzz::bodies::canonical`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kakitome_fuzz::bodies::canonical(data));
