//! All replicas of a node: who is served from where, and when a snapshot is due.
//!
//! Full syncs share snapshots: a link waits `repl-diskless-sync-delay` for others to join it; one that comes while a
//! snapshot is running waits for the next, so a snapshot is never older than the attach of its reader (rule R6, V).

use crate::backlog::Backlog;
use crate::facts::{ReplicaFacts, SnapshotFilter};
use crate::lineage::{Lineage, Relation};
use crate::release::Acked;
use crate::replica_link::{Fault, Framing, LinkId, LinkPhase, ReplicaLink, State};
use crate::transfer::{Spill, Transfer};
use crate::wire::{self, Ack, LinkTerms, PsyncRequest};
use std::collections::BTreeMap;
use std::time::Duration;
use tanist_types::{Epoch, LogPos, Mono, Rng};

/// The settings of the primary's side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReplicasConfig {
    /// `repl-timeout`.
    pub timeout: Duration,
    /// `repl-ping-replica-period`.
    pub ping_period: Duration,
    /// `repl-diskless-sync-delay`: how long the first link waits for others before a snapshot begins.
    pub sync_delay: Duration,
    /// `repl-diskless-sync-max-replicas`: so many waiting links begin at once; zero for no such number.
    pub sync_max: usize,
    /// How much of the log may wait for one replica (`client-output-buffer-limit replica`).
    pub limit: WaitingLimit,
}

/// Bounds of what waits for one replica, in bytes; zero for none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WaitingLimit {
    /// At which its link is closed at once.
    pub hard: u64,
    /// At which its link is closed if it stays there for `soft_time`.
    pub soft: u64,
    /// How long the soft bound may be passed.
    pub soft_time: Duration,
}

impl Default for ReplicasConfig {
    fn default() -> Self {
        ReplicasConfig {
            timeout: Duration::from_secs(60),
            ping_period: Duration::from_secs(10),
            sync_delay: Duration::from_secs(5),
            sync_max: 0,
            limit: WaitingLimit::default(),
        }
    }
}

/// What a replica asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ask {
    /// Where it wants to go on.
    pub request: PsyncRequest,
    /// It said `SYNC`: no reply line is sent before the snapshot.
    pub plain: bool,
}

/// The log that is being served. The backlog must be active.
#[derive(Clone, Copy, Debug)]
pub struct Served<'a> {
    /// The epoch in which it is served: that of the node's primary.
    pub epoch: Epoch,
    /// Its histories.
    pub lineage: &'a Lineage,
    /// Its bytes.
    pub backlog: &'a Backlog,
}

/// What was decided about a `PSYNC`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attached {
    /// The log goes on where the replica asked.
    Partial,
    /// The replica waits for a snapshot; `None` if it asked for nothing better.
    Full(Option<WhyFull>),
    /// The replica has promised a higher epoch than this node may serve: it was told so.
    Fenced,
}

/// Why a partial resynchronisation was not possible.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhyFull {
    /// The replica's history is not ours.
    UnknownHistory,
    /// The replica has entries that we do not have.
    Diverged,
    /// What it lacks is no longer held.
    BacklogGone,
}

/// What came to be by the passing of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// These bytes keep a waiting replica alive.
    Keepalive(LinkId),
    /// Close this link.
    Drop(LinkId, Fault),
    /// Append a `PING` to the log.
    Ping,
}

/// How often a replica that waits for a snapshot hears from us.
const KEEPALIVE: Duration = Duration::from_secs(1);

/// The replicas of a node.
#[derive(Debug)]
pub struct Replicas {
    config: ReplicasConfig,
    links: BTreeMap<LinkId, ReplicaLink>,
    transfer: Option<Transfer>,
    /// No snapshot may begin, and nothing of the log be sent, for now.
    held_back: bool,
    next_ping: Mono,
}

impl Replicas {
    /// No replicas.
    #[must_use]
    pub fn new(config: ReplicasConfig) -> Replicas {
        Replicas { config, links: BTreeMap::new(), transfer: None, held_back: false, next_ping: Mono::ZERO }
    }

    /// Changes the settings.
    pub fn configure(&mut self, config: ReplicasConfig) {
        self.config = config;
    }

    /// The link `id`, made if it is new.
    pub fn link(&mut self, id: LinkId, peer_ip: &str, now: Mono) -> &mut ReplicaLink {
        self.links.entry(id).or_insert_with(|| ReplicaLink::new(peer_ip.to_owned(), now))
    }

    /// The link `id`, if there is one.
    #[must_use]
    pub fn get(&self, id: LinkId) -> Option<&ReplicaLink> {
        self.links.get(&id)
    }

