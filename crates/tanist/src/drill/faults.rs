//! What a drill does to the primary, and how it is undone.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::client::{Client, Value, text};
use crate::cluster::{Cluster, Layout, Signal};

/// The kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL; the process is started again after the failover.
    Crash,
    /// SIGSTOP; SIGCONT after the failover.
    Hang,
    /// SIGKILL and an immediate restart without data.
    Reboot,
    /// `SENTINEL FAILOVER`.
    Planned,
}

impl Fault {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Fault::Crash => "crash",
            Fault::Hang => "hang",
            Fault::Reboot => "reboot",
            Fault::Planned => "planned",
        }
    }

    /// Whether every acknowledged write must survive it, also with asynchronous replication.
    pub fn promises_all(self) -> bool {
        self == Fault::Planned
    }

    /// Does it to the member at position `victim`; returns the moment just before.
    pub fn inject(self, cluster: &mut Cluster, victim: usize, coordinated: bool) -> Result<Instant> {
        if self == Fault::Planned {
            return planned(&cluster.layout, coordinated);
        }
        let Some(process) = cluster.layout.members[victim].process else {
            bail!("{} does not run", cluster.layout.members[victim].label());
        };
        let at = Instant::now();
        let signal = if self == Fault::Hang { Signal::STOP } else { Signal::KILL };
        if !process.signal(signal) {
            bail!("{} is gone", cluster.layout.members[victim].label());
        }
        if self == Fault::Hang {
            return Ok(at);
        }
        process.wait_gone(Duration::from_secs(5));
        cluster.reap();
        cluster.layout.members[victim].process = None;
        if self == Fault::Reboot {
            forget_data(&cluster.layout, victim)?;
            cluster.start_member(victim)?;
        }
        Ok(at)
    }

    /// Lets the victim live again.
    pub fn heal(self, cluster: &mut Cluster, victim: usize) -> Result<()> {
        match self {
            Fault::Crash => cluster.start_member(victim),
            Fault::Hang => {
                cluster.layout.members[victim].process.map(|p| p.signal(Signal::CONT));
                Ok(())
            }
            Fault::Reboot | Fault::Planned => Ok(()),
        }
    }
}

fn planned(layout: &Layout, coordinated: bool) -> Result<Instant> {
    let mut refusal = String::from("no sentinel answers");
    let mut command = vec!["SENTINEL", "FAILOVER", &layout.name];
    if coordinated {
        command.push("COORDINATED");
    }
    for sentinel in layout.sentinels() {
        let password = layout.password(sentinel.kind);
        let Ok(mut client) = Client::login(sentinel.addr(), Duration::from_secs(5), password) else {
            continue;
        };
        let at = Instant::now();
        match client.call(&command) {
            Ok(Value::Error(e)) => refusal = String::from_utf8_lossy(&e).into_owned(),
            Ok(reply) if text(&reply).is_some() => return Ok(at),
            Ok(other) => refusal = format!("unexpected answer {other:?}"),
            Err(e) => refusal = e.to_string(),
        }
    }
    bail!("SENTINEL FAILOVER {} was refused: {refusal}", layout.name)
}

/// Removes the data files; what says who the node is stays.
fn forget_data(layout: &Layout, victim: usize) -> Result<()> {
    let dir = layout.member_dir(&layout.members[victim]);
    for entry in fs::read_dir(&dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "rdb") {
            fs::remove_file(&path)?;
        } else if path.ends_with("appendonlydir") {
            fs::remove_dir_all(&path)?;
        }
    }
    Ok(())
}
