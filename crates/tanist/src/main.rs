//! One binary for all: by its name, or by the first argument, it is a server, a sentinel or the command.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    tanist::roles::run(&args).unwrap_or_else(|| tanist::cli::run(args))
}
