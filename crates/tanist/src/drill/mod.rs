//! Failover drills: writers, a fault, the recovery, and a report that judges it.

pub mod command;
pub mod events;
pub mod faults;
pub mod finder;
pub mod probe;
pub mod report;
pub mod timeline;
pub mod verify;
pub mod writers;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Error, Result, anyhow, bail};

use crate::cluster::{Cluster, Kind, Layout, Signal, View, Watcher};
use crate::output::note;
use events::{Event, EventLog, Listeners};
pub use faults::Fault;
use finder::Finder;
use probe::RoleProbe;
use report::Run;
use timeline::{Timeline, after};
use writers::{Log, Plan, Writers};

/// How to drill.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is done to the primary.
    pub fault: Fault,
    /// Writers in all, and how many of them ask `WAIT 1` after each write.
    pub writers: usize,
    /// See above.
    pub confirming: usize,
    /// Writes sent before the answers are read.
    pub pipeline: usize,
    /// Writes per second and writer at most.
    pub rate: Option<f64>,
    /// How long to write before the fault.
    pub warm_up: Duration,
    /// How long a failover may take before the drill gives up on it.
    pub patience: Duration,
    /// Without data of others: node contents can be compared, and need no cleaning.
    pub own_cluster: bool,
    /// Ask for the coordinated planned switch by name (Valkey's sentinel has both).
    pub coordinated: bool,
    /// Raised to end the drill early: the fault is undone, and what was written is removed.
    pub stop: Arc<AtomicBool>,
}

/// The phases of a run, for a progress bar.
pub const PHASES: [&str; 5] = ["writing", "fault", "failover", "recovery", "reading back"];

/// Runs one drill on a cluster whose members agree. `phase` hears the number of each phase that begins.
pub fn run(cluster: &mut Cluster, options: &Options, phase: &mut dyn FnMut(usize)) -> Result<Run> {
    let (drill, writers) = Drill::start(cluster, options)?;
    phase(0);
    let mut act = Act::new(&drill);
    let injected = drill.warm_up(&writers).and_then(|()| {
        phase(1);
        options.fault.inject(cluster, drill.victim, options.coordinated)
    });
    let fault = match injected {
        Ok(at) => at,
        Err(e) => {
            drill.abandon(&writers.finish());
            return Err(e);
        }
    };
    phase(2);
    act.await_failover(&drill, cluster, fault);
    phase(3);
    act.heal(&drill, cluster, fault, &writers);
    let logs = writers.finish();
    act.await_agreement(&drill, cluster, fault);
    if drill.stopped() {
        drill.abandon(&logs);
        return Err(stopped());
    }
    phase(4);
    drill.finish(cluster, fault, act, &logs)
}

/// Why a drill has no report.
pub fn stopped() -> Error {
    anyhow!("stopped; the cluster is as it was before, but for its primary")
}

/// Everything that runs beside the cluster during a drill.
struct Drill<'a> {
    options: &'a Options,
    layout: Layout,
    victim: usize,
    old_primary: SocketAddr,
    zero: Instant,
    tag: String,
    log: Arc<EventLog>,
    listeners: Listeners,
    probe: RoleProbe,
}

/// What is found out in the course of a run.
struct Act {
    new_primary: SocketAddr,
    times: Timeline,
    troubles: Vec<String>,
}

