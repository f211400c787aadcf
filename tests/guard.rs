//! The guard, from outside: made-up accounts, whole messages, one reason a row.

mod guard {
    mod alarms;
    mod drill;
    mod encodings;
    mod extra;
    mod letter;
    mod mutation;
    mod rules;
    mod swaps;
    mod vectors;
    mod world;
}
