//! What one seed means: the size of the cluster, the weather, the faults, the settings, the clients.
//!
//! Each run uses some of all that can go wrong, not all of it ("swarm testing"): a fault that hides another one would
//! otherwise hide it in every run. Nothing is drawn anywhere else but from the seed.

use crate::clock::ms;
use std::time::Duration;
use tanist_types::Rng;

/// Everything that a seed decides in advance.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// Data nodes, 2 to 5 (1 to 5 without sentinels).
    pub nodes: usize,
    /// Sentinels, 1 to 5; none in a few runs.
    pub sentinels: usize,
    /// Clients.
    pub clients: usize,
    /// How long things go wrong.
    pub trouble: Duration,
    /// The network.
    pub net: NetPlan,
    /// The disks.
    pub disk: DiskPlan,
    /// The clocks.
    pub clocks: ClockPlan,
    /// What goes wrong.
    pub faults: FaultPlan,
    /// Directives of nodes and sentinels.
    pub settings: Settings,
    /// What clients do.
    pub work: WorkPlan,
    /// Data nodes have the bug that the simulator must find. Never so by a seed alone.
    pub canary: bool,
}

/// The network's ordinary behaviour.
#[derive(Clone, Copy, Debug)]
pub struct NetPlan {
    /// The least time that a segment takes.
    pub latency: Duration,
    /// What is added to it, at most.
    pub jitter: Duration,
    /// How often a segment is lost, per million.
    pub loss_ppm: u64,
    /// When a lost segment is sent again.
    pub resend: Duration,
    /// How often what is sent is cut in two, per million.
    pub split_ppm: u64,
    /// What is added between two data nodes, at most: they are far from each other, and everybody else is near.
    pub apart: Duration,
}

/// The disks' ordinary behaviour.
#[derive(Clone, Copy, Debug)]
pub struct DiskPlan {
    /// The least time that a durable write takes.
    pub fsync: Duration,
    /// What is added to it, at most.
    pub jitter: Duration,
    /// How often a write takes a hundred times as long, per million.
    pub slow_ppm: u64,
}

/// The clocks' ordinary behaviour.
#[derive(Clone, Copy, Debug)]
pub struct ClockPlan {
    /// Monotonic clocks run up to this much fast or slow, in parts per million.
    pub drift_ppm: u64,
    /// Wall clocks differ by up to this.
    pub skew: Duration,
}

/// One kind of thing that goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FaultKind {
    /// A process is killed and started again; its disk is as it was.
    Kill,
    /// A host loses power and gets it back; what was not durable may be gone.
    Power,
    /// A data node's process ends and comes back with an empty disk.
    Wipe,
    /// A process is stopped and goes on later.
    Pause,
    /// One host is cut off from all others.
    Isolate,
    /// The hosts fall into two groups.
    Split,
    /// Two hosts cannot reach each other.
    Pair,
    /// One host is heard by nobody, but hears all, or the other way round.
    OneWay,
    /// A wall clock jumps.
    ClockJump,
    /// Writes to a disk fail now and then.
    DiskErrors,
    /// A disk is full.
    DiskFull,
    /// The network is slow.
    SlowNet,
    /// A connection is reset.
    Reset,
    /// The operator asks for a switchover. No fault: it must lose nothing.
    Switchover,
    /// Sentinels cannot reach each other, only the data nodes.
    Quarrel,
    /// Operators ask for failovers that wait for nobody, at one sentinel or at two at once.
    Force,
    /// The operator asks a data node for a snapshot file. No fault either.
    Save,
    /// Somebody gives data nodes orders in a leader's name, each with something wrong in it. Nobody may obey.
    Impostor,
    /// The primary is cut off with most of the clients; when it is back, the one that took over ends.
    Relapse,
}

impl FaultKind {
    const ALL: [FaultKind; 14] = [
        FaultKind::Kill,
        FaultKind::Power,
        FaultKind::Wipe,
        FaultKind::Pause,
        FaultKind::Isolate,
        FaultKind::Split,
        FaultKind::Pair,
        FaultKind::OneWay,
        FaultKind::ClockJump,
        FaultKind::DiskErrors,
        FaultKind::DiskFull,
        FaultKind::SlowNet,
        FaultKind::Reset,
        FaultKind::Switchover,
    ];
}

