//! Replication in the node: the log it writes or follows, its replicas, its primary, its part in elections.
//!
//! The decisions are those of the replication core (`tanist-replication`); here they meet the data, the sessions and
//! the shell.
//! - `primary`: serving replicas: `PSYNC`, snapshots, sending, acknowledgements.
//! - `upstream`: following a primary: connecting, applying; `sync`: loading its snapshot.
//! - `role`: becoming a primary, a replica, or neither.
//! - `commands`, `tanist`: what clients, operators and sentinels say. `wait`: who waits for replicas.
//! - `standing`: what the node is at present. `report`: `INFO`, `ROLE`, and what is pushed to sentinels.
//!
//! Invariants: a position is acknowledged only after its entry was applied; whatever changes the durable state leaves
//! a write for the shell behind in the same step; a demoted node closes its clients in the same step.

mod commands;
mod failover;
mod primary;
mod report;
mod role;
mod standing;
mod sync;
mod tanist;
mod upstream;
mod wait;

pub(crate) use commands::COMMANDS;
pub use standing::Standing;
pub(crate) use sync::Sync;
pub(crate) use upstream::Upstream;

use crate::node::Node;
use crate::output::{LogLevel, Output, Outputs};
use crate::session::SessionId;
use crate::snapshot::Producer;
use failover::Failover;
use std::collections::BTreeMap;
use std::time::Duration;
use tanist_config::ServerConfig;
use tanist_replication::{
    Address, Backlog, BacklogConfig, Durable, DurableRole, Lineage, LinkId, Local, Member, PersistId,
    Replicas, ReplicasConfig, Role, WaitingLimit, encode_state,
};
use tanist_types::{ByteLen, DbIndex, LogPos, Mono, NodeId, Now, ReplId, Rng, RunId};
use wait::Waiter;

/// Everything that replication remembers.
#[derive(Debug)]
pub(crate) struct Repl {
    pub(crate) backlog: Backlog,
    pub(crate) lineage: Lineage,
    pub(crate) replicas: Replicas,
    pub(crate) member: Member,
    pub(crate) upstream: Option<Upstream>,
    /// Bytes handed to the shell for each link and not known to have left.
    credits: BTreeMap<LinkId, Credit>,
    /// The snapshot being produced for replicas; its bytes go into `replicas`.
    producing: Option<Producer>,
    /// Names the shell's temporary files.
    files: u64,
    /// The one of a snapshot whose length must be known before it is sent; and whether it is in use.
    spill: u64,
    spilling: bool,
    waiters: Vec<Waiter>,
    failover: Option<Failover>,
    /// Writes are held back for a switchover (`TANIST PAUSE`).
    pub(crate) hold: Option<Hold>,
    /// What a leader has prepared is forgotten then (`TANIST PREPARE`).
    prepared_until: Option<Mono>,
    /// How far the log was when it was last handed to the links.
    pumped: LogPos,
    /// A write of the durable state that the shell has not reported on.
    writing: Option<PersistId>,
    /// Names connections to primaries.
    attempts: u64,
    /// Enough replicas are fresh for writes.
    pub(crate) enough: bool,
    /// The replica links that were there when sentinels were last told.
    told: report::Told,
    /// The log has come from a primary.
    ever_followed: bool,
    /// It restarted without a role: its data are not those that clients left, until it is told to lead or a primary has
    /// brought it up to date.
    pub(crate) outdated: bool,
    /// Going on from the log's end has turned out to be of no use.
    ask_full: bool,
    /// Something has happened that [`Node::after_replication`] must follow.
    pub(crate) stirred: bool,
    /// There is a state file, or one is being written.
    has_file: bool,
    /// A failed write is not repeated before this, unless something changes.
    retry_write: Mono,
}

/// Writes wait until then, or until they are let go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Hold {
    pub(crate) until: Mono,
    /// Who is to have everything, and whether it was said that it has.
    target: Option<Address>,
    said: bool,
}

#[derive(Clone, Copy, Default, Debug)]
struct Credit {
    in_flight: usize,
    /// The shell will say when everything has left.
    asked: bool,
}

/// How long a failed write of the state file is not repeated by itself.
const WRITE_RETRY: Duration = Duration::from_secs(5);
/// The most bytes on their way to one replica in the shell's buffers. They are copied and written in one go, so this
/// bounds how long others wait for it; what a long link needs beyond it is in the socket's buffer.
const WINDOW: usize = 256 << 10;

