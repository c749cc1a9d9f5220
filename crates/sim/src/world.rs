//! The world: hosts, network, disks and clocks, moved forward one event at a time.
//!
//! Time passes only between events. What a process does in answer to an event takes no time; what it asks for happens
//! after it has returned. Everything random comes from generators that the seed feeds.

use crate::client::{Client, GROUP, Known};
use crate::clock::{Clock, ms};
use crate::disk::{Disk, Ending, Trouble};
use crate::faults::Ailment;
use crate::host::{Action, Ctx, Host, Hosts, In, Loss, Power, Process};
use crate::net::{Arrived, ConnId, HostId, Net, Segment, Side};
use crate::node::NodeProcess;
use crate::oracle::Oracle;
use crate::plan::{FaultKind, MAX_LAG, Plan};
use crate::queue::Queue;
use crate::sentinel::{SentinelProcess, kept_vote};
use crate::trace::{Text, Trace, Tracing};
use crate::watch::Watch;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tanist_resp::encode_command;
use tanist_types::{Mono, Rng};

/// Where the operator sits.
const OPERATOR: HostId = HostId::client(9);
/// The port of data nodes.
pub(crate) const NODE_PORT: u16 = 6379;
/// The port of sentinels.
pub(crate) const SENTINEL_PORT: u16 = 26379;
/// How many bytes a kernel takes before they have arrived.
const SOCKET_BUFFER: usize = 64 * 1024;
/// More events than any run should need: something goes round in a circle.
const MOST_EVENTS: u64 = 20_000_000;

/// Something that will happen.
#[derive(Debug)]
pub(crate) enum Event {
    /// A segment reaches one side of a connection.
    Arrive(ConnId, Side),
    /// A timer of the host's present run may be due.
    Wake(HostId, u32),
    /// A step of replacing a file. Boxed, like what else is rare, to keep the queue's entries small.
    Disk(HostId, u32, Box<DiskStep>),
    /// A process of the host's present run hears something.
    Tell(HostId, u32, Box<In>),
    /// Something may go wrong.
    Fault,
    /// Something comes right again.
    Repair(Box<Ailment>),
}

/// The steps of replacing a file.
#[derive(Debug)]
pub(crate) enum DiskStep {
    Rename { file: &'static str, content: Vec<u8> },
    Sync { file: &'static str, token: u64 },
    Failed { token: u64, why: &'static str },
}

/// Everything.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) now: Mono,
    pub(crate) queue: Queue<Event>,
    pub(crate) net: Net,
    pub(crate) hosts: Hosts,
    pub(crate) trace: Trace,
    pub(crate) watch: Watch,
    pub(crate) oracle: Oracle,
    /// Draws faults.
    pub(crate) fate: Rng,
    /// Things that are wrong now.
    pub(crate) ailing: usize,
    /// Things may go wrong.
    pub(crate) troubled: bool,
    /// When the data of nodes are compared next.
    pub(crate) compare_at: Mono,
    /// Orders that the operator is giving: what to say on which connection.
    operator: BTreeMap<ConnId, Vec<u8>>,
    /// Connections of those that nobody may obey.
    impostors: BTreeSet<ConnId>,
    pub(crate) events: u64,
    /// What the process that runs asks for; the room is kept.
    actions: Vec<Action>,
}

/// Why a run failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The invariant or promise that was broken.
    pub what: String,
}

impl World {
    pub(crate) fn new(plan: Plan, tracing: Tracing) -> World {
        let mut seeds = Rng::from_seed(plan.seed ^ 0x5eed);
        let mut draw = || Rng::from_seed(seeds.next_u64());
        let net = Net::new(plan.net, draw());
        let (fate, mut hosts_rng) = (draw(), draw());
        let nodes = (0..plan.nodes).map(HostId::node);
        let sentinels = (0..plan.sentinels).map(HostId::sentinel);
        let clients = (0..plan.clients).map(HostId::client);
        let hosts =
            nodes.chain(sentinels).chain(clients).map(|id| (id, host(id, &plan, &mut hosts_rng))).collect();
        // A node that comes back under a new identity may vote and has lost what it had confirmed.
        let confirmed_are_safe = plan.settings.majority && !plan.faults.kinds.contains(&FaultKind::Wipe);
        let oracle = Oracle::new(confirmed_are_safe);
        let mut watch = Watch::default();
        // Replies are under way for as long as clients wait, and nodes look once a second.
        let within = Duration::from_secs(MAX_LAG + 2) + plan.work.patience;
        watch.demand_replicas(plan.settings.min_replicas as usize, within);
        if plan.faults.kinds.contains(&FaultKind::Wipe) {
            watch.waive();
        }
        World {
            net,
            hosts,
            fate,
            trace: Trace::new(tracing),
            watch,
            oracle,
            now: Mono::ZERO,
            queue: Queue::new(),
            ailing: 0,
            troubled: false,
            compare_at: Mono::ZERO,
            operator: BTreeMap::new(),
            impostors: BTreeSet::new(),
            events: 0,
            actions: Vec::new(),
            plan,
        }
    }

