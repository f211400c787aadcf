//! The guard, from outside: made-up accounts, whole messages, one reason a row.

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
    mod drill;
    mod encodings;
    mod extra;
    mod fuzz;
    mod letter;
    mod limits;
    mod mutation;
    mod names;
    mod own_hosts;
    mod passages;
    mod placeholders;
    mod readings;
    mod reencoding;
    mod rules;
    mod short_names;
    mod swaps;
    mod vectors;
    mod world;
    mod worlds;
}