impl Repl {
    /// A node that has been told nothing yet.
    pub(crate) fn new(config: &ServerConfig, run: RunId, node: NodeId, rng: &mut Rng) -> Repl {
        let mut durable = Durable::fresh(rng);
        durable.node = node;
        Repl::with(config, Member::start(durable, run), rng)
    }

    fn with(config: &ServerConfig, member: Member, rng: &mut Rng) -> Repl {
        let id = tanist_types::ReplId::random(rng);
        Repl {
            backlog: Backlog::new(backlog_config(config), LogPos::ZERO),
            lineage: Lineage::new(id, tanist_types::Epoch::ZERO, LogPos::ZERO),
            replicas: Replicas::new(replicas_config(config)),
            member,
            upstream: None,
            credits: BTreeMap::new(),
            producing: None,
            files: 0,
            spill: 0,
            spilling: false,
            waiters: Vec::new(),
            failover: None,
            hold: None,
            prepared_until: None,
            pumped: LogPos::ZERO,
            writing: None,
            attempts: 0,
            enough: true,
            told: report::Told::default(),
            ever_followed: false,
            outdated: false,
            ask_full: false,
            stirred: true,
            has_file: false,
            retry_write: Mono::ZERO,
        }
    }

    /// The end of the log.
    #[inline]
    pub(crate) fn end(&self) -> LogPos {
        self.backlog.end()
    }

    /// The end of the log with the epoch of its last entry.
    pub(crate) fn key(&self) -> tanist_replication::Key {
        self.lineage.key(self.end())
    }

    /// How far this node itself has got. Its log lives in memory: nothing is on disk, nothing is committed by quorum.
    fn local(&self) -> Local {
        Local { fsynced: None, committed: LogPos::ZERO }
    }
}

fn secs(n: u32) -> Duration {
    Duration::from_secs(u64::from(n))
}

fn backlog_config(config: &ServerConfig) -> BacklogConfig {
    let hard = config.client_output_buffer_limit.replica.hard;
    let reserve = if hard == 0 { u64::MAX >> 1 } else { hard };
    BacklogConfig {
        size: ByteLen(config.repl_backlog_size),
        reserve: ByteLen(reserve.max(config.repl_backlog_size)),
        ttl: Duration::from_secs(config.repl_backlog_ttl),
    }
}

/// A hard limit below the backlog's size would close replicas that the backlog serves without further memory.
fn waiting_limit(config: &ServerConfig) -> WaitingLimit {
    let limit = config.client_output_buffer_limit.replica;
    WaitingLimit {
        hard: if limit.hard == 0 { 0 } else { limit.hard.max(config.repl_backlog_size) },
        soft: limit.soft,
        soft_time: Duration::from_secs(limit.soft_seconds),
    }
}

fn replicas_config(config: &ServerConfig) -> ReplicasConfig {
    ReplicasConfig {
        timeout: secs(config.repl_timeout),
        ping_period: secs(config.repl_ping_replica_period),
        sync_delay: secs(config.repl_diskless_sync_delay),
        sync_max: config.repl_diskless_sync_max_replicas as usize,
        limit: waiting_limit(config),
    }
}

impl Node {
    /// The state that the shell has read from the state file: the node goes on as the one that wrote it. To be called
    /// once, before anything else.
    pub fn restore_state(&mut self, durable: Durable) {
        self.identity.node_id = durable.node;
        let member = Member::start(durable, self.identity.run_id);
        self.repl = Repl::with(&self.config, member, &mut self.rng);
        self.repl.has_file = true;
        self.repl.outdated = self.repl.member.role() == Role::Idle;
        self.refresh_gates();
    }

    /// Begins to follow the configured or remembered primary, if there is one. To be called once the data are loaded.
    pub fn start_replication(&mut self, now: Now, outs: &mut Outputs) {
        let configured =
            self.config.replicaof.as_ref().map(|p| Address { host: p.host.clone(), port: p.port });
        let known = self.repl.member.durable();
        match (&known.role, configured) {
            // Whoever has been told by a group goes by that, not by a file written before.
            (DurableRole::Replica(primary), _) if known.group.is_some() => {
                let primary = primary.clone();
                self.follow(primary, now, outs);
            }
            (_, Some(primary)) if known.group.is_none() => {
                self.repl.member.follow_by_hand(&primary);
                self.follow(primary, now, outs);
            }
            (DurableRole::Replica(primary), _) => {
                let primary = primary.clone();
                self.follow(primary, now, outs);
            }
            _ if self.is_replica() => outs.log(
                LogLevel::Warning,
                "This node had replicas or belongs to a group: it waits to be told its role. REPLICAOF NO ONE makes \
                 it a primary with the data it has now.",
            ),
            _ => {}
        }
        self.refresh_gates();
        self.refresh_enough(now);
        self.after_replication(now, outs);
    }