    /// The links that have asked for data, in the order of their ids.
    pub fn attached(&self) -> impl Iterator<Item = (LinkId, &ReplicaLink)> {
        self.links.iter().filter(|(_, l)| l.phase().is_some()).map(|(&id, l)| (id, l))
    }

    /// The links that follow the log.
    pub fn online(&self) -> impl Iterator<Item = (LinkId, &ReplicaLink)> {
        self.links.iter().filter(|(_, l)| l.is_online()).map(|(&id, l)| (id, l))
    }

    /// What the links that follow the log have acknowledged.
    pub fn acks(&self) -> impl Iterator<Item = Acked> {
        self.online().map(|(_, l)| l.acked)
    }

    /// Whether any link has asked for data.
    #[must_use]
    pub fn any_attached(&self) -> bool {
        self.attached().next().is_some()
    }

    /// Decides about a `PSYNC` or `SYNC` of link `id`, and appends what is to be sent at once.
    pub fn psync(&mut self, id: LinkId, ask: Ask, log: Served<'_>, now: Mono, out: &mut Vec<u8>) -> Attached {
        let Served { epoch, lineage, backlog } = log;
        let link = self.links.entry(id).or_insert_with(|| ReplicaLink::new(String::new(), now));
        // R1: a replica that has promised a higher epoch must not follow us.
        if let Some((promised, _)) = link.facts.epochs
            && promised > epoch
        {
            out.extend_from_slice(format!("-FENCED {promised}\r\n").as_bytes());
            return Attached::Fenced;
        }
        let why = match ask.request {
            PsyncRequest::Full => None,
            PsyncRequest::From { id: history, pos } | PsyncRequest::TakeOver { id: history, pos } => {
                match lineage.relation(history, pos, backlog.end()) {
                    Relation::Prefix if backlog.holds(pos) => {
                        let end = backlog.end();
                        let terms = link.facts.tanist.then_some(LinkTerms { epoch, end });
                        wire::put_continue(out, lineage.current().id, link.facts.psync2, terms);
                        link.state = State::Online { cursor: pos };
                        link.acked.heard = now;
                        return Attached::Partial;
                    }
                    Relation::Prefix => Some(WhyFull::BacklogGone),
                    Relation::Unknown => Some(WhyFull::UnknownHistory),
                    Relation::Diverged => Some(WhyFull::Diverged),
                }
            }
        };
        link.plain_sync = ask.plain;
        link.state = State::Snapshot { since: now };
        link.last_keepalive = now;
        Attached::Full(why)
    }

    /// Takes in an acknowledgement.
    ///
    /// # Errors
    /// When it cannot be true; the link has to be closed.
    pub fn ack(&mut self, id: LinkId, ack: Ack, backlog: &Backlog, now: Mono) -> Result<(), Fault> {
        match self.links.get_mut(&id) {
            Some(link) => link.ack(ack, backlog.end(), now),
            None => Ok(()),
        }
    }

    /// Notes that something was heard from a link that waits or loads.
    pub fn heard(&mut self, id: LinkId, now: Mono) {
        if let Some(link) = self.links.get_mut(&id) {
            link.acked.heard = now;
        }
    }

    /// Whether replicas have to go on waiting for a snapshot, or for what they lack of the log, whatever the time is.
    pub fn hold_back(&mut self, wait: bool) {
        self.held_back = wait;
    }

    /// When the next snapshot should begin, if somebody waits for one and none is running.
    #[must_use]
    pub fn snapshot_due(&self) -> Option<Mono> {
        if self.transfer.is_some() || self.held_back {
            return None;
        }
        let waiting = || {
            self.links.values().filter_map(|l| match l.state {
                State::Snapshot { since } => Some((since, l)),
                _ => None,
            })
        };
        let first = waiting().map(|(since, _)| since).min()?;
        let enough = self.config.sync_max > 0 && waiting().count() >= self.config.sync_max;
        // A mere download has nobody to wait for.
        let only_downloads = waiting().all(|(_, l)| l.facts.rdb_only);
        Some(if enough || only_downloads { first } else { first + self.config.sync_delay })
    }

    /// The lowest RDB version that all waiting links are known to read: 11, or 10 (`docs/decisions`).
    #[must_use]
    pub fn snapshot_reads_11(&self) -> bool {
        self.snapshot_readers().all(ReplicaFacts::reads_rdb_11)
    }

    /// Whether all waiting links are known to read what Valkey 9 writes, fields that expire included.
    #[must_use]
    pub fn snapshot_reads_valkey_80(&self) -> bool {
        self.snapshot_readers().all(ReplicaFacts::reads_valkey_80)
    }

    fn snapshot_readers(&self) -> impl Iterator<Item = &ReplicaFacts> {
        let waiting = self.links.values().filter(|link| matches!(link.state, State::Snapshot { .. }));
        waiting.map(|link| &link.facts)
    }