    /// Lets the world run until a moment.
    ///
    /// # Errors
    /// The first invariant or promise that is broken.
    pub(crate) fn run_until(&mut self, until: Mono) -> Result<(), Failure> {
        while let Some((at, event)) = self.queue.pop(until) {
            self.now = at;
            self.events += 1;
            if self.events > MOST_EVENTS {
                return Err(Failure { what: "the world goes round in a circle: too many events".into() });
            }
            self.happen(event);
            if std::mem::take(&mut self.watch.news) {
                self.look_for_confirmed();
            }
            if let Some(node) = self.watch.fenced.take() {
                self.meddle(node);
            }
            if let Some(what) = self.watch.broken.take().or_else(|| self.oracle.broken.take()) {
                return Err(Failure { what });
            }
        }
        self.now = until;
        Ok(())
    }

    /// Lets the world run for a while.
    pub(crate) fn run_for(&mut self, time: Duration) -> Result<(), Failure> {
        self.run_until(self.now + time)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive(conn, side) => {
                if let Some(arrived) = self.net.arrive(self.now, conn, side, &mut self.queue) {
                    self.arrived(conn, arrived);
                }
            }
            Event::Wake(id, run) => self.wake(id, run),
            Event::Disk(id, run, step) => self.disk_step(id, run, *step),
            Event::Tell(id, run, input) if self.is_stuck(&input) => {
                self.queue.at(self.now + ms(20), Event::Tell(id, run, input));
            }
            Event::Tell(id, run, input) => {
                if self.hosts.get(id).is_some_and(|h| h.run == run) {
                    self.deliver(id, *input);
                }
            }
            Event::Fault => self.fault(),
            Event::Repair(ailment) => self.repair(*ailment),
        }
    }

    /// What was sent has not left yet: the network does not take it.
    fn is_stuck(&self, input: &In) -> bool {
        matches!(input, In::Drained { conn } if self.net.under_way(*conn, Side::Opener) > SOCKET_BUFFER)
    }

    fn arrived(&mut self, conn: ConnId, a: Arrived) {
        if self.trace.on() {
            self.trace_segment(conn, &a);
        }
        if a.to == OPERATOR {
            return self.operate(conn, &a.segment);
        }
        let Some(host) = self.hosts.get(a.to) else { return };
        let (up, listens) = (host.is_up(), host.is_up() && host.port == a.port && a.port != 0);
        let input = match a.segment {
            Segment::Syn if listens => {
                self.net.accept(self.now, conn, &mut self.queue);
                In::Accepted { conn, from: a.from }
            }
            Segment::Syn => return self.net.close(self.now, conn, a.side, true, &mut self.queue),
            _ if !up || !a.open => return,
            Segment::SynAck => In::Connected { conn },
            Segment::Data(bytes) => In::Data { conn, bytes },
            Segment::Fin => In::Lost { conn, why: Loss::Closed },
            Segment::Rst if !a.established => In::Lost { conn, why: Loss::Refused },
            Segment::Rst => In::Lost { conn, why: Loss::Reset },
        };
        // Who closes in answer to a close has nothing more to say.
        if matches!(input, In::Lost { .. }) {
            self.net.close(self.now, conn, a.side, false, &mut self.queue);
        }
        self.deliver(a.to, input);
    }

