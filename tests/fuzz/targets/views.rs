//! See `kakitome_fuzz::bodies::views`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kakitome_fuzz::bodies::views(data));
