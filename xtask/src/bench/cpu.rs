//! Server CPU per command: PING, SET and GET of 64 B values over 1 M random keys.

use std::time::Duration;

use anyhow::Result;

use super::load::{Kind, Load, Runner};
use super::server::Server;
use super::{Contender, Sample, Setting};

const VALUE: usize = 64;

pub(super) fn pipeline_100(setting: &Setting, who: &Contender) -> Result<Vec<Sample>> {
    measure(setting, who, 100)
}

pub(super) fn pipeline_16(setting: &Setting, who: &Contender) -> Result<Vec<Sample>> {
    measure(setting, who, 16)
}

pub(super) fn pipeline_1(setting: &Setting, who: &Contender) -> Result<Vec<Sample>> {
    measure(setting, who, 1)
}

fn measure(setting: &Setting, who: &Contender, pipeline: usize) -> Result<Vec<Sample>> {
    let keys = if setting.quick { 100_000 } else { 1_000_000 };
    let server = Server::start(setting, who, 0, &[])?;
    Runner::fill(server.addr, keys, VALUE)?;
    let mut out = Vec::new();
    for (kind, name) in [(Kind::Ping, "ping"), (Kind::Set, "set"), (Kind::Get, "get")] {
        let load = Load { kind, connections: setting.connections, pipeline, keys, value: VALUE };
        let us = per_command(setting, &[&server], load)?[0];
        out.push(Sample { row: format!("cpu-p{pipeline}-{name}"), value: us });
    }
    Ok(out)
}

/// Microseconds of CPU per command on each of `servers`, while `load` runs against the first.
pub(super) fn per_command(setting: &Setting, servers: &[&Server], load: Load) -> Result<Vec<f64>> {
    let time = Duration::from_millis(if setting.quick { 500 } else { 2500 });
    let mut runner = Runner::connect(servers[0].addr, load)?;
    runner.run(time / 5)?;
    let before = servers.iter().map(|s| s.cpu()).collect::<Result<Vec<_>>>()?;
    let commands = runner.run(time)?;
    let after = servers.iter().map(|s| s.cpu()).collect::<Result<Vec<_>>>()?;
    Ok(before.iter().zip(&after).map(|(b, a)| (*a - *b).as_secs_f64() * 1e6 / commands as f64).collect())
}
