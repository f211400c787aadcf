//! Parse, call one function, return an exit code.

fn main() {}
