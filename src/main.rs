//! Parse, call one function, return an exit code.

use std::process::ExitCode;

use kakitome::error::Error;
use kakitome::{cli, command};

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