    /// The waiting links that want the same parts in the same framing as the first one will get the snapshot that
    /// begins now, at the log's end. Returns which parts, and what each link is sent first.
    pub fn begin_snapshot(
        &mut self,
        log: Served<'_>,
        rng: &mut Rng,
    ) -> (SnapshotFilter, Vec<(LinkId, Vec<u8>)>) {
        let Served { epoch, lineage, backlog } = log;
        let at = backlog.end();
        let mut openings = Vec::new();
        let waits = |link: &ReplicaLink| matches!(link.state, State::Snapshot { .. });
        let first = self.links.values().find(|link| waits(link));
        let filter = first.map_or(SnapshotFilter::All, |link| link.facts.filter);
        // Who must be told the length first gets nothing before the end: such links have a snapshot of their own.
        let needs_length = first.is_some_and(|link| !link.facts.eof);
        for (&id, link) in &mut self.links {
            if !waits(link) || link.facts.filter != filter || link.facts.eof == needs_length {
                continue;
            }
            let mut line = Vec::new();
            if !link.plain_sync {
                let terms = link.facts.tanist.then_some(LinkTerms { epoch, end: at });
                wire::put_full_sync(&mut line, lineage.current().id, at, terms);
            }
            openings.push((id, line));
            let framing = if needs_length { Framing::Length } else { Framing::Mark };
            link.state = State::SnapshotHead { framing };
            link.log_from = at;
        }
        let mark = tanist_types::RunId::random(rng).hex();
        self.transfer = Some(Transfer::new(mark, needs_length));
        (filter, openings)
    }

    /// Appends bytes to the running snapshot.
    pub fn feed_snapshot(&mut self, bytes: &[u8]) {
        if let Some(transfer) = &mut self.transfer {
            transfer.append(bytes);
        }
    }

    /// The running snapshot has all its bytes.
    pub fn complete_snapshot(&mut self) {
        if let Some(transfer) = &mut self.transfer {
            transfer.complete();
        }
    }

    /// Whether a snapshot is running; and whether it should be fed now.
    #[must_use]
    pub fn snapshot_wants_more(&self) -> Option<bool> {
        let transfer = self.transfer.as_ref()?;
        Some(transfer.wants_more(self.slowest_snapshot_cursor()?))
    }

    /// The shell holds so many bytes for a link that its socket has not taken.
    pub fn note_unsent(&mut self, id: LinkId, bytes: u64) {
        if let Some(link) = self.links.get_mut(&id) {
            link.unsent = bytes;
        }
    }

    /// The links for which too much of the log waits, or has waited for too long, the log ending at `end`.
    pub fn too_slow(&mut self, end: LogPos, now: Mono) -> Vec<LinkId> {
        let WaitingLimit { hard, soft, soft_time } = self.config.limit;
        let mut slow = Vec::new();
        for (&id, link) in &mut self.links {
            let waiting = link.waiting(end);
            if soft == 0 || waiting < soft {
                link.above_soft = None;
            } else {
                link.above_soft.get_or_insert(now);
            }
            let too_long = link.above_soft.is_some_and(|since| since + soft_time <= now);
            if hard > 0 && waiting >= hard || too_long {
                slow.push(id);
            }
        }
        slow
    }

