//! One binary for all: by its name, or by the first argument, it is a server, a sentinel or the command.

use std::process::ExitCode;

fn main() -> ExitCode {
    tanist::cli::run(std::env::args_os().collect())
}
