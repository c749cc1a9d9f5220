//! `cargo xtask bench`: our figures beside the peers', measured in one run, interleaved.
//!
//! Every row measures each contender in turn and repeats that, so that whatever else the machine does meets
//! all alike. Results are kept per row in the target folder, and `docs/benchmarks.md` is written from them:
//! a single row can be measured anew without the others.

mod bullmq;
mod cpu;
mod elements;
mod failover;
mod fullsync;
mod load;
mod machine;
mod memory;
mod plot;
mod probe;
mod replica;
mod server;
mod stalls;
mod table;
mod witness;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::shell::{release_binary, target_dir};
use table::Results;

/// What to measure.
#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// Another peer's server; its sentinel is the file beside it. May be repeated
    #[arg(long, value_name = "PATH")]
    peer: Vec<PathBuf>,
    /// Do not measure the installed redis-server
    #[arg(long)]
    no_redis: bool,
    /// Do not measure ourselves: only the peers
    #[arg(long)]
    no_own: bool,
    /// Only rows whose name begins so. May be repeated
    #[arg(long, value_name = "ROW")]
    only: Vec<String>,
    /// Rounds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Add to what was measured before of the same commit, instead of replacing it: a long run in pieces
    #[arg(long)]
    join: bool,
    /// Small data and short times: to try the bench, not to publish
    #[arg(long)]
    quick: bool,
    /// Print the table, but leave docs/benchmarks.md as it is
    #[arg(long)]
    no_write: bool,
    /// Connections of the load in the CPU rows
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    connections: u16,
    /// Measure nothing: write the table of what was measured before
    #[arg(long)]
    render: bool,
    /// Measure this release binary instead of building one
    #[arg(long, value_name = "PATH")]
    tanist: Option<PathBuf>,
    /// First of a few ports for the servers
    #[arg(long, default_value_t = 21900)]
    port: u16,
}

/// A server that takes part.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    /// Its name in the table: `redis 7.0.15`.
    pub(crate) name: String,
    /// Its server.
    pub(crate) server: PathBuf,
    /// Its sentinel; absent for ours, whose drill needs no path.
    pub(crate) sentinel: Option<PathBuf>,
}

impl Contender {
    /// Whether it is ours.
    pub(crate) fn own(&self) -> bool {
        self.sentinel.is_none()
    }
}

/// What every row gets.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The release binary of the command, for drills.
    pub(crate) tanist: PathBuf,
    /// First of the ports.
    pub(crate) port: u16,
    /// Short and small.
    pub(crate) quick: bool,
    /// Connections of the load in the CPU rows.
    pub(crate) connections: usize,
    /// A folder for the servers' files.
    pub(crate) scratch: PathBuf,
}

/// One figure of one contender in one round.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// The row's name.
    pub(crate) row: String,
    /// In the row's unit.
    pub(crate) value: f64,
}

type Measure = fn(&Setting, &Contender) -> Result<Vec<Sample>>;

/// Groups of rows that are measured together.
const GROUPS: [(&str, Measure); 17] = [
    ("gap-crash", failover::crash),
    ("gap-hang", failover::hang),
    ("planned", failover::planned),
    ("reboot", failover::reboot),
    ("cpu-p100", cpu::pipeline_100),
    ("cpu-p16", cpu::pipeline_16),
    ("cpu-p1", cpu::pipeline_1),
    ("memory", memory::memory),
    ("fullsync", fullsync::time_and_stall),
    ("fullsync-memory", fullsync::memory_under_writes),
    ("replica", replica::replica),
    ("types-p100", cpu::types_100),
    ("types-p16", cpu::types_16),
    ("elements", elements::elements),
    ("stalls", stalls::stalls),
    ("zrank", cpu::rank),
    ("addjob", bullmq::add_job),
];

impl Bench {
    pub(crate) fn execute(&self) -> Result<()> {
        let tanist = self.tanist.clone().map_or_else(release_binary, Ok)?;
        // It is started from other folders.
        let tanist = tanist.canonicalize().with_context(|| format!("no binary at {}", tanist.display()))?;
        let scratch = target_dir().join("bench");
        std::fs::create_dir_all(&scratch)?;
        let contenders = self.contenders(&tanist, &scratch)?;
        let groups = if self.render { Vec::new() } else { self.groups()? };
        let connections = usize::from(self.connections);
        let setting = Setting { tanist, port: self.port, quick: self.quick, connections, scratch };
        // A binary that was built before may come from any commit.
        let what = if self.tanist.is_some() { "a binary given".to_owned() } else { machine::commit() };
        machine::pin_load();
        let awake = machine::keep_cores_awake();
        if awake.is_none() {
            eprintln!(
                "idle cores sleep (no access to /dev/cpu_dma_latency): waking them is counted as the servers' work"
            );
        }
        // What was measured quickly never mixes with what may be published.
        let file = if self.quick { "quick.json" } else { "results.json" };
        let mut results = Results::load(&setting.scratch.join(file));
        for (name, measure) in groups {
            let mut fresh: Vec<(String, Sample)> = Vec::new();
            for round in 0..self.runs {
                for contender in &contenders {
                    let samples = measure(&setting, contender)
                        .with_context(|| format!("{name}, {}, round {}", contender.name, round + 1))?;
                    for sample in samples {
                        println!("{:<28} {:<16} {:>12.3}", sample.row, contender.name, sample.value);
                        fresh.push((contender.name.clone(), sample));
                    }
                }
            }
            results.take(&fresh, &what, self.join);
            results.save()?;
        }
        drop(awake);
        let own = contenders.iter().find(|c| c.own()).map(|c| c.name.as_str());
        let text = results.markdown(own.unwrap_or_default());
        println!("{text}");
        if !self.no_write && !self.quick {
            table::write_docs(&text)?;
            plot::write(&results, own.unwrap_or_default())?;
        }
        Ok(())
    }

    fn groups(&self) -> Result<Vec<(&'static str, Measure)>> {
        let wanted =
            |name: &str| self.only.is_empty() || self.only.iter().any(|o| name.starts_with(o.as_str()));
        let groups: Vec<_> = GROUPS.into_iter().filter(|(name, _)| wanted(name)).collect();
        if groups.is_empty() {
            let names: Vec<&str> = GROUPS.iter().map(|(name, _)| *name).collect();
            bail!("no such row; there are: {}", names.join(", "));
        }
        Ok(groups)
    }

    fn contenders(&self, tanist: &Path, scratch: &Path) -> Result<Vec<Contender>> {
        let mut out = Vec::new();
        if !self.no_own {
            // The name under which the one binary is the server.
            let server = scratch.join("tanist-server");
            let _ = std::fs::remove_file(&server);
            std::os::unix::fs::symlink(tanist, &server)?;
            out.push(Contender { name: server::version(tanist)?, server, sentinel: None });
        }
        let installed = (!self.no_redis).then(|| PathBuf::from("/usr/bin/redis-server"));
        for path in installed.iter().chain(&self.peer) {
            let file = path.file_name().and_then(|f| f.to_str()).context("a peer is a path to its server")?;
            let sentinel = path.with_file_name(file.replace("-server", "-sentinel"));
            out.push(Contender {
                name: server::version(path)?,
                server: path.clone(),
                sentinel: Some(sentinel),
            });
        }
        Ok(out)
    }
}
