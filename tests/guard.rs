//! The guard, from outside: made-up accounts, whole messages, one reason a row.

mod guard {
    mod alarms;
    mod encodings;
    mod letter;
    mod passages;
    mod rules;
    mod swaps;
    mod vectors;
    mod world;
}