/// What goes wrong, how often and for how long.
#[derive(Clone, Debug)]
pub struct FaultPlan {
    /// The kinds that happen; none in a calm run.
    pub kinds: Vec<FaultKind>,
    /// The time between two, on average.
    pub every: Duration,
    /// How long one lasts, at most.
    pub lasts: Duration,
    /// How many last at the same time, at most.
    pub at_once: usize,
}

impl FaultKind {
    /// Whether it is something that somebody asks for and that must lose nothing.
    #[must_use]
    pub fn is_harmless(self) -> bool {
        matches!(self, FaultKind::Switchover | FaultKind::Save | FaultKind::Impostor)
    }
}

impl FaultPlan {
    /// Whether nothing happens but what the operator asks for.
    #[must_use]
    pub fn is_harmless(&self) -> bool {
        self.kinds.iter().all(|k| k.is_harmless())
    }
}

/// Directives.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// `quorum` of `sentinel monitor`.
    pub quorum: usize,
    /// `down-after-milliseconds`.
    pub down_after: u64,
    /// `failover-timeout`.
    pub failover_timeout: u64,
    /// `parallel-syncs`.
    pub parallel_syncs: u64,
    /// `fast-crash-detection`.
    pub fast_crash: bool,
    /// `pick-policy majority` in place of `best-effort`.
    pub majority: bool,
    /// `repl-backlog-size`.
    pub backlog: u64,
    /// `min-replicas-to-write`.
    pub min_replicas: u64,
    /// `repl-diskless-load`.
    pub load: &'static str,
    /// `repl-diskless-sync-delay`, in seconds.
    pub sync_delay: u64,
    /// `save`: nodes write snapshot files by themselves. Whoever has one starts again from it.
    pub save: &'static str,
    /// `client-output-buffer-limit` of replicas: hard, soft, seconds.
    pub replica_limit: [&'static str; 3],
}

/// `client-output-buffer-limit` of replicas as it is by default.
const ROOMY: [&str; 3] = ["256mb", "64mb", "60"];

/// `min-replicas-max-lag`, in seconds.
pub(crate) const MAX_LAG: u64 = 2;

/// What clients do.
#[derive(Clone, Copy, Debug)]
pub struct WorkPlan {
    /// Keys per client and kind.
    pub keys: u64,
    /// The pause between two operations, at most.
    pub think: Duration,
    /// How long a reply is waited for.
    pub patience: Duration,
    /// How many bytes a value may have in addition to its number.
    pub padding: u64,
    /// How many acknowledgements `WAIT` asks for.
    pub wait: usize,
    /// Every write asks for them, not one in five.
    pub confirming: bool,
}

impl Plan {
    /// The plan of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Plan {
        let mut plan = Plan::plain(seed);
        harden(&mut plan, &mut Rng::from_seed(seed ^ 0x5afe));
        plan
    }

    /// The plan of a seed without snapshot files, narrow limits and strict primaries.
    #[must_use]
    pub fn plain(seed: u64) -> Plan {
        let mut rng = Rng::from_seed(seed);
        let r = &mut rng;
        let nodes = *pick(r, &[2, 3, 3, 3, 4, 5]);
        let sentinels = *pick(r, &[1, 2, 3, 3, 3, 3, 4, 5]);
        let mut plan = Plan {
            seed,
            nodes,
            sentinels,
            clients: 1 + r.below(3) as usize,
            trouble: r.between(ms(5_000), ms(20_000)),
            net: net(r),
            disk: disk(r),
            clocks: clocks(r),
            faults: faults(r),
            settings: settings(r, nodes, sentinels),
            work: WorkPlan {
                keys: 1 + r.below(4),
                think: *pick(r, &[ms(5), ms(30), ms(100)]),
                patience: *pick(r, &[ms(500), ms(2_000)]),
                padding: *pick(r, &[0, 0, 100, 2_000]),
                wait: nodes / 2,
                confirming: false,
            },
            canary: false,
        };
        // Nobody calls a silence a failure that a single lost packet can cause.
        if plan.net.loss_ppm > 0 {
            plan.settings.down_after = plan.settings.down_after.max(1_000);
        }
        plan
    }
}

