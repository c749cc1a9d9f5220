//! SET with one replica, pipeline 16: what it costs on the primary and on the replica.

use anyhow::Result;

use super::cpu::per_command;
use super::fullsync::{attach, wait_online};
use super::load::{self, Load, Runner};
use super::server::Server;
use super::{Contender, Sample, Setting};

pub(super) fn replica(setting: &Setting, who: &Contender) -> Result<Vec<Sample>> {
    let keys = if setting.quick { 100_000 } else { 1_000_000 };
    let primary = Server::start(setting, who, 0, &[])?;
    Runner::fill(primary.addr, &load::SET, keys, 64)?;
    let replica = Server::start(setting, who, 1, &[])?;
    attach(&replica, &primary)?;
    wait_online(&replica)?;
    let load = Load { form: &load::SET, connections: setting.connections, pipeline: 16, keys, value: 64 };
    let us = per_command(setting, &[&primary, &replica], load)?;
    Ok(vec![
        Sample { row: "replica-primary".into(), value: us[0] },
        Sample { row: "replica-replica".into(), value: us[1] },
    ])
}
