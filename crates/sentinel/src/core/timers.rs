//! Everything that waits for a moment, as one enumeration. The shell only wakes the core; the core decides what is
//! due.

use super::group::{Group, NodeIx, PeerIx};
use super::link::Awaiting;
use super::link::Link;
use super::{LinkRole, Sentinel, timing};
use std::ops::Bound;
use tanist_types::Mono;

/// What waits for a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the fields name the instance; the variants say what is due")]
pub enum Timer {
    /// The disk took too long, or a failed write is to be repeated.
    Disk,
    /// The effects of a suspension are over.
    Unhold,
    /// A script is to be started or killed.
    Scripts,
    /// A link is to be opened.
    Open { group: u32, instance: u32 },
    /// An attempt to open a link took too long.
    GiveUp { group: u32, instance: u32 },
    /// A link carries nothing and is to be replaced.
    Replace { group: u32, instance: u32 },
    /// A node or a sentinel is to be asked for a sign of life.
    Ping { group: u32, instance: u32 },
    /// The silence of an instance may become too long, or a claim about it ends.
    Down { group: u32, instance: u32 },
    /// A node's INFO is due.
    Info { group: u32, instance: u32 },
    /// A Tanist node's status is due.
    Status { group: u32, instance: u32 },
    /// A hello message is due.
    Hello { group: u32 },
    /// The other sentinels are to be asked what they think of the primary.
    Ask { group: u32 },
    /// The opinion of a sentinel is too old to count.
    Forget { group: u32 },
    /// Time to run for leader.
    Run { group: u32 },
    /// A step of a failover took too long, or is to be looked at again.
    Failover { group: u32 },
    /// Replicas on their way to the new primary are to be looked after.
    Repoint { group: u32 },
}

/// An instance and the timer due for it, in the core's own terms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Due {
    Open(LinkRole),
    GiveUp(LinkRole),
    Replace(LinkRole),
    PingNode(NodeIx),
    PingPeer(PeerIx),
    DownNode(NodeIx),
    DownPeer(PeerIx),
    Info(NodeIx),
    Status(NodeIx),
    Hello,
    Ask,
    Forget,
    Run,
    Failover,
    Repoint,
}

impl Sentinel {
    /// The timer that runs out first.
    pub(crate) fn earliest(&self) -> Option<(Mono, Timer)> {
        let mut first = self.own_earliest();
        for g in self.groups.values() {
            let mut of_group = None;
            self.group_timers(g, &mut |at, what| take_earlier(&mut of_group, at, what));
            if let Some((at, what)) = of_group {
                take_earlier(&mut first, at, public(g, what));
            }
        }
        first
    }

    /// That of those that belong to no group.
    fn own_earliest(&self) -> Option<(Mono, Timer)> {
        let scripts = self.scripts.deadline(self.timing.script_max_runtime);
        let mut first = None;
        for (at, timer) in
            [(self.disk.deadline(), Timer::Disk), (self.held_until, Timer::Unhold), (scripts, Timer::Scripts)]
        {
            if let Some(at) = at {
                take_earlier(&mut first, at, timer);
            }
        }
        first
    }

    /// Does everything that is due. What becomes due by doing it waits for the next step.
    ///
    /// Returns what is due next, if nothing was due now: most steps are of that kind, and need not look for it twice.
    pub(crate) fn run_due(&mut self) -> Option<Option<(Mono, Timer)>> {
        let now = self.now.mono;
        let mut first = self.own_earliest();
        let mut idle = first.is_none_or(|(at, _)| at > now);
        if self.disk.deadline().is_some_and(|at| at <= now) {
            self.look_after_disk();
        }
        if self.held_until.is_some_and(|at| at <= now) {
            self.held_until = None;
            self.event_text(None, super::Level::Warning, "-tilt", "#tilt mode exited");
        }
        let mut next = self.groups.keys().next().copied();
        while let Some(id) = next {
            self.with_group(id, |s, g| {
                let (mut due, mut of_group) = (Vec::new(), None);
                s.group_timers(g, &mut |at, what| {
                    if at <= now {
                        due.push(what);
                    }
                    take_earlier(&mut of_group, at, what);
                });
                if let Some((at, what)) = of_group {
                    take_earlier(&mut first, at, public(g, what));
                }
                idle &= due.is_empty();
                for what in due {
                    s.fire(g, what);
                }
                idle &= !s.after_step(g);
            });
            next = self.groups.range((Bound::Excluded(id), Bound::Unbounded)).next().map(|(id, _)| *id);
        }
        if self.scripts.deadline(self.timing.script_max_runtime).is_some_and(|at| at <= now) {
            self.run_scripts();
        }
        idle.then_some(first)
    }

