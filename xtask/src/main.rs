//! One front door for every habit:
//! `cargo xtask verify | sim | sabotage | bench | drill | interop | robustness | tcl-suite | fuzz | ci`.

#![forbid(unsafe_code)]

mod bench;
mod ci;
mod sabotage;
mod shell;
mod verify;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

use shell::{cargo, release_binary, root, step, target_dir};

#[derive(Debug, Parser)]
#[command(name = "xtask", about = "One front door for every habit")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Formatting, lints, purity of the cores, clean text
    Verify {
        /// Leave out clippy
        #[arg(long)]
        no_lints: bool,
    },
    /// Simulated schedules; options are those of the simulator
    Sim {
        /// How many seeds
        #[arg(long, default_value_t = 2000)]
        seeds: u64,
        /// Handed to the simulator as they are
        #[arg(last = true)]
        rest: Vec<String>,
    },
    /// Leave out the rules of the protocol one by one: the simulator must notice
    Sabotage {
        /// This rule only
        #[arg(long)]
        only: Option<String>,
    },
    /// Measure against the peers and write docs/benchmarks.md
    Bench(bench::Bench),
    /// A failover drill on release binaries; options are those of `tanist drill`
    Drill {
        /// Handed to `tanist drill` as they are
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Tests against the installed redis-server
    Interop,
    /// Random calls from the server's own `COMMAND DOCS`: no crash, no lost reply, no leak, the same data on a replica
    Robustness {
        /// How long
        #[arg(long, default_value_t = 180)]
        seconds: u32,
        /// Where the dice begin
        #[arg(long, default_value_t = 1)]
        seed: u32,
    },
    /// Redis' own Tcl suite against the release binary: the named units, or all
    TclSuite {
        /// Units and options of tests/compat/redis_suite.py
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Every fuzz target, for so many seconds each; installs cargo-fuzz when it is missing
    Fuzz {
        /// Seconds per target
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// Where the dice begin; without it, runs go on from what former ones found
        #[arg(long)]
        seed: Option<u32>,
    },
    /// Everything that CI runs
    Ci,
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("xtask: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Verify { no_lints } => verify::verify(!no_lints),
        Task::Sim { seeds, rest } => sim(seeds, &rest),
        Task::Sabotage { only } => sabotage::sabotage(only.as_deref()),
        Task::Bench(bench) => bench.execute(),
        Task::Drill { rest } => {
            let tanist = release_binary()?;
            step("drill", Command::new(tanist).arg("drill").args(rest))
        }
        Task::Interop => interop(),
        Task::Robustness { seconds, seed } => robustness(seconds, seed),
        Task::TclSuite { rest } => tcl_suite(&rest),
        Task::Fuzz { seconds, seed } => ci::fuzz(seconds, seed),
        Task::Ci => ci::ci(),
    }
}

pub(crate) fn sim(seeds: u64, rest: &[String]) -> Result<()> {
    let mut run = cargo();
    run.args(["run", "--quiet", "--release", "--package", "tanist-sim", "--"]);
    step("sim", run.args(["--seeds", &seeds.to_string()]).args(rest))
}

/// The binary is a server when it is called by that name, so a link is all that the tests need.
fn release_server() -> Result<PathBuf> {
    let tanist = release_binary()?;
    let links = tanist.with_file_name("links");
    std::fs::create_dir_all(&links)?;
    let server = links.join("tanist-server");
    if !server.exists() {
        std::os::unix::fs::symlink(&tanist, &server)?;
    }
    Ok(server)
}

pub(crate) fn interop() -> Result<()> {
    let mut run = cargo();
    let run = run.args(["run", "--quiet", "--package", "interop"]);
    step("interop", run.env("TANIST_SERVER", release_server()?))
}

/// Random calls from the server's own `COMMAND DOCS`, against a primary and its replica.
pub(crate) fn robustness(seconds: u32, seed: u32) -> Result<()> {
    let mut run = Command::new(root().join("tests/compat/robustness.py"));
    let options = ["--seconds".into(), seconds.to_string(), "--seed".into(), seed.to_string()];
    step("robustness", run.arg(release_server()?).args(options))
}

/// The binary takes the role of the name under which the suite starts it.
pub(crate) fn tcl_suite(rest: &[String]) -> Result<()> {
    let tanist = release_binary()?;
    let mut run = Command::new(root().join("tests/compat/redis_suite.py"));
    step("redis' suite", run.arg(tanist).args(rest).env("CARGO_TARGET_DIR", target_dir()))
}
