//! `tanist drill`: on a throw-away cluster of its own, or on one that is up.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::report::{Report, Run};
use super::{Fault, Options, PHASES, run, stopped, unique};
use crate::cluster::{Cluster, Directives, Layout, Program, Shape, Signal, Watcher, hold_starts, ports};
use crate::output;
use crate::signals;

/// The fault's name on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum FaultName {
    /// kill -9 of the primary
    Crash,
    /// SIGSTOP of the primary, SIGCONT after the failover
    Hang,
    /// kill -9 and an immediate restart without data
    Reboot,
    /// SENTINEL FAILOVER
    Planned,
}

/// Run a failover drill and judge it.
#[derive(Args, Debug)]
pub struct Drill {
    /// What happens to the primary
    fault: FaultName,
    /// Repeat, and report medians
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    /// Report as JSON
    #[arg(long)]
    json: bool,
    /// Use the cluster in this folder, which is up, instead of a throw-away one
    #[arg(long)]
    dir: Option<PathBuf>,
    /// down-after-milliseconds of the throw-away cluster
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    down_after: u64,
    /// Nodes of the throw-away cluster; one of them has to be left to take over
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(2..))]
    nodes: u16,
    /// Sentinels of the throw-away cluster
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    sentinels: u16,
    /// First of the throw-away cluster's ports (default: any free ones)
    #[arg(long)]
    port: Option<u16>,
    /// Writers
    #[arg(long, default_value_t = 8, value_parser = at_least_one)]
    writers: usize,
    /// How many of the writers confirm each write with WAIT 1
    #[arg(long, default_value_t = 2)]
    confirming: usize,
    /// Writes that a writer sends before it reads the answers
    #[arg(long, default_value_t = 1, value_parser = at_least_one)]
    pipeline: usize,
    /// Writes per second and writer at most
    #[arg(long)]
    rate: Option<f64>,
    /// Milliseconds of writing before the fault
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    warm_up: u64,
    /// Seconds that a failover, and then the recovery, may take
    #[arg(long, value_name = "S", default_value_t = 60)]
    patience: u64,
    /// Extra directive for every node of the throw-away cluster, 'name value'
    #[arg(long, value_name = "LINE")]
    directive: Vec<String>,
    /// Extra directive for every sentinel of the throw-away cluster; %name% is the group's name
    #[arg(long, value_name = "LINE")]
    sentinel_directive: Vec<String>,
    /// Drill another server instead, e.g. /usr/bin/redis-server
    #[arg(long, value_name = "PATH")]
    server_bin: Option<PathBuf>,
    /// Drill another sentinel instead
    #[arg(long, value_name = "PATH")]
    sentinel_bin: Option<PathBuf>,
    /// Ask for `SENTINEL FAILOVER <name> COORDINATED` (Valkey's spelling; ours is always coordinated)
    #[arg(long)]
    coordinated: bool,
    /// Keep the throw-away cluster's folder
    #[arg(long)]
    keep: bool,
}

impl Drill {
    /// Runs it all, prints the report and says whether every promise was kept.
    pub fn execute(&self) -> Result<bool> {
        let bar = self.progress();
        let own = Arc::new(Mutex::new(None));
        let mut stop = Arc::default();
        match &self.dir {
            // What was done to a cluster that others use is undone first.
            Some(_) => stop = signals::stop_flag()?,
            None => abandon_on_stop(own.clone())?,
        }
        let mut report =
            Report { fault: self.fault(), version: String::new(), setting: self.setting(), runs: Vec::new() };
        for _ in 0..self.runs {
            let (run, version) = match &self.dir {
                Some(dir) => self.on_existing(dir, &bar, &stop)?,
                None => self.on_own(&bar, &own)?,
            };
            report.version = version;
            report.runs.push(run);
        }
        bar.finish_and_clear();
        if self.json {
            output::report(serde_json::to_string_pretty(&report.json())?)?;
        } else {
            output::report(report.text().trim_end())?;
        }
        Ok(report.kept())
    }

    fn fault(&self) -> Fault {
        match self.fault {
            FaultName::Crash => Fault::Crash,
            FaultName::Hang => Fault::Hang,
            FaultName::Reboot => Fault::Reboot,
            FaultName::Planned => Fault::Planned,
        }
    }

    fn setting(&self) -> String {
        let place = match &self.dir {
            Some(dir) => format!("cluster in {}", dir.display()),
            None => format!(
                "{} nodes, {} sentinels, down-after {} ms",
                self.nodes, self.sentinels, self.down_after
            ),
        };
        format!("{place}, {} writers, pipeline {}", self.writers, self.pipeline)
    }

    fn options(&self, stop: &Arc<AtomicBool>) -> Options {
        Options {
            fault: self.fault(),
            writers: self.writers,
            confirming: self.confirming,
            pipeline: self.pipeline,
            rate: self.rate.filter(|r| *r > 0.0),
            warm_up: Duration::from_millis(self.warm_up),
            patience: Duration::from_secs(self.patience),
            own_cluster: self.dir.is_none(),
            coordinated: self.coordinated,
            stop: stop.clone(),
        }
    }

    fn on_existing(&self, dir: &Path, bar: &ProgressBar, stop: &Arc<AtomicBool>) -> Result<(Run, String)> {
        let mut cluster = Cluster::open(dir)?;
        cluster.claim()?;
        if cluster.layout.nodes().count() < 2 {
            bail!("the cluster in {} has one node; a drill needs another that can take over", dir.display());
        }
        let go_on = || if stop.load(Ordering::Relaxed) { Err(stopped()) } else { Ok(()) };
        cluster.wait_agreement(Duration::from_secs(self.patience), go_on)?;
        self.drill(&mut cluster, bar, stop)
    }

