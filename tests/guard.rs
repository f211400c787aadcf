//! The guard, from outside: made-up accounts, whole messages, one reason a row. What
//! switches parts of it off is compiled into the crate's own tests: `guard/ablation.rs`.

#![expect(clippy::unwrap_used, reason = "a test that fails says so")]

mod guard {
    #[path = "../fuzz/bodies.rs"]
    mod bodies;
    #[path = "../support/newsletters.rs"]
    mod newsletters;

    mod alarms;
    mod attachments;
    mod calibration;
    mod cases;
    mod charsets;
    mod clean;
    mod encodings;
    mod exact;
    mod extra;
    mod fuzz;
    mod letter;
    mod limits;
    mod names;
    mod own_hosts;
    mod passages;
    mod placeholders;
    mod readings;
    mod reencoding;
    mod rules;
    mod shared_tokens;
    mod short_names;
    mod swaps;
    mod vectors;
    mod world;
    mod worlds;
}