fn pick<'a, T>(r: &mut Rng, among: &'a [T]) -> &'a T {
    &among[r.below(among.len() as u64) as usize]
}

fn net(r: &mut Rng) -> NetPlan {
    NetPlan {
        latency: *pick(r, &[Duration::from_micros(50), Duration::from_micros(500), ms(3)]),
        jitter: *pick(r, &[Duration::from_micros(20), ms(1), ms(10)]),
        loss_ppm: *pick(r, &[0, 0, 1_000, 20_000]),
        resend: ms(200),
        split_ppm: *pick(r, &[0, 50_000, 500_000]),
        apart: Duration::ZERO,
    }
}

fn disk(r: &mut Rng) -> DiskPlan {
    DiskPlan {
        fsync: *pick(r, &[Duration::from_micros(100), ms(1), ms(5)]),
        jitter: *pick(r, &[Duration::from_micros(50), ms(5)]),
        slow_ppm: *pick(r, &[0, 0, 10_000, 100_000]),
    }
}

fn clocks(r: &mut Rng) -> ClockPlan {
    ClockPlan { drift_ppm: *pick(r, &[0, 100, 2_000]), skew: *pick(r, &[ms(0), ms(50), ms(60_000)]) }
}

fn faults(r: &mut Rng) -> FaultPlan {
    let kinds = match r.below(8) {
        0 => Vec::new(),
        1 => vec![FaultKind::Switchover],
        2 => vec![*pick(r, &FaultKind::ALL)],
        _ => FaultKind::ALL.into_iter().filter(|_| r.chance(1, 3)).collect(),
    };
    FaultPlan {
        kinds,
        every: *pick(r, &[ms(500), ms(2_000), ms(5_000)]),
        lasts: *pick(r, &[ms(300), ms(3_000), ms(8_000)]),
        at_once: *pick(r, &[1, 1, 2, 4]),
    }
}

fn settings(r: &mut Rng, nodes: usize, sentinels: usize) -> Settings {
    let majority = sentinels / 2 + 1;
    Settings {
        quorum: if r.chance(1, 5) { 1 + r.below(sentinels as u64) as usize } else { majority },
        down_after: *pick(r, &[200, 1_000, 2_000]),
        failover_timeout: *pick(r, &[3_000, 10_000]),
        parallel_syncs: 1 + r.below(3),
        fast_crash: r.chance(3, 4),
        majority: r.chance(1, 3),
        backlog: *pick(r, &[16 * 1024, 64 * 1024, 1024 * 1024]),
        min_replicas: if nodes > 2 && r.chance(1, 4) { 1 } else { 0 },
        load: if r.chance(1, 2) { "swapdb" } else { "disabled" },
        sync_delay: *pick(r, &[0, 0, 1]),
        save: "",
        replica_limit: ROOMY,
    }
}

/// Snapshot files, narrow limits and strict primaries, for some.
fn harden(plan: &mut Plan, r: &mut Rng) {
    let s = &mut plan.settings;
    s.save = *pick(r, &["", "", "1 1", "2 100"]);
    s.replica_limit = *pick(r, &[ROOMY, ROOMY, ["128kb", "32kb", "1"]]);
    if r.chance(1, 4) {
        s.load = "flush-before-load";
    }
    if r.chance(1, 8) {
        s.min_replicas = plan.nodes as u64 - 1;
    }
    let kinds = &mut plan.faults.kinds;
    if !kinds.is_empty() && r.chance(1, 4) {
        kinds.push(FaultKind::Save);
    }
    if !plan.faults.is_harmless() && r.chance(1, 4) {
        plan.faults.kinds.push(FaultKind::Force);
    }
    if !plan.faults.is_harmless() && r.chance(1, 8) {
        plan.faults.kinds.push(FaultKind::Relapse);
    }
    if !plan.faults.kinds.is_empty() && r.chance(1, 8) {
        plan.faults.kinds.push(FaultKind::Impostor);
    }
}
