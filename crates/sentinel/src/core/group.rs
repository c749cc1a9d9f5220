//! One monitored group: its data nodes (one of them the primary), the other sentinels that watch it, and what is
//! under way.
//!
//! Being primary is a property of the group (`primary`), not of a node: a switch changes one field, and the links,
//! detectors and reports of all nodes live on.

use super::addr::Addr;
use super::detector::{Detector, Evidence};
use super::failover::{Failover, Repoint};
use super::info::{NodeInfo, Role};
use super::io::PersistId;
use super::link::Link;
use super::settings::GroupSettings;
use super::status::{NodeRole, NodeStatus};
use super::timing;
use std::collections::BTreeMap;
use std::time::Duration;
use tanist_types::{ConfigEpoch, Epoch, Mono, NodeId, RunId};

/// A group, by order of creation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct GroupId(pub(crate) u32);

/// A data node of a group, by order of discovery.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct NodeIx(pub(crate) u32);

/// Another sentinel of a group, by order of discovery.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct PeerIx(pub(crate) u32);

/// Where a replica is on its way to a new primary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reconf {
    /// Nothing was asked of it.
    None,
    /// It was told.
    Sent(Mono),
    /// It says that it follows the new primary, but its link is not up yet.
    InProgress,
    /// Its link is up.
    Done,
}

/// What is known of a Tanist node beyond INFO.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Report {
    pub(crate) status: NodeStatus,
    pub(crate) at: Mono,
}

/// A data node.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct DataNode {
    pub(crate) ix: NodeIx,
    pub(crate) addr: Addr,
    pub(crate) run_id: Option<RunId>,
    /// The run that was seen in its place: as the primary, or following it.
    pub(crate) proven: Option<RunId>,
    /// The Tanist node that was last seen in this place.
    pub(crate) placed: Option<NodeId>,
    /// When it was last reported as one of another group.
    pub(crate) foreign_said: Option<Mono>,
    /// Commands.
    pub(crate) cmd: Link,
    /// The channels of hello messages and of pushed states.
    pub(crate) sub: Link,
    /// When the channel link last carried anything.
    pub(crate) sub_heard: Mono,
    pub(crate) detector: Detector,
    pub(crate) info: NodeInfo,
    pub(crate) info_text: String,
    /// When INFO last arrived.
    pub(crate) info_at: Option<Mono>,
    pub(crate) info_asked: Mono,
    /// INFO is wanted now, whatever the period says.
    pub(crate) info_wanted: bool,
    pub(crate) role_since: Mono,
    /// When it last began to follow somebody else, or to lead.
    pub(crate) changed_at: Mono,
    /// It began to lead while it was up and followed somebody: somebody told it to.
    pub(crate) raised: bool,
    /// Whether it is a Tanist node, which the channel link must know to listen to the second channel.
    pub(crate) listens_to_state: bool,
    pub(crate) report: Option<Report>,
    pub(crate) status_asked: Mono,
    /// Since when it has been bound to a higher epoch than its primary's.
    pub(crate) stranded_since: Option<Mono>,
    pub(crate) reconf: Reconf,
    /// Fixing it was last tried then.
    pub(crate) fixed_at: Option<Mono>,
    pub(crate) script_kill_sent: bool,
    /// That it refuses us is said once.
    pub(crate) complained: bool,
}

impl DataNode {
    /// A node yet to be reached.
    pub(crate) fn new(ix: NodeIx, addr: Addr, now: Mono) -> DataNode {
        DataNode {
            ix,
            addr,
            run_id: None,
            proven: None,
            placed: None,
            foreign_said: None,
            cmd: Link::new(now),
            sub: Link::new(now),
            sub_heard: now,
            detector: Detector::new(now),
            info: NodeInfo { priority: 100, announced: true, link_down_secs: -1, ..NodeInfo::default() },
            info_text: String::new(),
            info_at: None,
            info_asked: now,
            info_wanted: true,
            role_since: now,
            changed_at: now,
            raised: false,
            listens_to_state: false,
            report: None,
            status_asked: now,
            stranded_since: None,
            reconf: Reconf::None,
            fixed_at: None,
            script_kill_sent: false,
            complained: false,
        }
    }

    /// What it has said of itself in its present run.
    pub(crate) fn status_of_run(&self) -> Option<&NodeStatus> {
        let status = self.report.as_ref().map(|r| &r.status);
        status.filter(|status| Some(status.run_id) == self.run_id)
    }

    /// Whether it speaks the TANIST commands.
    pub(crate) fn is_tanist(&self) -> bool {
        self.info.tanist_version.is_some()
    }

    /// Whether commands reach it, as far as we know.
    pub(crate) fn is_reachable(&self) -> bool {
        self.cmd.is_up() && !self.detector.down()
    }