impl<'a> Drill<'a> {
    fn start(cluster: &Cluster, options: &'a Options) -> Result<(Drill<'a>, Writers)> {
        let layout = cluster.layout.clone();
        let view = Watcher::new(Duration::from_secs(1)).look(&layout);
        let old_primary = view.agreement().map_err(|why| anyhow!("not ready for a drill: {why}"))?;
        let victim =
            layout.members.iter().position(|m| m.addr() == old_primary).context("a foreign primary")?;
        let sentinels = layout.sentinels().map(|s| s.addr()).collect();
        let zero = Instant::now();
        let tag = format!("{:08x}", unique());
        let plan = Plan {
            tag: tag.clone(),
            writers: options.writers,
            confirming: options.confirming,
            pipeline: options.pipeline,
            rate: options.rate,
            password: layout.password.clone(),
            zero,
        };
        let finder = Arc::new(Finder::new(sentinels, &layout.name, layout.password(Kind::Sentinel)));
        let log = Arc::new(EventLog::default());
        let others: Vec<SocketAddr> =
            layout.nodes().map(|n| n.addr()).filter(|a| *a != old_primary).collect();
        let drill = Drill {
            options,
            victim,
            old_primary,
            zero,
            tag,
            listeners: Listeners::start(&layout, &log, Some(&finder)),
            probe: RoleProbe::start(&others, layout.password.as_deref()),
            log,
            layout,
        };
        Ok((drill, Writers::start(&plan, &finder)))
    }

