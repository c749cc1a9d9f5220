//! The command line of `tanist`.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::check::Check;
use crate::drill::command::Drill;
use crate::output::note;
use crate::status::Status;
use crate::up::{Down, Up};

/// A Redis-compatible store that survives its primary.
#[derive(Debug, Parser)]
#[command(name = "tanist", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(Up),
    Status(Status),
    Down(Down),
    Drill(Drill),
    Check(Check),
}

/// Runs the command in `args`, the program's name included.
pub fn run(args: Vec<OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(e) => {
            // Also the way of --help and --version, which end with 0. A closed pipe is not worth a word.
            let _ = e.print();
            return ExitCode::from(e.exit_code() as u8);
        }
    };
    match execute(&cli.command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(e) => {
            note(format_args!("tanist: {e:#}"));
            ExitCode::from(2)
        }
    }
}

/// False means: done, and the answer is no.
fn execute(command: &Command) -> Result<bool> {
    match command {
        Command::Up(up) => up.execute().map(|()| true),
        Command::Down(down) => down.execute().map(|()| true),
        Command::Status(status) => status.execute(),
        Command::Drill(drill) => drill.execute(),
        Command::Check(check) => check.execute(),
    }
}
