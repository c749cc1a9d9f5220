//! The run: a cluster, clients, faults until the time is over, calm, verdict.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;
use tanist::client::Client;
use tanist::cluster::{Cluster, Directives, Kind, Shape, Watcher, ports};
use tanist::drill::Fault;
use tanist::drill::command::{Throwaway, abandon_on_stop, program};
use tanist::drill::events::{EventLog, Listeners};
use tanist::drill::finder::Finder;
use tanist::drill::unique;
use tanist_types::Rng;

use crate::Options;
use crate::checker::{Findings, check};
use crate::registers::{Clients, get};

/// A planned switch that has come to nothing after so long is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// How long a cluster may take to come together after a fault.
const PATIENCE: Duration = Duration::from_secs(60);

/// Does it all; whether every promise was kept.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let faults = options.faults.iter().map(|f| fault(f)).collect::<Result<Vec<_>>>()?;
    let shape = shape(options)?;
    abandon_on_stop(Arc::new(Mutex::new(Some(shape.dir.clone()))))?;
    let mut throwaway = Throwaway::start(&shape, &directives(options), false)?;
    let cluster = &mut throwaway.cluster;
    let sentinels = cluster.layout.sentinels().map(|s| s.addr()).collect();
    let password = cluster.layout.password(Kind::Sentinel);
    let finder = Arc::new(Finder::new(sentinels, &cluster.layout.name, password));
    let log = Arc::new(EventLog::default());
    let listeners = Listeners::start(&cluster.layout, &log, Some(&finder));
    let zero = Instant::now();
    let clients = Clients::start(&finder, zero, options.registers, options.readers);

    let done = torment(cluster, &faults, options, zero, &log);
    let history = clients.finish();
    listeners.finish();
    throwaway.keep = done.is_err();
    let injected = done?;
    let last = last_values(cluster, options.registers)?;
    let findings = check(&history, &last);
    let only_planned = injected.keys().all(|f| *f == "planned");
    let violations = findings.violations(only_planned);
    throwaway.keep = !violations.is_empty();
    report(options, &injected, &findings, &violations);
    Ok(violations.is_empty())
}

/// One fault after the other, each after the group has recovered from the last.
fn torment(
    cluster: &mut Cluster,
    faults: &[Fault],
    options: &Options,
    zero: Instant,
    log: &EventLog,
) -> Result<BTreeMap<&'static str, u64>> {
    let mut rng = Rng::from_seed(options.seed);
    let mut injected = BTreeMap::new();
    sleep(Duration::from_secs(1));
    while zero.elapsed() < Duration::from_secs(options.seconds) {
        let fault = faults[rng.below(faults.len() as u64) as usize];
        let victim = primary(cluster)?;
        let heard = log.len();
        fault.inject(cluster, victim, false)?;
        *injected.entry(fault.name()).or_insert(0) += 1;
        recover(cluster, fault, victim, log, heard)?;
        sleep(Duration::from_millis(200 + rng.below(800)));
    }
    Ok(injected)
}

/// Waits for the switch (a rebooted primary may also stay one), heals, waits for agreement.
fn recover(cluster: &mut Cluster, fault: Fault, victim: usize, log: &EventLog, heard: usize) -> Result<()> {
    let began = Instant::now();
    let name = cluster.layout.name.clone();
    let switched = || log.since(heard).iter().any(|e| e.switched_to(&name).is_some());
    let enough = if fault == Fault::Reboot { Duration::from_secs(5) } else { PATIENCE };
    let mut asked = began;
    while !switched() {
        if began.elapsed() > enough {
            if fault == Fault::Reboot {
                break;
            }
            bail!("no failover {} s after {}", PATIENCE.as_secs(), fault.name());
        }
        if fault == Fault::Planned && asked.elapsed() > ASK_AGAIN {
            // What an operator would do: on a slow disk the primary may stay what it is. That the order is refused
            // because one is still being carried out is no trouble.
            let _ = fault.inject(cluster, victim, false);
            asked = Instant::now();
        }
        sleep(Duration::from_millis(10));
    }
    fault.heal(cluster, victim)?;
    cluster.wait_agreement(PATIENCE, || Ok(())).map(drop)
}

fn primary(cluster: &Cluster) -> Result<usize> {
    let view = Watcher::new(Duration::from_secs(1)).look(&cluster.layout);
    let addr = view.named_primary().map_err(|why| anyhow::anyhow!(why))?;
    cluster.layout.members.iter().position(|m| m.addr() == addr).context("a foreign primary")
}

fn last_values(cluster: &mut Cluster, registers: usize) -> Result<BTreeMap<usize, u64>> {
    let view = cluster.wait_agreement(PATIENCE, || Ok(()))?;
    let addr = view.named_primary().map_err(|why| anyhow::anyhow!(why))?;
    let mut client = Client::connect(addr, Duration::from_secs(5))?;
    (0..registers)
        .map(|r| Ok((r, get(&mut client, r).with_context(|| format!("cannot read register {r}"))?)))
        .collect()
}

fn fault(name: &str) -> Result<Fault> {
    let all = [Fault::Crash, Fault::Hang, Fault::Reboot, Fault::Planned];
    all.into_iter().find(|f| f.name() == name).with_context(|| format!("no fault is called {name:?}"))
}

fn shape(options: &Options) -> Result<Shape> {
    let port = options.port.map_or_else(|| ports::free_block(6), Ok)?;
    Ok(Shape {
        dir: std::env::temp_dir().join(format!("tanist-jepsen-{:08x}", unique())),
        name: "registers".to_owned(),
        nodes: 3,
        sentinels: 3,
        port,
        sentinel_port: port.checked_add(3).context("ports go up to 65535")?,
        server: program(options.server_bin.as_ref()),
        sentinel: program(options.sentinel_bin.as_ref()),
    })
}

fn directives(options: &Options) -> Directives {
    Directives {
        node: vec!["save \"\"".to_owned()],
        sentinel: Vec::new(),
        down_after_ms: Some(options.down_after),
    }
}

fn report(options: &Options, faults: &BTreeMap<&str, u64>, f: &Findings, violations: &[String]) {
    if options.json {
        let json = json!({
            "seconds": options.seconds, "seed": options.seed, "faults": faults, "reads": f.reads,
            "writes": f.writes, "impossible": f.impossible, "stale": f.stale, "emptied": f.emptied, "backward": f.backward,
            "lost": f.lost, "lost_confirmed": f.lost_confirmed, "violations": violations,
        });
        println!("{json:#}");
        return;
    }
    let faults: Vec<String> = faults.iter().map(|(name, n)| format!("{n} {name}")).collect();
    println!("faults: {}", faults.join(", "));
    println!(
        "{} reads: {} stale ({} of them found nothing), {} backward, {} impossible",
        f.reads, f.stale, f.emptied, f.backward, f.impossible
    );
    println!(
        "{} acknowledged writes; registers with a lost last write: {} acknowledged, {} confirmed",
        f.writes, f.lost, f.lost_confirmed
    );
    for violation in violations {
        println!("BROKEN: {violation}");
    }
    println!("{}", if violations.is_empty() { "every promise kept" } else { "PROMISE BROKEN" });
}
