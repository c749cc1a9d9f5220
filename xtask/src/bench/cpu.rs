//! Server CPU per command: strings of 64 B over 1 M random keys, and the other types with a million elements.

use std::time::Duration;

use anyhow::Result;

use super::load::{self, Form, Load, Runner};
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
    Runner::fill(server.addr, &load::SET, keys, VALUE)?;
    let mut out = Vec::new();
    for (form, name) in [(&load::PING, "ping"), (&load::SET, "set"), (&load::GET, "get")] {
        let load = Load { form, connections: setting.connections, pipeline, keys, value: VALUE };
        let us = per_command(setting, &[&server], load)?[0];
        out.push(Sample { row: format!("cpu-p{pipeline}-{name}"), value: us });
    }
    Ok(out)
}

/// Elements and values as short as `valkey-benchmark` sends them.
const SHORT: usize = 3;

/// Commands on one large hash, set, sorted set or list, on counters, and of a script, 100 at a time.
pub(super) fn types_100(setting: &Setting, who: &Contender) -> Result<Vec<Sample>> {
    let rows: [(&Form, &str); 6] = [
        (&load::INCR, "incr"),
        (&load::HSET, "hset"),
        (&load::ZADD, "zadd"),
        (&load::SADD, "sadd"),
        (&load::LPUSH, "lpush"),
        (&load::EVALSHA, "evalsha"),
    ];
    types(setting, who, 100, &rows)
}

/// Commands with many elements or keys, 16 at a time.
pub(super) fn types_16(setting: &Setting, who: &Contender) -> Result<Vec<Sample>> {
    types(setting, who, 16, &[(&load::LRANGE, "lrange"), (&load::MSET, "mset")])
}

fn types(
    setting: &Setting,
    who: &Contender,
    pipeline: usize,
    rows: &[(&'static Form, &str)],
) -> Result<Vec<Sample>> {
    let keys = if setting.quick { 100_000 } else { 1_000_000 };
    let mut out = Vec::new();
    for (form, name) in rows {
        let server = Server::start(setting, who, 0, &[])?;
        server.ask(&format!("SCRIPT LOAD \"{}\"", load::SCRIPT))?;
        // What is read must be there, and what is counted must be counters.
        let filler = if *name == "lrange" { &load::LPUSH } else { *form };
        Runner::fill(server.addr, filler, keys, SHORT)?;
        let load = Load { form, connections: setting.connections, pipeline, keys, value: SHORT };
        let us = per_command(setting, &[&server], load)?[0];
        out.push(Sample { row: format!("types-p{pipeline}-{name}"), value: us });
    }
    Ok(out)
}

/// Orders of magnitude of sorted sets whose ranks are asked for.
pub(crate) const RANKED: std::ops::RangeInclusive<u32> = 3..=7;

/// `ZRANK`, and `ZRANGE` of one rank, in sorted sets of a thousand to ten million members.
pub(super) fn rank(setting: &Setting, who: &Contender) -> Result<Vec<Sample>> {
    let server = Server::start(setting, who, 0, &[])?;
    let mut out = Vec::new();
    for exponent in RANKED {
        let keys = 10u64.pow(if setting.quick { exponent.min(5) } else { exponent });
        Runner::fill(server.addr, &load::ZADD, keys, 0)?;
        for (form, name) in [(&load::ZRANK, "zrank"), (&load::ZRANGE, "zrange")] {
            let load = Load { form, connections: setting.connections, pipeline: 100, keys, value: 0 };
            let us = per_command(setting, &[&server], load)?[0];
            out.push(Sample { row: format!("{name}-1e{exponent}"), value: us });
        }
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