    /// Whether an answer of it is worth waiting for. A primary that says it is idle, or that is another process than
    /// before, counts as down and answers all the same.
    pub(crate) fn may_answer(&self) -> bool {
        let speaks = matches!(self.detector.evidence(), Some(Evidence::Idle | Evidence::Rebooted { .. }));
        self.is_reachable() || (self.cmd.is_up() && speaks)
    }

    /// Its last report, if it is not older than `since`.
    pub(crate) fn report_since(&self, since: Mono) -> Option<&NodeStatus> {
        self.report.as_ref().filter(|r| r.at >= since).map(|r| &r.status)
    }
}

/// Another sentinel.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Peer {
    pub(crate) ix: PeerIx,
    pub(crate) run_id: RunId,
    pub(crate) addr: Addr,
    pub(crate) link: Link,
    pub(crate) detector: Detector,
    pub(crate) last_hello: Mono,
    /// The configuration that its last hello named.
    pub(crate) config_epoch: ConfigEpoch,
    /// When it last said that the primary is down; nothing once it says otherwise.
    pub(crate) says_down: Option<Mono>,
    pub(crate) asked: Option<Mono>,
    /// The last vote that it told us.
    pub(crate) vote: Option<(Epoch, RunId)>,
}

/// The vote that we gave last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Vote {
    pub(crate) epoch: Epoch,
    /// Forgotten by a restart; the epoch is not.
    pub(crate) leader: Option<RunId>,
}

/// A group.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Group {
    pub(crate) id: GroupId,
    pub(crate) name: String,
    pub(crate) settings: GroupSettings,
    pub(crate) config_epoch: ConfigEpoch,
    pub(crate) vote: Vote,
    /// The vote that the disk knows of: no other is told.
    pub(crate) kept: Vote,
    /// The version of the configuration file that first has the present vote.
    pub(crate) vote_version: PersistId,
    /// When somebody last asked for our vote: a failover that we do not lead may be under way.
    pub(crate) vote_asked_at: Option<Mono>,
    /// Since when the primary says that it is idle.
    pub(crate) idle_since: Option<Mono>,
    pub(crate) primary: NodeIx,
    pub(crate) nodes: BTreeMap<NodeIx, DataNode>,
    pub(crate) peers: BTreeMap<PeerIx, Peer>,
    next_ix: u32,
    pub(crate) odown_since: Option<Mono>,
    pub(crate) asked: Mono,
    /// When to run for leader, if the primary is still down then.
    pub(crate) election_at: Option<Mono>,
    /// Not before then: somebody else has our vote, or the last attempt failed.
    pub(crate) election_not_before: Mono,
    /// Attempts in a row that found nobody to promote, or too few sentinels to elect a leader.
    pub(crate) fruitless: u32,
    pub(crate) failover: Option<Failover>,
    /// A failover of ours sealed nodes and came to nothing: they wait for the next.
    pub(crate) unfinished: bool,
    pub(crate) repoint: Option<Repoint>,
    pub(crate) hello_at: Mono,
    /// The switch to announce once the configuration is durable.
    pub(crate) announce_after: Option<PersistId>,
    /// When a majority of the sentinels was last in touch.
    pub(crate) majority_seen: Mono,
    /// The sentinel that was last reported as one of another group, and when.
    pub(crate) foreign_said: Option<(RunId, Mono)>,
}

impl Group {
    /// A group of which only the primary is known.
    pub(crate) fn new(id: GroupId, name: &str, primary: Addr, settings: GroupSettings, now: Mono) -> Group {
        let ix = NodeIx(0);
        Group {
            id,
            name: name.to_owned(),
            settings,
            config_epoch: ConfigEpoch(0),
            vote: Vote::default(),
            kept: Vote::default(),
            vote_version: PersistId(0),
            vote_asked_at: None,
            idle_since: None,
            primary: ix,
            nodes: BTreeMap::from([(ix, DataNode::new(ix, primary, now))]),
            peers: BTreeMap::new(),
            next_ix: 1,
            odown_since: None,
            asked: now,
            election_at: None,
            election_not_before: now,
            fruitless: 0,
            failover: None,
            unfinished: false,
            repoint: None,
            hello_at: now,
            announce_after: None,
            majority_seen: now,
            foreign_said: None,
        }
    }

    /// The primary.
    pub(crate) fn primary(&self) -> &DataNode {
        &self.nodes[&self.primary]
    }

    /// The primary.
    pub(crate) fn primary_mut(&mut self) -> &mut DataNode {
        self.nodes.get_mut(&self.primary).expect("the primary is always a node of its group")
    }

    /// All nodes but the primary.
    pub(crate) fn replicas(&self) -> impl Iterator<Item = &DataNode> {
        self.nodes.values().filter(|n| n.ix != self.primary)
    }

    /// The node at `addr`.
    pub(crate) fn node_at(&self, addr: &Addr) -> Option<NodeIx> {
        self.nodes.values().find(|n| n.addr.same(addr)).map(|n| n.ix)
    }