    fn trace_segment(&mut self, conn: ConnId, a: &Arrived) {
        let (from, to, n) = (a.from, a.to, conn.0);
        let now = self.now;
        match &a.segment {
            Segment::Data(bytes) => {
                self.trace.line(now, format_args!("{from}>{to} #{n} {}", Text(bytes)));
            }
            other => self.trace.line(now, format_args!("{from}>{to} #{n} {other:?}")),
        }
    }

    /// Lets a process hear something, now or when it goes on.
    pub(crate) fn deliver(&mut self, id: HostId, input: In) {
        let Some(host) = self.hosts.get_mut(id) else { return };
        match host.power {
            Power::Paused => host.inbox.push_back(input),
            Power::Up => self.handle(id, input),
            Power::Down | Power::Off => {}
        }
    }

    fn handle(&mut self, id: HostId, input: In) {
        let Some(host) = self.hosts.get_mut(id) else { return };
        let Some(mut process) = host.process.take() else { return };
        let mut ctx = Ctx {
            now: host.clock.read(self.now),
            world: self.now,
            me: id,
            actions: std::mem::take(&mut self.actions),
            net: &mut self.net,
            queue: &mut self.queue,
            trace: &mut self.trace,
            watch: &mut self.watch,
            oracle: &mut self.oracle,
        };
        process.handle(input, &mut ctx);
        let mut actions = ctx.actions;
        host.process = Some(process);
        self.perform(id, actions.drain(..));
        self.actions = actions;
        self.arm(id);
    }

    fn perform(&mut self, id: HostId, actions: impl Iterator<Item = Action>) {
        for action in actions {
            match action {
                Action::Send { conn, side, bytes } => {
                    self.net.send(self.now, conn, side, bytes, &mut self.queue);
                }
                Action::Close { conn, side } => {
                    self.net.close(self.now, conn, side, false, &mut self.queue);
                }
                Action::Replace { token, file, content } => self.replace(id, token, file, content),
                Action::Later { input } => {
                    let Some(host) = self.hosts.get_mut(id) else { return };
                    let after = host.rng.between(Duration::from_micros(20), ms(2));
                    self.queue.at(self.now + after, Event::Tell(id, host.run, Box::new(input)));
                }
                Action::Exit => {
                    self.end(id, Ending::Process);
                    self.restart_soon(id);
                    return;
                }
            }
        }
    }

    /// Sees to it that the process is woken at its deadline, a little late as ever.
    fn arm(&mut self, id: HostId) {
        let Some(host) = self.hosts.get_mut(id) else { return };
        let Some(deadline) = host.process.as_ref().and_then(Process::deadline) else { return };
        if deadline == Mono::NEVER {
            return;
        }
        let soonest = self.now + Duration::from_micros(10);
        let late = host.rng.between(Duration::ZERO, ms(1));
        let at = host.clock.world(deadline).max(soonest) + late;
        if at < host.wake_at {
            host.wake_at = at;
            self.queue.at(at, Event::Wake(id, host.run));
        }
    }

    fn wake(&mut self, id: HostId, run: u32) {
        let now = self.now;
        let Some(host) = self.hosts.get_mut(id) else { return };
        if host.run != run || host.wake_at != now {
            return;
        }
        host.wake_at = Mono::NEVER;
        let due =
            host.process.as_ref().and_then(Process::deadline).is_some_and(|d| d <= host.clock.read(now).mono);
        match host.power {
            Power::Up if due => self.handle(id, In::Wake),
            Power::Up => self.arm(id),
            // It will be woken when it goes on.
            Power::Paused | Power::Down | Power::Off => {}
        }
    }