    /// Takes over settings that may have changed.
    pub(crate) fn configure_replication(&mut self, now: Now) {
        self.repl.backlog.configure(backlog_config(&self.config));
        self.repl.replicas.configure(replicas_config(&self.config));
        if let Some(up) = &mut self.repl.upstream {
            up.link.set_timeout(secs(self.config.repl_timeout));
        }
        self.refresh_enough(now);
    }

    /// Whether this node is no primary: it follows one, or waits to be told.
    #[inline]
    #[must_use]
    pub fn is_replica(&self) -> bool {
        !matches!(self.repl.member.role(), Role::Primary(_))
    }

    /// Whether anybody reads the log that this node writes.
    #[inline]
    pub(crate) fn is_logging(&self) -> bool {
        #[cfg(test)]
        if self.recorded.is_some() {
            return true;
        }
        self.repl.backlog.active() && !self.is_replica()
    }

    /// Hands new entries to the replicas, if there are any; called after each batch.
    #[inline]
    pub(crate) fn after_batch(&mut self, now: Now, outs: &mut Outputs) {
        if self.repl.stirred {
            self.repl.retry_write = Mono::ZERO;
            self.after_replication(now, outs);
        } else if self.repl.pumped != self.repl.end() {
            self.pump_all(now, outs);
        }
    }

    /// What follows any step of replication: entries leave, the durable state is handed out, gates are set.
    pub(crate) fn after_replication(&mut self, now: Now, outs: &mut Outputs) {
        self.repl.stirred = false;
        if self.repl.member.is_waited_for() {
            let granted = self.repl.member.granted_now();
            self.carry_out(granted, now, outs);
        }
        if self.repl.pumped != self.repl.end() {
            self.pump_all(now, outs);
        }
        // A lone node that nobody relies on leaves no file behind.
        let member = &self.repl.member;
        let wanted = self.repl.has_file || member.durable().belongs_to_others() || member.is_prepared();
        if wanted && member.wants_write() && self.repl.writing.is_none() && self.repl.retry_write <= now.mono
        {
            self.write_state(outs);
        }
        self.tell_sentinels(outs);
    }

    /// Nobody may rely on this node before a restart would know that somebody does.
    fn hold_replicas_back(&mut self) {
        self.repl.replicas.hold_back(!self.repl.member.replicas_are_noted());
        // Who was held back gets what there is.
        self.repl.pumped = LogPos(u64::MAX);
    }

    fn write_state(&mut self, outs: &mut Outputs) {
        let (end, lineage) = (self.repl.end(), self.repl.lineage.clone());
        if let Some((id, durable)) = self.repl.member.take_write(&lineage, end) {
            outs.push(Output::Persist { id: id.0, bytes: encode_state(&durable) });
            self.repl.writing = Some(id);
            self.repl.has_file = true;
        }
    }

    /// A name for another temporary file of the shell's.
    fn next_file(&mut self) -> u64 {
        self.repl.files += 1;
        self.repl.files
    }

    /// The shell has written the durable state, or could not.
    pub(crate) fn persisted(&mut self, id: u64, result: Result<(), String>, now: Now, outs: &mut Outputs) {
        let id = PersistId(id);
        if self.repl.writing == Some(id) {
            self.repl.writing = None;
        }
        match result {
            Ok(()) => {
                let granted = self.repl.member.persisted(id);
                self.hold_replicas_back();
                self.carry_out(granted, now, outs);
            }
            Err(why) => {
                outs.log(LogLevel::Warning, format!("The state file could not be written: {why}"));
                for ticket in self.repl.member.persist_failed(id) {
                    match role::attempt_of(ticket) {
                        Some(attempt) => self.attach_lost(attempt, now, outs),
                        None => self.answer(ticket, b"-ERR the state file could not be written\r\n", outs),
                    }
                }
                // Another try comes after a while, or with the next change.
                self.repl.retry_write = now.mono + WRITE_RETRY;
                return;
            }
        }
        self.after_replication(now, outs);
    }