    fn warm_up(&self, writers: &Writers) -> Result<()> {
        let warm = Instant::now() + self.options.warm_up;
        let deadline = warm + Duration::from_secs(5);
        while Instant::now() < warm || writers.acked() == 0 {
            if self.stopped() {
                return Err(stopped());
            }
            if Instant::now() > deadline {
                bail!("no write was acknowledged before the fault");
            }
            sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn stopped(&self) -> bool {
        self.options.stop.load(Ordering::Relaxed)
    }

    /// Ends without a report; takes what was written away again where others have their data.
    fn abandon(self, logs: &[Log]) {
        self.listeners.finish();
        self.probe.finish();
        if self.options.own_cluster {
            return;
        }
        let view = Watcher::new(Duration::from_secs(1)).look(&self.layout);
        let primary = view.named_primary().unwrap_or(self.old_primary);
        if let Err(e) = verify::clean_up(primary, self.layout.password.as_deref(), &self.tag, logs) {
            note(format_args!("the keys drill:{}:* are still at {primary}: {e}", self.tag));
        }
    }

    fn finish(self, cluster: &Cluster, fault: Instant, mut act: Act, logs: &[Log]) -> Result<Run> {
        if let Some((at, _)) = self.probe.seen() {
            act.times.role = Some(after(fault, at));
        }
        self.probe.finish();
        self.listeners.finish();
        let sentinels = self.layout.sentinels().count();
        act.times.read_events(&self.log.since(0), &self.layout.name, fault, sentinels);
        act.times.read_writers(logs, fault - self.zero, act.new_primary);
        let password = self.layout.password.as_deref();
        let tally = verify::read_back(act.new_primary, password, &self.tag, logs)
            .with_context(|| format!("cannot read back from {}", act.new_primary))?;
        let content = if self.options.own_cluster {
            quiet_sentinels(cluster);
            let same = verify::same_content(&cluster.layout, Duration::from_secs(20));
            same.map_err(|e| act.troubles.push(format!("{e:#}"))).ok()
        } else {
            verify::clean_up(act.new_primary, password, &self.tag, logs)?;
            None
        };
        let label = |addr| self.layout.at(addr).map_or_else(|| addr.to_string(), |m| m.label());
        Ok(Run {
            from: label(self.old_primary),
            to: label(act.new_primary),
            times: act.times,
            tally,
            content,
            errors: distinct_errors(logs),
            troubles: act.troubles,
        })
    }
}

impl Act {
    fn new(drill: &Drill<'_>) -> Act {
        Act { new_primary: drill.old_primary, times: Timeline::default(), troubles: Vec::new() }
    }

    /// Waits until every sentinel has announced the switch. A primary that came back at once may also stay
    /// primary: then all agree on it again, and nothing is announced.
    fn await_failover(&mut self, drill: &Drill<'_>, cluster: &mut Cluster, fault: Instant) {
        let wanted = drill.layout.sentinels().count();
        let mut watcher = Watcher::new(Duration::from_millis(200));
        let calm = Duration::from_secs(5);
        let mut heard = 0;
        while fault.elapsed() < drill.options.patience && !drill.stopped() {
            let mut times = Timeline::default();
            times.read_events(&drill.log.since(0), &drill.layout.name, fault, wanted);
            if times.switched_all.is_some() {
                return;
            }
            // What an operator would do: a switch that was given up, as for want of votes in time, is asked for again.
            let fresh = drill.log.since(heard);
            heard += fresh.len();
            let given_up = |e: &Event| e.at >= fault && e.channel.starts_with("-failover-abort");
            if drill.options.fault == Fault::Planned && fresh.iter().any(given_up) {
                // A refusal says that it is under way after all.
                let _ = drill.options.fault.inject(cluster, drill.victim, drill.options.coordinated);
            }
            let unmoved = drill.options.fault == Fault::Reboot && times.switched.is_none();
            if unmoved && fault.elapsed() > calm && watcher.look(&cluster.layout).agreement().is_ok() {
                return;
            }
            sleep(Duration::from_millis(10));
        }
        if drill.stopped() {
            return;
        }
        self.troubles.push(format!("no complete failover within {} s", drill.options.patience.as_secs()));
    }

    /// Lets the victim return. The writers meet that too; they go on until the new order has carried writes
    /// for a while, not until the last node has caught up with them.
    fn heal(&mut self, drill: &Drill<'_>, cluster: &mut Cluster, fault: Instant, writers: &Writers) {
        if let Err(e) = drill.options.fault.heal(cluster, drill.victim) {
            self.troubles.push(format!("{e:#}"));
        }
        let before = writers.acked();
        let deadline = Instant::now() + drill.options.patience;
        while writers.acked() == before && Instant::now() < deadline && !drill.stopped() {
            sleep(Duration::from_millis(10));
        }
        let enough = Instant::now() + Duration::from_millis(1500);
        let mut watcher = Watcher::new(Duration::from_millis(500));
        while Instant::now() < enough && !drill.stopped() {
            self.note_rejoined(drill, &watcher.look(&cluster.layout), fault);
            sleep(Duration::from_millis(20));
        }
    }

    /// The old primary may be a replica long before all agree.
    fn note_rejoined(&mut self, drill: &Drill<'_>, view: &View, fault: Instant) {
        let victim = view.nodes.iter().find(|n| n.port == drill.old_primary.port());
        if self.times.rejoined.is_none() && victim.is_some_and(|v| v.role == "replica" && v.link == "up") {
            self.times.rejoined = Some(after(fault, Instant::now()));
        }
    }

    /// Waits until all agree, the victim among them.
    fn await_agreement(&mut self, drill: &Drill<'_>, cluster: &Cluster, fault: Instant) {
        let deadline = Instant::now() + drill.options.patience;
        let mut watcher = Watcher::new(Duration::from_millis(500));
        loop {
            let view = watcher.look(&cluster.layout);
            self.note_rejoined(drill, &view, fault);
            // Even without full agreement the writes must be looked for where the sentinels point.
            if let Ok(primary) = view.named_primary() {
                self.new_primary = primary;
            }
            let why = match view.agreement() {
                Ok(_) => break,
                Err(why) => why,
            };
            if Instant::now() >= deadline {
                self.troubles.push(format!("the cluster did not come together again: {why}"));
                break;
            }
            sleep(Duration::from_millis(20));
        }
    }
}

/// A digest of many keys holds a node up for longer than `down-after`: that must not look like a failure.
fn quiet_sentinels(cluster: &Cluster) {
    for process in cluster.layout.sentinels().filter_map(|s| s.process) {
        process.signal(Signal::KILL);
        process.wait_gone(Duration::from_secs(5));
    }
}

/// A number that no other drill on this machine has: when it was asked for, and by whom.
pub fn unique() -> u32 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (now.as_nanos() as u32) ^ std::process::id().rotate_left(20)
}

fn distinct_errors(logs: &[Log]) -> Vec<String> {
    let mut errors: Vec<String> = logs.iter().flat_map(|l| l.errors.iter().cloned()).collect();
    errors.sort();
    errors.dedup();
    errors.truncate(8);
    errors
}