    fn replace(&mut self, id: HostId, token: u64, file: &'static str, content: Vec<u8>) {
        let plan = self.plan.disk;
        let Some(host) = self.hosts.get_mut(id) else { return };
        let mut takes = plan.fsync + host.rng.between(Duration::ZERO, plan.jitter);
        if host.rng.chance(plan.slow_ppm, 1_000_000) {
            takes *= 100;
        }
        let begin = host.disk_free.max(self.now);
        let end = begin + takes;
        host.disk_free = end;
        let (run, fails) = match host.disk.trouble {
            Trouble::None => (host.run, false),
            Trouble::Full => (host.run, true),
            Trouble::Errors => (host.run, host.rng.chance(1, 2)),
        };
        // A failed replacement may have got as far as the rename, unless there was no room even for the new content.
        let renames = !fails || host.disk.trouble == Trouble::Errors && host.rng.chance(1, 2);
        if renames {
            let at = begin + takes.mul_f64(0.7);
            self.queue.at(at, Event::Disk(id, run, Box::new(DiskStep::Rename { file, content })));
        }
        let last = if fails {
            DiskStep::Failed { token, why: "no space left on device or an input/output error" }
        } else {
            DiskStep::Sync { file, token }
        };
        self.queue.at(end, Event::Disk(id, run, Box::new(last)));
    }

    fn disk_step(&mut self, id: HostId, run: u32, step: DiskStep) {
        let Some(host) = self.hosts.get_mut(id) else { return };
        if host.run != run {
            return;
        }
        let (token, result) = match step {
            DiskStep::Rename { file, content } => return host.disk.rename(file, content),
            DiskStep::Sync { file, token } => {
                host.disk.sync(file);
                if let Some(epoch) = host.disk.durable(file).and_then(kept_vote) {
                    self.watch.keeps_vote(id, epoch);
                }
                (token, Ok(()))
            }
            DiskStep::Failed { token, why } => (token, Err(why.to_owned())),
        };
        if self.trace.on() {
            self.trace.line(self.now, format_args!("{id} disk {token} {result:?}"));
        }
        self.deliver(id, In::Replaced { token, result });
    }

    /// Starts the process of a host that is down.
    pub(crate) fn start(&mut self, id: HostId) {
        let plan = self.plan.clone();
        let Some(host) = self.hosts.get_mut(id) else { return };
        if host.is_up() {
            return;
        }
        host.run += 1;
        host.power = Power::Up;
        host.wake_at = Mono::NEVER;
        host.disk_free = self.now;
        host.inbox.clear();
        let now = host.clock.read(self.now);
        let index = id.0 % 10;
        host.process = Some(match id.0 / 10 {
            0 => Process::Node(Box::new(NodeProcess::start(index, &plan, &host.disk, &mut host.rng, now))),
            1 => Process::Sentinel(Box::new(SentinelProcess::start(
                index,
                &plan,
                &host.disk,
                &mut host.rng,
                now,
            ))),
            _ => {
                let sentinels = (0..plan.sentinels).map(|i| (HostId::sentinel(i).address(), SENTINEL_PORT));
                let known = Known { sentinels: sentinels.collect() };
                let rng = Rng::from_seed(host.rng.next_u64());
                Process::Client(Box::new(Client::new(index, known, plan.work, rng)))
            }
        });
        self.trace.line(self.now, format_args!("{id} starts"));
        self.net.power_on(self.now, id, &mut self.queue);
        self.handle(id, In::Started);
    }

    /// Ends the process of a host.
    pub(crate) fn end(&mut self, id: HostId, how: Ending) {
        let Some(host) = self.hosts.get_mut(id) else { return };
        if !host.is_up() {
            return;
        }
        host.process = None;
        host.inbox.clear();
        host.run += 1;
        host.disk.end(how, &mut host.rng);
        host.power = if how == Ending::Power { Power::Off } else { Power::Down };
        self.trace.line(self.now, format_args!("{id} ends: {how:?}"));
        if how == Ending::Wipe {
            self.watch.wiped(id);
        }
        match how {
            Ending::Power => self.net.power_off(id),
            Ending::Process | Ending::Wipe => self.net.reset_all(self.now, id, &mut self.queue),
        }
    }