    /// Adds a node; nothing if there are too many.
    pub(crate) fn add_node(&mut self, addr: Addr, now: Mono) -> Option<NodeIx> {
        if self.nodes.len() >= timing::MAX_NODES {
            return None;
        }
        let ix = NodeIx(self.next_ix);
        self.next_ix += 1;
        self.nodes.insert(ix, DataNode::new(ix, addr, now));
        Some(ix)
    }

    /// Adds a sentinel; nothing if there are too many.
    pub(crate) fn add_peer(&mut self, run_id: RunId, addr: Addr, now: Mono) -> Option<PeerIx> {
        if self.peers.len() >= timing::MAX_PEERS {
            return None;
        }
        let ix = PeerIx(self.next_ix);
        self.next_ix += 1;
        self.peers.insert(
            ix,
            Peer {
                ix,
                run_id,
                addr,
                link: Link::new(now),
                detector: Detector::new(now),
                last_hello: now,
                config_epoch: ConfigEpoch(0),
                says_down: None,
                asked: None,
                vote: None,
            },
        );
        Some(ix)
    }

    /// The sentinel of this identity.
    pub(crate) fn peer_by_id(&self, id: &RunId) -> Option<PeerIx> {
        self.peers.values().find(|p| p.run_id == *id).map(|p| p.ix)
    }

    /// How many sentinels have a vote, ourselves included.
    pub(crate) fn voters(&self) -> usize {
        self.peers.len() + 1
    }

    /// How many of the other sentinels seem alive.
    pub(crate) fn reachable_peers(&self) -> usize {
        self.peers.values().filter(|p| p.link.is_up() && !p.detector.down()).count()
    }

    /// How many votes a leader needs.
    pub(crate) fn votes_needed(&self) -> usize {
        (self.voters() / 2 + 1).max(self.settings.quorum as usize)
    }

    /// How long to wait at least after so many fruitless attempts: each opens an epoch, and without news the next would
    /// end like the last.
    pub(crate) fn back_off(&self) -> Duration {
        let (low, high) = timing::FRUITLESS_RETRY;
        match self.fruitless {
            0 => Duration::ZERO,
            n => low.saturating_mul(1 << (n - 1).min(8)).min(high),
        }
    }

    /// Whether the primary is objectively down.
    pub(crate) fn is_odown(&self) -> bool {
        self.odown_since.is_some()
    }

    /// Whether a failover, our own or one that ended in the last moment, keeps the nodes busy.
    pub(crate) fn is_busy(&self) -> bool {
        self.failover.is_some() || self.repoint.is_some() || self.is_odown() || self.primary().detector.down()
    }

    /// Whether every node that can be reached is a Tanist node, and there is at least one.
    pub(crate) fn is_tanist(&self) -> bool {
        let known: Vec<_> = self.nodes.values().filter(|n| n.info_at.is_some()).collect();
        !known.is_empty() && known.iter().all(|n| n.is_tanist())
    }

    /// How many of the group's data nodes make a majority (rule G1).
    pub(crate) fn fence_quorum(&self) -> usize {
        self.nodes.len() / 2 + 1
    }

    /// The time between two pings to a node: short against `down-after-milliseconds`, shortest to the primary.
    pub(crate) fn ping_every(&self, node: Option<NodeIx>, longest: Duration) -> Duration {
        let share = if node == Some(self.primary) { 20 } else { 10 };
        let (low, high) = timing::PING_RANGE;
        (self.settings.down_after / share).clamp(low, high).min(longest)
    }

    /// Whether a majority of the sentinels told us lately that they hold our configuration, and none a newer one.
    pub(crate) fn is_confirmed(&self, now: Mono) -> bool {
        let fresh = |p: &&Peer| now.since(p.last_hello) < timing::HELLO_FRESH;
        let agreeing =
            self.peers.values().filter(fresh).filter(|p| p.config_epoch == self.config_epoch).count() + 1;
        agreeing > self.voters() / 2
    }

    /// Whether the primary has restarted and waits for a word, by whatever it said last: nobody is told to follow it,
    /// least of all a node that leads in its place, be it in an older epoch.
    pub(crate) fn primary_is_idle(&self) -> bool {
        let p = self.primary();
        match &p.report {
            Some(last) if last.at > p.changed_at && p.info_at.is_none_or(|at| at < last.at) => {
                last.status.role == NodeRole::Idle
            }
            _ => p.info.tanist_role.as_deref() == Some("idle"),
        }
    }

    /// Whether the primary is up and says so: only then are replicas put right.
    pub(crate) fn primary_is_sane(&self, now: Mono) -> bool {
        let p = self.primary();
        p.info.role == Some(Role::Primary)
            && !self.primary_is_idle()
            && !p.detector.down()
            && !self.is_odown()
            && p.info_at.is_some_and(|at| now.since(at) < timing::INFO_BUSY * 4)
    }
}
