//! Stages: plans made for trouble of one kind, in which a rule of the protocol that is left out is missed sooner than in
//! plans that mix everything (`docs/invariants.md`, `sabotage.txt`).

use crate::clock::ms;
use crate::plan::{FaultKind, Plan};
use clap::ValueEnum;

/// A kind of trouble.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Stage {
    /// Nodes and sentinels end, stop and are cut off; operators interfere.
    Storm,
    /// Hosts lose their power, and disks take their time.
    Blackouts,
    /// Operators give orders at two sentinels at once.
    Rivals,
    /// Replicas drop their data before they load.
    Flushes,
    /// Nodes end and lose sight of each other faster than the group can recover.
    Cascades,
    /// Nothing but switchovers, on a slow network and slow disks.
    Switchovers,
    /// Hosts are cut off for long, and primaries want replicas.
    Cutoffs,
    /// Nothing but switchovers, between nodes that are far from each other.
    Distances,
    /// Nodes that are far from each other end and stop.
    Stragglers,
    /// Nodes end and come back with what their snapshot files hold.
    Returns,
    /// A primary that was cut off is back when the one that took over ends.
    Relapses,
    /// Failovers, and somebody who gives orders in the leaders' names.
    Impostors,
}

impl Stage {
    /// The plan of a seed on this stage: three nodes that are picked by majority, three sentinels, and clients that have
    /// each write confirmed.
    #[must_use]
    pub fn plan(self, seed: u64) -> Plan {
        use FaultKind::{
            Force, Impostor, Isolate, Kill, OneWay, Pair, Pause, Power, Quarrel, Relapse, Reset, Save, Split,
            Switchover,
        };
        let mut plan = Plan::plain(seed);
        (plan.nodes, plan.sentinels, plan.clients) = (3, 3, 3);
        plan.trouble = ms(15_000);
        plan.net.loss_ppm = 0;
        plan.settings.quorum = 2;
        plan.settings.majority = true;
        plan.settings.down_after = 500;
        plan.settings.failover_timeout = 3_000;
        plan.settings.fast_crash = true;
        plan.settings.min_replicas = 0;
        plan.settings.sync_delay = 0;
        plan.work.think = ms(10);
        plan.work.wait = 1;
        plan.work.confirming = true;
        plan.faults.every = ms(500);
        plan.faults.lasts = ms(2_000);
        plan.faults.at_once = 2;
        plan.faults.kinds = match self {
            Stage::Storm => vec![Kill, Pause, Isolate, Split, Pair, OneWay, Reset, Switchover, Force],
            Stage::Blackouts => vec![Power, Power, Pause, Pair, OneWay, Force],
            Stage::Rivals => vec![Force, Force, Force, Quarrel, Pair, Pause],
            Stage::Flushes => vec![Kill, Power, Pair, Reset, Force],
            Stage::Cascades => vec![Kill, Kill, Pair, Pair, Pause],
            Stage::Switchovers => vec![Switchover],
            Stage::Cutoffs => vec![Isolate, Split],
            Stage::Distances => vec![Switchover],
            Stage::Stragglers => vec![Kill, Kill, Pause, Pair, Force],
            Stage::Returns => vec![Kill, Kill, Save, Pair],
            Stage::Relapses => vec![Relapse],
            Stage::Impostors => vec![Kill, Pause, Force, Impostor],
        };
        match self {
            Stage::Storm | Stage::Rivals => {}
            Stage::Blackouts => {
                (plan.disk.fsync, plan.disk.jitter, plan.disk.slow_ppm) = (ms(20), ms(100), 0);
            }
            Stage::Flushes => {
                plan.settings.load = "flush-before-load";
                plan.settings.backlog = 16 * 1024;
                (plan.work.padding, plan.net.latency) = (2_000, ms(3));
            }
            Stage::Cascades => {
                (plan.faults.every, plan.faults.lasts, plan.faults.at_once) = (ms(120), ms(500), 4);
                (plan.net.latency, plan.net.jitter) = (ms(1), ms(1));
                (plan.disk.fsync, plan.disk.jitter, plan.disk.slow_ppm) = (ms(1), ms(1), 0);
                plan.settings.down_after = 200;
            }
            Stage::Switchovers => {
                (plan.net.latency, plan.net.jitter) = (ms(3), ms(10));
                (plan.disk.fsync, plan.disk.slow_ppm) = (ms(5), 300_000);
                plan.settings.down_after = 2_000;
                plan.work.confirming = false;
            }
            Stage::Distances => {
                (plan.net.apart, plan.settings.down_after) = (ms(100), 2_000);
                plan.work.confirming = false;
            }
            Stage::Stragglers => {
                (plan.net.apart, plan.net.split_ppm) = (ms(150), 500_000);
                (plan.faults.every, plan.faults.lasts, plan.faults.at_once) = (ms(200), ms(1_000), 3);
                plan.settings.down_after = 200;
                plan.work.padding = 2_000;
            }
            Stage::Returns => {
                plan.settings.save = "1 1";
                (plan.faults.lasts, plan.work.padding) = (ms(1_000), 100);
            }
            Stage::Relapses => {
                (plan.clients, plan.work.padding, plan.work.confirming) = (5, 2_000, false);
                (plan.faults.lasts, plan.faults.at_once, plan.settings.down_after) = (ms(200), 1, 200);
                plan.work.patience = ms(320);
            }
            Stage::Impostors => plan.disk.fsync = ms(5),
            Stage::Cutoffs => {
                (plan.settings.min_replicas, plan.work.patience) = (1, ms(500));
                (plan.faults.lasts, plan.work.confirming) = (ms(8_000), false);
            }
        }
        plan
    }
}
