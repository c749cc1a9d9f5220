//! The `tanist-server` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    tanist_server::main(std::env::args_os().collect())
}
