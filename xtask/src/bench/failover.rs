//! Failovers, by way of `tanist drill` on a throw-away cluster of each contender.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Contender, Sample, Setting};
use crate::shell::root;

pub(super) fn crash(setting: &Setting, who: &Contender) -> Result<Vec<Sample>> {
    let report = drill(setting, who, "crash", &[])?;
    Ok(vec![sample("gap-crash", &report["median"]["gap_ms"])?])
}

pub(super) fn hang(setting: &Setting, who: &Contender) -> Result<Vec<Sample>> {
    let report = drill(setting, who, "hang", &[])?;
    Ok(vec![sample("gap-hang", &report["median"]["gap_ms"])?])
}

pub(super) fn planned(setting: &Setting, who: &Contender) -> Result<Vec<Sample>> {
    // The load under which peers lose most: many writes in flight when the roles change.
    let report = drill(setting, who, "planned", &["--pipeline", "16"])?;
    let mut out = vec![
        sample("planned-gap", &report["median"]["gap_ms"])?,
        sample("planned-lost", &report["runs"][0]["writes"]["lost"])?,
    ];
    if who.name.starts_with("valkey") {
        let report = drill(setting, who, "planned", &["--pipeline", "16", "--coordinated"])?;
        out.push(sample("planned-coordinated-gap", &report["median"]["gap_ms"])?);
        out.push(sample("planned-coordinated-lost", &report["runs"][0]["writes"]["lost"])?);
    }
    Ok(out)
}

pub(super) fn reboot(setting: &Setting, who: &Contender) -> Result<Vec<Sample>> {
    let report = drill(setting, who, "reboot", &[])?;
    Ok(vec![
        sample("reboot-lost", &report["runs"][0]["writes"]["lost"])?,
        sample("reboot-gap", &report["median"]["gap_ms"])?,
    ])
}

fn sample(row: &str, value: &Value) -> Result<Sample> {
    Ok(Sample { row: row.to_owned(), value: value.as_f64().with_context(|| format!("no {row}"))? })
}

/// Runs one drill. A broken promise ends it with status 1 and is a result like any other.
fn drill(setting: &Setting, who: &Contender, fault: &str, extra: &[&str]) -> Result<Value> {
    let mut command = Command::new("taskset");
    // Not on the load's core alone: a drill is a whole cluster.
    let all = format!("0-{}", std::thread::available_parallelism().map_or(1, usize::from).max(2) - 1);
    command.args(["-c", &all]).arg(&setting.tanist).args(["drill", fault, "--json"]).args(extra);
    command.args(["--down-after", "1000"]).current_dir(root());
    if let Some(sentinel) = &who.sentinel {
        command.arg("--server-bin").arg(&who.server).arg("--sentinel-bin").arg(sentinel);
    }
    let out = command.output().context("cannot run the drill")?;
    serde_json::from_slice(&out.stdout)
        .with_context(|| format!("drill {fault}: {}", String::from_utf8_lossy(&out.stderr)))
}
