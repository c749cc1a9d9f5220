//! Full sync of 3 M keys of 128 B: its time, what a writer feels meanwhile, and the memory it takes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::load::{self, KEY, Load, Runner};
use super::machine;
use super::probe::{Probe, Prober};
use super::server::Server;
use super::{Contender, Sample, Setting};

const VALUE: usize = 128;
const LIMIT: Duration = Duration::from_secs(120);

fn keys(setting: &Setting) -> u64 {
    if setting.quick { 300_000 } else { 3_000_000 }
}

/// Makes `replica` follow `primary`.
pub(super) fn attach(replica: &Server, primary: &Server) -> Result<()> {
    let answer = replica.ask(&format!("REPLICAOF 127.0.0.1 {}", primary.addr.port()))?;
    if !answer.starts_with("+OK") {
        bail!("REPLICAOF answered {answer:?}");
    }
    Ok(())
}

/// Waits until the replica has its link and its data.
pub(super) fn wait_online(replica: &Server) -> Result<()> {
    let began = Instant::now();
    while began.elapsed() < LIMIT {
        // While it loads, a replica may refuse to answer.
        if replica.info("replication", "master_link_status").is_ok_and(|s| s == "up") {
            return Ok(());
        }
        sleep(Duration::from_millis(20));
    }
    bail!("no full sync within {} s", LIMIT.as_secs())
}

pub(super) fn time_and_stall(setting: &Setting, who: &Contender) -> Result<Vec<Sample>> {
    let primary = Server::start(setting, who, 0, &[])?;
    Runner::fill(primary.addr, &load::SET, keys(setting), VALUE)?;
    let replica = Server::start(setting, who, 1, &[])?;
    // What other processes and the kernel's housekeeping do on the server's core is not the server's.
    machine::prefer_answers(primary.pid());
    let prober = Prober::start(primary.addr, Probe::Set, None)?;
    // The worst without a sync, for comparison.
    sleep(Duration::from_secs(2));
    let calm = prober.take_worst().seen;
    let began = Instant::now();
    attach(&replica, &primary)?;
    wait_online(&replica)?;
    let time = began.elapsed();
    let stall = prober.finish()?.seen;
    Ok(vec![
        Sample { row: "fullsync-time".into(), value: time.as_secs_f64() },
        Sample { row: "fullsync-stall".into(), value: stall.as_secs_f64() * 1e3 },
        Sample { row: "fullsync-calm".into(), value: calm.as_secs_f64() * 1e3 },
    ])
}

/// Extra memory in percent of the data, with writes going on all the time.
pub(super) fn memory_under_writes(setting: &Setting, who: &Contender) -> Result<Vec<Sample>> {
    let keys = keys(setting);
    let primary = Server::start(setting, who, 0, &[])?;
    Runner::fill(primary.addr, &load::SET, keys, VALUE)?;
    let replica = Server::start(setting, who, 1, &[])?;
    let stop = Arc::new(AtomicBool::new(false));
    let writer = writer(primary.addr, keys, stop.clone());
    sleep(Duration::from_secs(1));
    let before = primary.family_memory()?;
    attach(&replica, &primary)?;
    let mut peak = before;
    let began = Instant::now();
    let synced = loop {
        peak = peak.max(primary.family_memory()?);
        if replica.info("replication", "master_link_status").is_ok_and(|s| s == "up") {
            break Ok(());
        }
        if began.elapsed() > LIMIT {
            break Err(anyhow::anyhow!("no full sync within {} s", LIMIT.as_secs()));
        }
        sleep(Duration::from_millis(50));
    };
    stop.store(true, Ordering::Relaxed);
    let wrote = writer.join().unwrap_or_else(|_| bail!("the writer failed"));
    synced?;
    wrote?;
    let data = keys * (KEY + VALUE) as u64;
    Ok(vec![Sample { row: "fullsync-memory".into(), value: (peak - before) as f64 * 100.0 / data as f64 }])
}

/// Some ten thousand writes per second over all keys.
fn writer(addr: SocketAddr, keys: u64, stop: Arc<AtomicBool>) -> JoinHandle<Result<()>> {
    thread::spawn(move || {
        let load = Load { form: &load::SET, connections: 1, pipeline: 20, keys, value: VALUE };
        let mut runner = Runner::connect(addr, load)?;
        while !stop.load(Ordering::Relaxed) {
            runner.run(Duration::ZERO)?;
            sleep(Duration::from_millis(2));
        }
        Ok(())
    })
}