    /// The switchover that was prepared does not take place, or has.
    fn forget_prepared(&mut self) {
        self.repl.prepared_until = None;
        self.repl.member.forget_prepared();
        self.repl.stirred = true;
    }

    /// Whether sentinels have told it that it belongs to a group.
    pub(crate) fn belongs_to_group(&self) -> bool {
        self.repl.member.durable().group.is_some()
    }

    /// `DEBUG CHANGE-REPL-ID`: the log goes on under another name; replicas ask again.
    pub(crate) fn rename_history(&mut self, id: ReplId, outs: &mut Outputs) {
        let end = self.repl.end();
        self.repl.lineage.rename(id, end);
        self.close_replicas(false, outs);
    }

    /// What is due by time.
    pub(crate) fn replication_tick(&mut self, now: Now, outs: &mut Outputs) {
        self.serve_replicas(now, outs);
        self.upstream_tick(now, outs);
        self.drop_slow_replicas(now, outs);
        self.release_waiters(now, outs);
        self.failover_tick(now, outs);
        if self.repl.hold.as_ref().is_some_and(|h| h.until <= now.mono) {
            self.resume_writes(outs);
        }
        if self.repl.prepared_until.is_some_and(|until| until <= now.mono) {
            self.forget_prepared();
        }
        self.refresh_enough(now);
        self.after_replication(now, outs);
    }

    /// When [`Node::replication_tick`] is due next.
    pub(crate) fn replication_deadline(&self) -> Mono {
        let repl = &self.repl;
        if repl.producing.is_some() && repl.replicas.snapshot_wants_more() == Some(true) {
            return Mono::ZERO;
        }
        let mut next = repl.replicas.next_deadline(!self.is_replica());
        if self.snapshot_running() && repl.replicas.snapshot_due().is_some() {
            // The key space's one snapshot is in use; its end ticks the node.
            next = Mono::NEVER;
        }
        let others = [
            repl.upstream.as_ref().map(Upstream::deadline),
            repl.backlog.deadline(),
            repl.waiters.iter().filter_map(|w| w.until).min(),
            repl.hold.as_ref().map(|h| h.until),
            repl.prepared_until,
            repl.failover.as_ref().map(Failover::deadline),
        ];
        others.into_iter().flatten().fold(next, Mono::min)
    }

    /// Whether this node's data are those of its primary, up to what is on its way.
    pub(crate) fn is_fresh_replica(&self) -> bool {
        self.repl.upstream.as_ref().is_some_and(|up| up.link.is_streaming())
    }

    /// Where in the log a snapshot that begins now is cut.
    pub(crate) fn snapshot_log(&self) -> Option<(ReplId, LogPos, Option<DbIndex>)> {
        let repl = &self.repl;
        repl.backlog.active().then(|| (repl.lineage.current().id, repl.end(), self.log_db))
    }

    /// All histories of that log, as text.
    pub(crate) fn snapshot_lineage(&self) -> Option<String> {
        self.repl.backlog.active().then(|| self.repl.lineage.to_string())
    }

    /// A loaded snapshot file says where in which log it was cut. A replica goes on from there; a primary begins a new
    /// history there, because it may have gone on in the old one after the file was written.
    pub(crate) fn adopt_saved_log(
        &mut self,
        log: Option<(ReplId, LogPos)>,
        lineage: Option<String>,
        stream_db: Option<DbIndex>,
    ) {
        self.log_db = stream_db;
        let Some((id, pos)) = log else { return };
        let saved = lineage.and_then(|text| text.parse::<Lineage>().ok());
        let saved = saved.filter(|l| l.current().id == id && l.current().start <= pos);
        self.repl.lineage = saved.unwrap_or_else(|| Lineage::new(id, tanist_types::Epoch::ZERO, pos));
        self.repl.backlog.reset(pos);
        self.repl.backlog.activate();
        self.repl.pumped = pos;
        self.repl.ever_followed = true;
        if !self.is_replica() {
            let epoch = self.repl.lineage.current().epoch;
            let id = ReplId::random(&mut self.rng);
            self.repl.lineage.shift(id, epoch, pos);
        }
    }

    /// Answers a session that waits for something durable.
    fn answer(&mut self, ticket: tanist_replication::Ticket, reply: &[u8], outs: &mut Outputs) {
        self.release(SessionId(ticket.0), reply, outs);
    }
}
