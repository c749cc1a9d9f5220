//! `tanist-sim`: runs seeds and says what failed, how fast it went, and how to see a failure again.

use clap::Parser;
use std::process::ExitCode;
use std::time::Instant;
use tanist_sim::{Batch, Report, Stage, Tracing, run_plan};

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
    /// Plans made for this kind of trouble, in place of all kinds
    #[arg(long)]
    stage: Option<Stage>,
    /// Run seeds until one breaks this invariant (W9), or one of these (W6/W10): that is the success
    #[arg(long, conflicts_with = "seed")]
    until: Option<String>,
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
    let good = match (options.seed, &options.until) {
        (Some(seed), _) => one(&options, seed),
        (None, Some(name)) => until(&options, name),
        (None, None) => many(&options),
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn one(options: &Options, seed: u64) -> bool {
    let plan = batch(options).plan(seed);
    let report = run_plan(plan, if options.trace { Tracing::Print } else { Tracing::Digest });
    show(&report, !options.trace);
    report.failure.is_none()
}

/// Whatever else goes wrong on the way is passed over.
fn until(options: &Options, name: &str) -> bool {
    let batch = batch(options);
    let found = (options.start..options.start + options.seeds).find_map(|seed| {
        let (_, failure) = run_plan(batch.plan(seed), Tracing::Off).failure?;
        let (broken, _) = failure.what.split_once(':')?;
        name.split('/').any(|n| n == broken).then_some((seed, failure.what))
    });
    match &found {
        Some((seed, what)) => println!("{seed} {}", what.lines().next().unwrap_or_default()),
        None => println!("none of {} seeds breaks {name}", options.seeds),
    }
    found.is_some()
}

fn batch(options: &Options) -> Batch {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Batch {
        stage: options.stage,
        start: options.start,
        seeds: options.seeds,
        threads: options.threads.unwrap_or(cores),
        twice_every: 50,
        most_failures: options.failures,
    }
}

fn many(options: &Options) -> bool {
    let begun = Instant::now();
    let outcome = batch(options).run();
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
