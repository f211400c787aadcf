//! Parse, call one function, return an exit code.

use std::process::ExitCode;

use kakitome::error::Error;
use kakitome::{cli, command};

/// Messages are made on one thread and end on another, which the system's
/// allocator answers with threads that wait for each other: a fifth more
/// messages a second go out with this one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::parse(|wrong| command::print_error_object(&Error::usage(wrong)));
    let json = cli.common.json;
    match command::run(cli) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => {
            command::print_error(&error, json);
            ExitCode::from(error.exit().code())
        }
    }
}