    fn on_own(&self, bar: &ProgressBar, own: &Own) -> Result<(Run, String)> {
        bar.set_message("starting a cluster");
        let shape = self.shape()?;
        *own.lock().unwrap_or_else(PoisonError::into_inner) = Some(shape.dir.clone());
        let mut throwaway = Throwaway::start(&shape, &self.directives(), self.keep)?;
        let done = self.drill(&mut throwaway.cluster, bar, &Arc::default());
        throwaway.keep |= done.is_err();
        done
    }

    fn drill(
        &self,
        cluster: &mut Cluster,
        bar: &ProgressBar,
        stop: &Arc<AtomicBool>,
    ) -> Result<(Run, String)> {
        let run = run(cluster, &self.options(stop), &mut |phase| {
            bar.set_message(PHASES[phase]);
            bar.inc(1);
        })?;
        Ok((run, version(&cluster.layout)))
    }

    fn shape(&self) -> Result<Shape> {
        let port = match self.port {
            Some(port) => port,
            None => {
                let count = self.nodes.checked_add(self.sentinels).context("ports go up to 65535")?;
                ports::free_block(count)?
            }
        };
        let folder = format!("tanist-drill-{}-{:08x}", std::process::id(), unique());
        Ok(Shape {
            dir: std::env::temp_dir().join(folder),
            name: "drill".to_owned(),
            nodes: self.nodes,
            sentinels: self.sentinels,
            port,
            sentinel_port: port.checked_add(self.nodes).context("ports go up to 65535")?,
            server: program(self.server_bin.as_ref()),
            sentinel: program(self.sentinel_bin.as_ref()),
        })
    }

    fn directives(&self) -> Directives {
        // Nothing is saved, so a restarted node is empty; the digest command is needed for the comparison.
        let mut node = vec!["save \"\"".to_owned(), "enable-debug-command yes".to_owned()];
        node.extend(self.directive.iter().cloned());
        Directives { node, sentinel: self.sentinel_directive.clone(), down_after_ms: Some(self.down_after) }
    }

    fn progress(&self) -> ProgressBar {
        if !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(u64::from(self.runs) * PHASES.len() as u64);
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed_precise} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1".to_owned()),
        Ok(n) => Ok(n),
        Err(e) => Err(format!("{e}")),
    }
}

/// The folder of the throw-away cluster that runs now.
pub type Own = Arc<Mutex<Option<PathBuf>>>;

/// Ctrl-C leaves neither processes nor a folder behind.
pub fn abandon_on_stop(own: Own) -> Result<()> {
    signals::on_stop(move || {
        // Kept to the end: what the drill would start or say now has to wait for that.
        let _held = hold_starts();
        if let Some(dir) = own.lock().unwrap_or_else(PoisonError::into_inner).take() {
            match Cluster::open(&dir) {
                Ok(mut cluster) => end(&mut cluster, false),
                // Nothing was started yet, and most often nothing is there.
                Err(_) => drop(std::fs::remove_dir_all(&dir)),
            }
        }
        std::process::exit(130);
    })
}

/// `--server-bin` and `--sentinel-bin`. Members work in folders of their own: a path must not depend on ours.
pub fn program(path: Option<&PathBuf>) -> Program {
    path.map_or(Program::Own, |p| match p.components().count() {
        1 if !p.is_absolute() => Program::Path(p.clone()),
        _ => Program::Path(std::path::absolute(p).unwrap_or_else(|_| p.clone())),
    })
}

/// What the nodes say they are.
pub fn version(layout: &Layout) -> String {
    let view = Watcher::new(Duration::from_secs(1)).look(layout);
    view.nodes.into_iter().map(|n| n.version).find(|v| !v.is_empty()).unwrap_or_default()
}

/// A cluster that is stopped and removed when dropped, whatever happened.
#[derive(Debug)]
pub struct Throwaway {
    /// Running, and of one mind.
    pub cluster: Cluster,
    /// Leave the folder.
    pub keep: bool,
}

impl Throwaway {
    /// Makes it, starts it and waits until all agree.
    pub fn start(shape: &Shape, directives: &Directives, keep: bool) -> Result<Throwaway> {
        let held = hold_starts();
        let mut throwaway = Throwaway { cluster: Cluster::create(shape, directives)?, keep };
        drop(held);
        let limit = Duration::from_secs(60);
        let started = throwaway
            .cluster
            .start(limit, || Ok(()))
            .and_then(|()| throwaway.cluster.wait_agreement(limit, || Ok(())));
        if started.is_err() {
            throwaway.keep = true;
        }
        started.with_context(|| format!("see the logs in {}", throwaway.cluster.layout.dir.display()))?;
        Ok(throwaway)
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        let _held = hold_starts();
        end(&mut self.cluster, self.keep);
    }
}

/// Nothing in it is worth a clean end.
fn end(cluster: &mut Cluster, keep: bool) {
    for process in cluster.layout.members.iter().filter_map(|member| member.process) {
        process.signal(Signal::KILL);
        process.wait_gone(Duration::from_secs(5));
    }
    cluster.reap();
    let dir = &cluster.layout.dir;
    if keep {
        output::note(format_args!("kept {}", dir.display()));
    } else if let Err(e) = std::fs::remove_dir_all(dir) {
        output::note(format_args!("cannot remove {}: {e}", dir.display()));
    }
}