    /// Bytes of the running snapshot that are in memory.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.transfer.as_ref().map_or(0, Transfer::held)
    }

    /// What is to be done with the file of the running snapshot, if anything now.
    pub fn spill(&mut self) -> Option<Spill> {
        let slowest = self.slowest_snapshot_cursor()?;
        self.transfer.as_mut()?.spill(slowest)
    }

    /// The bytes of the last [`Spill::Write`] are in the file.
    pub fn spilled(&mut self) {
        if let Some(transfer) = &mut self.transfer {
            transfer.spilled();
        }
    }

    /// The bytes of the last [`Spill::Read`].
    pub fn read_back(&mut self, bytes: &[u8]) {
        if let Some(transfer) = &mut self.transfer {
            transfer.read_back(bytes);
        }
    }

    /// Ends the running snapshot if nobody reads it any more. The caller stops producing it.
    pub fn end_snapshot_if_unread(&mut self) -> bool {
        let over = self.transfer.is_some() && self.slowest_snapshot_cursor().is_none();
        if over {
            self.transfer = None;
        }
        over
    }

    /// The links that read the running snapshot.
    pub fn receiving(&self) -> impl Iterator<Item = LinkId> {
        self.links.iter().filter(|(_, l)| l.snapshot_cursor().is_some()).map(|(&id, _)| id)
    }

    fn slowest_snapshot_cursor(&self) -> Option<LogPos> {
        self.links.values().filter_map(ReplicaLink::snapshot_cursor).min()
    }

    /// The first position of the log that any link still needs.
    #[must_use]
    pub fn slowest(&self) -> Option<LogPos> {
        self.links.values().filter_map(ReplicaLink::needs_from).min()
    }

    /// Whether link `id` has something to be sent that is at hand.
    #[must_use]
    pub fn has_pending(&self, id: LinkId, backlog: &Backlog) -> bool {
        match self.links.get(&id).map(|l| l.state) {
            Some(State::Online { cursor }) => cursor < backlog.end() && !self.held_back,
            Some(State::SnapshotHead { .. } | State::SnapshotBody { .. }) => true,
            _ => false,
        }
    }

    /// Appends up to about `max` bytes for link `id`.
    ///
    /// # Errors
    /// When what it needs is gone; the link has to be closed.
    pub fn pump(
        &mut self,
        id: LinkId,
        backlog: &Backlog,
        max: usize,
        now: Mono,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let Some(link) = self.links.get_mut(&id) else { return Ok(()) };
        link.pump(backlog, self.transfer.as_ref(), max, now, out)?;
        if let Some(slowest) = self.slowest_snapshot_cursor()
            && let Some(transfer) = &mut self.transfer
        {
            transfer.trim(slowest);
        }
        Ok(())
    }

    /// Forgets a link.
    pub fn remove(&mut self, id: LinkId) -> Option<ReplicaLink> {
        self.links.remove(&id)
    }

    /// What is due by now. `pings` says whether this node is the one to ping (a primary).
    pub fn tick(&mut self, now: Mono, pings: bool) -> Vec<Due> {
        let mut due = Vec::new();
        for (&id, link) in &mut self.links {
            if let Some(at) = link.expires(self.config.timeout)
                && at <= now
            {
                due.push(Due::Drop(id, Fault::Timeout));
            } else if let State::Snapshot { .. } | State::SnapshotHead { framing: Framing::Length } =
                link.state
                && link.last_keepalive + KEEPALIVE <= now
            {
                link.last_keepalive = now;
                due.push(Due::Keepalive(id));
            }
        }
        if pings && self.any_attached() && self.next_ping <= now {
            if self.next_ping > Mono::ZERO {
                due.push(Due::Ping);
            }
            self.next_ping = now + self.config.ping_period;
        }
        due
    }

    /// When [`tick`](Replicas::tick) or a snapshot is due next.
    #[must_use]
    pub fn next_deadline(&self, pings: bool) -> Mono {
        let mut next = self.snapshot_due().unwrap_or(Mono::NEVER);
        for link in self.links.values() {
            next = next.min(link.expires(self.config.timeout).unwrap_or(Mono::NEVER));
            if let State::Snapshot { .. } | State::SnapshotHead { framing: Framing::Length } = link.state {
                next = next.min(link.last_keepalive + KEEPALIVE);
            }
            if let Some(since) = link.above_soft {
                next = next.min(since + self.config.limit.soft_time);
            }
        }
        if pings && self.any_attached() { next.min(self.next_ping) } else { next }
    }

    /// What `INFO` and `ROLE` show: address, phase, acknowledged position, time since last heard.
    pub fn lines(&self, now: Mono) -> impl Iterator<Item = ReplicaLine<'_>> {
        self.attached().filter_map(move |(_, link)| {
            let (ip, port) = link.address();
            let lag = now.since(link.acked.heard);
            Some(ReplicaLine { ip, port, phase: link.phase()?, acked: link.acked.received, lag })
        })
    }
}

/// One replica, as `INFO` and `ROLE` show it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReplicaLine<'a> {
    /// Its address.
    pub ip: &'a str,
    /// Its port; zero if it did not say.
    pub port: u16,
    /// What it is doing.
    pub phase: LinkPhase,
    /// What it has acknowledged.
    pub acked: LogPos,
    /// How long it has not been heard.
    pub lag: Duration,
}

impl ReplicaLink {
    /// When the link counts as dead, if nothing happens.
    fn expires(&self, timeout: Duration) -> Option<Mono> {
        match self.state {
            State::Handshake | State::Snapshot { .. } => None,
            // A replica may load for as long as it likes: what it says meanwhile (empty lines) is not seen here, and a
            // dead one is found by the connection's keepalive.
            State::SnapshotHead { .. } | State::Loaded => None,
            State::SnapshotBody { progress, .. } => Some(progress + timeout),
            State::Goodbye { since } => Some(since.max(self.acked.heard) + timeout),
            State::Online { .. } => Some(self.acked.heard + timeout),
        }
    }
}

#[cfg(test)]
#[path = "replicas_tests.rs"]
mod tests;
