//! A cluster of real processes, one fault after the other, and checkers over everything that clients saw.
//!
//! `cargo run --release -p jepsen-like -- --seconds 60`. The cluster, the faults, the search for the primary
//! and the writers with a key per write are those of `tanist drill`; here come registers, which are written
//! again and again and read by others, with a history that is judged at the end.

#![forbid(unsafe_code)]

mod checker;
mod history;
mod registers;
mod run;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Faults on real processes, and what clients saw of them.
#[derive(Debug, Parser)]
struct Options {
    /// How long faults go on
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Which faults, drawn at random
    #[arg(long, value_delimiter = ',', default_value = "crash,hang,reboot,planned")]
    faults: Vec<String>,
    /// The order of the faults
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Registers; each has one writer and is read by all readers
    #[arg(long, default_value_t = 4)]
    registers: usize,
    /// Readers
    #[arg(long, default_value_t = 3)]
    readers: usize,
    /// down-after-milliseconds
    #[arg(long, default_value_t = 1000)]
    down_after: u64,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// First of six ports (default: any free ones)
    #[arg(long)]
    port: Option<u16>,
    /// Another server
    #[arg(long, value_name = "PATH")]
    server_bin: Option<PathBuf>,
    /// Another sentinel
    #[arg(long, value_name = "PATH")]
    sentinel_bin: Option<PathBuf>,
}

fn main() -> ExitCode {
    // The cluster's members are started from this very file under other names.
    let args: Vec<_> = std::env::args_os().collect();
    if let Some(code) = tanist::roles::run(&args) {
        return code;
    }
    match run::run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(e) => {
            eprintln!("jepsen-like: {e:#}");
            ExitCode::from(2)
        }
    }
}
