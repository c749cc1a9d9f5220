//! `tanist-sim`: runs seeds and says what failed, how fast it went, and how to see a failure again.

use clap::Parser;
use std::process::ExitCode;
use std::time::Instant;
use tanist_sim::{Batch, Report, Tracing, run};

/// Runs the simulated world for many seeds, or for one.
#[derive(Parser)]
#[command(name = "tanist-sim", version)]
struct Options {
    /// How many seeds to run
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    start: u64,
    /// Run this seed only, and show its plan
    #[arg(long)]
    seed: Option<u64>,
    /// Show every event of the one seed
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Threads [default: one per core]
    #[arg(long)]
    threads: Option<usize>,
    /// Stop after so many failures
    #[arg(long, default_value_t = 5)]
    failures: usize,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let good = match options.seed {
        Some(seed) => one(seed, options.trace),
        None => many(&options),
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn one(seed: u64, trace: bool) -> bool {
    let report = run(seed, if trace { Tracing::Print } else { Tracing::Digest });
    show(&report, !trace);
    report.failure.is_none()
}

fn many(options: &Options) -> bool {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let batch = Batch {
        start: options.start,
        seeds: options.seeds,
        threads: options.threads.unwrap_or(cores),
        twice_every: 50,
        most_failures: options.failures,
    };
    let begun = Instant::now();
    let outcome = batch.run();
    let seconds = begun.elapsed().as_secs_f64();
    for report in &outcome.failed {
        show(report, true);
    }
    for seed in &outcome.differing {
        println!("seed {seed}: two runs differ");
    }
    let t = outcome.tally;
    println!(
        "{} schedules in {seconds:.1} s: {:.0} per second, {:.0} events each; {} run twice, {} differ; {} failed",
        outcome.runs,
        outcome.runs as f64 / seconds,
        outcome.events as f64 / outcome.runs.max(1) as f64,
        outcome.twice,
        outcome.differing.len(),
        outcome.failed.len(),
    );
    println!(
        "writes: {} done, {} confirmed, {} refused, {} unknown, {} lost with reason; {} reads",
        t.done, t.confirmed, t.refused, t.unknown, t.lost, t.reads
    );
    outcome.failed.is_empty() && outcome.differing.is_empty()
}

fn show(report: &Report, with_trace: bool) {
    let seed = report.plan.seed;
    match &report.failure {
        None => {
            println!("seed {seed}: good; {} events, {:?}\n{:#?}", report.events, report.tally, report.plan)
        }
        Some((at, failure)) => {
            if with_trace {
                report.last.iter().for_each(|line| println!("{line}"));
            }
            println!("{:#?}", report.plan);
            println!("seed {seed} FAILED after {at:?}: {}", failure.what);
            println!("see it again: cargo run --release -p tanist-sim -- --seed {seed} --trace\n");
        }
    }
}