    fn group_timers(&self, g: &Group, f: &mut impl FnMut(Mono, Due)) {
        for n in g.nodes.values() {
            self.link_timers(g, &n.cmd, LinkRole::Command(n.ix), f);
            self.link_timers(g, &n.sub, LinkRole::Channel(n.ix), f);
            if let Some(since) = n.sub.up_since() {
                f(
                    since.max(n.sub_heard) + self.timing.publish_period * 3,
                    Due::Replace(LinkRole::Channel(n.ix)),
                );
            }
            if let Some(at) = n.detector.deadline(g.settings.down_after) {
                f(at, Due::DownNode(n.ix));
            }
            if !n.cmd.is_up() {
                continue;
            }
            if !n.cmd.awaits(Awaiting::Ping) {
                let every = g.ping_every(Some(n.ix), self.timing.ping_period);
                f(n.detector.last_ping().map_or(Mono::ZERO, |at| at + every), Due::PingNode(n.ix));
            }
            if !n.cmd.awaits(Awaiting::Info) {
                f(self.info_due(g, n), Due::Info(n.ix));
            }
            if n.is_tanist() && !n.cmd.awaits(Awaiting::Status) {
                f(self.status_due(g, n), Due::Status(n.ix));
            }
        }
        for p in g.peers.values().filter(|p| p.addr.port() != 0) {
            self.link_timers(g, &p.link, LinkRole::Peer(p.ix), f);
            if let Some(at) = p.detector.deadline(g.settings.down_after) {
                f(at, Due::DownPeer(p.ix));
            }
            if p.link.is_up() && !p.link.awaits(Awaiting::Ping) {
                let every = g.ping_every(None, self.timing.ping_period);
                f(p.detector.last_ping().map_or(Mono::ZERO, |at| at + every), Due::PingPeer(p.ix));
            }
        }
        self.decision_timers(g, f);
    }

    fn decision_timers(&self, g: &Group, f: &mut impl FnMut(Mono, Due)) {
        if !self.disk.gate_closed() {
            f(g.hello_at, Due::Hello);
        }
        if let Some(at) = self.ask_due(g) {
            f(at, Due::Ask);
        }
        if let Some(at) = g.peers.values().filter_map(|p| p.says_down).min() {
            f(at + self.opinion_life(), Due::Forget);
        }
        if self.is_held() {
            return;
        }
        if let Some(at) = g.election_at {
            f(at, Due::Run);
        }
        if let Some(at) = g.failover.as_ref().and_then(|x| x.deadline()) {
            f(at, Due::Failover);
        }
        if let Some(at) = self.repoint_due(g) {
            f(at, Due::Repoint);
        }
    }

    fn link_timers(&self, g: &Group, link: &Link, role: LinkRole, f: &mut impl FnMut(Mono, Due)) {
        if let Some(at) = link.attempt_at() {
            f(at, Due::Open(role));
        }
        if let Some(since) = link.opening_since() {
            f(since + super::links::patience(g), Due::GiveUp(role));
        }
        let silent = match role {
            LinkRole::Command(ix) => g.nodes.get(&ix).and_then(|n| n.detector.unanswered_since()),
            LinkRole::Peer(ix) => g.peers.get(&ix).and_then(|p| p.detector.unanswered_since()),
            LinkRole::Channel(_) => None,
        };
        if let (Some(up), Some(silent)) = (link.up_since(), silent) {
            let at = (up + self.timing.min_link_reconnect_period).max(silent + g.settings.down_after / 2);
            f(at, Due::Replace(role));
        }
    }

    fn fire(&mut self, g: &mut Group, due: Due) {
        match due {
            Due::Open(role) => self.open_link(g, role),
            Due::GiveUp(role) | Due::Replace(role) => self.drop_link(g, role),
            Due::PingNode(ix) => self.ping_node(g, ix),
            Due::PingPeer(ix) => self.ping_peer(g, ix),
            Due::DownNode(ix) => self.judge_node(g, ix),
            Due::DownPeer(ix) => self.judge_peer(g, ix),
            Due::Info(ix) => self.ask_info(g, ix),
            Due::Status(ix) => self.ask_status(g, ix),
            Due::Hello => self.say_hello(g),
            Due::Ask => self.ask_peers(g),
            Due::Forget => self.forget_opinions(g),
            Due::Run => self.run_for_leader(g),
            Due::Failover => self.failover_due(g),
            Due::Repoint => self.repoint_step(g),
        }
    }
}

/// Of two that run out at the same time the first that was listed is kept.
fn take_earlier<T>(first: &mut Option<(Mono, T)>, at: Mono, what: T) {
    if first.as_ref().is_none_or(|(earliest, _)| at < *earliest) {
        *first = Some((at, what));
    }
}

/// The timer as outsiders see it.
fn public(g: &Group, due: Due) -> Timer {
    let group = g.id.0;
    let of = |role: LinkRole| match role {
        LinkRole::Command(ix) | LinkRole::Channel(ix) => ix.0,
        LinkRole::Peer(ix) => ix.0,
    };
    match due {
        Due::Open(r) => Timer::Open { group, instance: of(r) },
        Due::GiveUp(r) => Timer::GiveUp { group, instance: of(r) },
        Due::Replace(r) => Timer::Replace { group, instance: of(r) },
        Due::PingNode(NodeIx(instance)) | Due::PingPeer(PeerIx(instance)) => Timer::Ping { group, instance },
        Due::DownNode(NodeIx(instance)) | Due::DownPeer(PeerIx(instance)) => Timer::Down { group, instance },
        Due::Info(ix) => Timer::Info { group, instance: ix.0 },
        Due::Status(ix) => Timer::Status { group, instance: ix.0 },
        Due::Hello => Timer::Hello { group },
        Due::Ask => Timer::Ask { group },
        Due::Forget => Timer::Forget { group },
        Due::Run => Timer::Run { group },
        Due::Failover => Timer::Failover { group },
        Due::Repoint => Timer::Repoint { group },
    }
}

const _: () = assert!(timing::PING_RANGE.0.as_millis() > 0);