    /// A process that ended by itself is started again by its supervisor.
    fn restart_soon(&mut self, id: HostId) {
        self.queue.at(self.now + ms(100), Event::Repair(Box::new(Ailment::Ended(id))));
        self.ailing += 1;
    }

    /// Lets a stopped process go on: it hears all that it has missed.
    pub(crate) fn resume(&mut self, id: HostId) {
        let Some(host) = self.hosts.get_mut(id) else { return };
        if host.power != Power::Paused {
            return;
        }
        host.power = Power::Up;
        self.trace.line(self.now, format_args!("{id} goes on"));
        self.watch.goes_on(id, self.now);
        // Timers that ran out meanwhile and sockets that became readable: either may be seen first.
        if host.rng.chance(1, 2) {
            self.handle(id, In::Wake);
        }
        while let Some(input) = self.hosts.get_mut(id).and_then(|h| h.inbox.pop_front()) {
            self.handle(id, input);
        }
        self.arm(id);
    }

    /// The operator gives an order to a server.
    pub(crate) fn order(&mut self, to: HostId, words: &[&[u8]]) -> ConnId {
        let port = [NODE_PORT, SENTINEL_PORT][to.0 / 10];
        let conn = self.net.connect(self.now, OPERATOR, to, port, &mut self.queue);
        let mut bytes = Vec::new();
        encode_command(&mut bytes, words);
        self.operator.insert(conn, bytes);
        conn
    }

    /// Somebody gives a server an order that it has to refuse.
    pub(crate) fn misorder(&mut self, to: HostId, words: &[&[u8]]) {
        let conn = self.order(to, words);
        self.impostors.insert(conn);
    }

    fn operate(&mut self, conn: ConnId, segment: &Segment) {
        let side = Side::Opener;
        match segment {
            Segment::SynAck => {
                if let Some(bytes) = self.operator.remove(&conn) {
                    self.net.send(self.now, conn, side, bytes, &mut self.queue);
                }
            }
            Segment::Syn => {}
            Segment::Data(_) | Segment::Fin | Segment::Rst => {
                self.operator.remove(&conn);
                // W18.
                if self.impostors.remove(&conn)
                    && let Segment::Data(answer) = segment
                {
                    self.refused(answer);
                }
                self.net.close(self.now, conn, side, false, &mut self.queue);
            }
        }
    }

    /// The data nodes.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..self.plan.nodes).map(HostId::node)
    }
}

/// What a sentinel's configuration says about the group at its first start.
pub(crate) fn sentinel_conf(plan: &Plan) -> String {
    let s = &plan.settings;
    let primary = HostId::node(0).address();
    let yes = |b: bool| if b { "yes" } else { "no" };
    format!(
        "port {SENTINEL_PORT}\n\
         sentinel monitor {GROUP} {primary} {NODE_PORT} {}\n\
         sentinel down-after-milliseconds {GROUP} {}\n\
         sentinel failover-timeout {GROUP} {}\n\
         sentinel parallel-syncs {GROUP} {}\n\
         sentinel fast-crash-detection {GROUP} {}\n\
         sentinel pick-policy {GROUP} {}\n",
        s.quorum,
        s.down_after,
        s.failover_timeout,
        s.parallel_syncs,
        yes(s.fast_crash),
        if s.majority { "majority" } else { "best-effort" },
    )
}

fn host(id: HostId, plan: &Plan, rng: &mut Rng) -> Host {
    let mut own = Rng::from_seed(rng.next_u64());
    let drift = own.below(2 * plan.clocks.drift_ppm + 1) as i64 - plan.clocks.drift_ppm as i64;
    let skew = plan.clocks.skew.as_micros() as u64;
    let offset = own.below(2 * skew + 1) as i64 - skew as i64;
    let base = Mono::from_millis(own.below(1_000_000));
    Host {
        port: [NODE_PORT, SENTINEL_PORT, 0][id.0 / 10],
        clock: Clock::new(drift, offset, base),
        disk: Disk::default(),
        power: Power::Down,
        run: 0,
        process: None,
        inbox: Default::default(),
        wake_at: Mono::NEVER,
        disk_free: Mono::ZERO,
        rng: own,
    }
}
