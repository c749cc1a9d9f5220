//! The node's state and its two ways in: [`Node::run`] for commands (in `dispatch`), [`Node::step`] for the rest.

use crate::acl::{Denials, Users};
use crate::blocking::Blocking;
use crate::buffers::Buffers;
use crate::client_eviction::ClientMemory;
use crate::command_log::CommandLogs;
use crate::dispatch::Stopped;
use crate::eviction::Eviction;
use crate::expiry::ExpireCycle;
use crate::host::{HostFacts, Memory};
use crate::input::{Identity, Input, Peer, Stopwatch};
use crate::latency::LatencyMonitor;
use crate::log::Effects;
use crate::observe::Thresholds;
use crate::output::{LogLevel, Output, Outputs};
use crate::pubsub::Pubsub;
use crate::replication::Repl;
use crate::scripting::Scripting;
use crate::session::{Session, SessionId, Sessions, Waiting};
use crate::shutdown::{Shutdown, ShutdownRequest};
use crate::snapshot::{Loader, Saving};
use crate::stats::Stats;
use crate::table::CommandTable;
use crate::tracking;
use crate::transaction::Watchers;
use crate::usage::Usage;
use std::time::Duration;
use tanist_config::ServerConfig;
use tanist_keyspace::Keyspace;
use tanist_types::{DbIndex, Mono, Now, Rng};

/// What the shell draws at start.
#[derive(Clone, Copy, Debug)]
pub struct Seeds {
    /// Keys the hash of user keys, so that nobody outside can build collisions.
    pub hash: [u64; 2],
    /// Seeds everything else.
    pub rng: u64,
}

/// A data node.
pub struct Node {
    pub(crate) config: ServerConfig,
    pub(crate) identity: Identity,
    pub(crate) table: CommandTable,
    pub(crate) data: Keyspace,
    pub(crate) sessions: Sessions,
    pub(crate) users: Users,
    pub(crate) denials: Denials,
    pub(crate) pubsub: Pubsub,
    pub(crate) watchers: Watchers,
    pub(crate) tracking: tracking::Table,
    /// What the running session is to be told behind the reply of its command.
    pub(crate) behind_reply: Vec<u8>,
    pub(crate) blocking: Blocking,
    pub(crate) monitors: Vec<SessionId>,
    pub(crate) stats: Stats,
    pub(crate) rng: Rng,
    /// The effects of the running command or transaction.
    pub(crate) effects: Effects,
    /// Changes made by the running command.
    pub(crate) dirty: u64,
    /// The running command has put its own effects into the log.
    pub(crate) rewritten: bool,
    /// The database selected at the log's end.
    pub(crate) log_db: Option<DbIndex>,
    /// How use is noted on entries (`maxmemory-policy`).
    pub(crate) usage: Usage,
    /// `DEBUG SET-ACTIVE-EXPIRE`.
    pub(crate) active_expire: bool,
    /// `DEBUG SET-DISABLE-DENY-SCRIPTS`: scripts may carry out what is not for scripts.
    pub(crate) scripts_unbound: bool,
    /// `DEBUG SET-SKIP-CHECKSUM-VALIDATION`.
    pub(crate) checksums_unread: bool,
    /// `DEBUG PAUSE-CRON`.
    pub(crate) cron_paused: bool,
    pub(crate) pause: Option<Pause>,
    /// Some gate other than authentication may refuse or hold commands (see `gates`).
    pub(crate) gated: bool,
    pub(crate) thresholds: Thresholds,
    /// Time that the running command will hold up the node beyond its own (`DEBUG SLEEP`).
    pub(crate) stalled: Duration,
    /// What a constant-time command has cost lately, on average.
    pub(crate) fast_cost: Duration,
    pub(crate) expire_cycle: ExpireCycle,
    pub(crate) fields: crate::field_expiry::FieldCycle,
    /// Reused by the active expiry.
    pub(crate) due: Vec<Box<[u8]>>,
    /// What tests look at instead of a replica.
    #[cfg(test)]
    pub(crate) recorded: Option<Vec<u8>>,
    pub(crate) started: Now,
    pub(crate) saving: Saving,
    /// The snapshot file is being loaded.
    pub(crate) loading: Option<Loader>,
    /// The logs of slow, large and talkative commands.
    pub(crate) command_logs: CommandLogs,
    pub(crate) latency: LatencyMonitor,
    pub(crate) host: HostFacts,
    pub(crate) memory: Memory,
    pub(crate) buffers: Buffers,
    pub(crate) client_memory: ClientMemory,
    pub(crate) eviction: Eviction,
    pub(crate) scripting: Scripting,
    /// The `MIGRATE` that is under way: writes wait for its end. And how many there have been.
    pub(crate) migration: Option<crate::commands::generic::Migration>,
    pub(crate) migrations: u64,
    /// When the log last named somebody who speaks HTTP.
    pub(crate) http_noted: Option<Mono>,
    /// Connections that are kept for the next ones.
    pub(crate) exchanges_kept: usize,
    /// The node is ending.
    pub(crate) ending: Option<Shutdown>,
    /// A signal has asked for that while nothing is done by time.
    pub(crate) signalled: Option<ShutdownRequest>,
    pub(crate) repl: Repl,
    next_cron: Mono,
    expire_more: bool,
}

/// `CLIENT PAUSE`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Pause {
    pub(crate) until: Mono,
    /// Every command waits, not only those that write.
    pub(crate) all: bool,
}

/// The period of sampling and of the active expiry cycle.
const CRON: Duration = Duration::from_millis(100);

impl Node {
    /// A primary with no data.
    #[must_use]
    pub fn new(config: ServerConfig, identity: Identity, seeds: Seeds, now: Now) -> Node {
        let table = CommandTable::new(&config.lists.renames);
        let mut rng = Rng::from_seed(seeds.rng);
        let repl = Repl::new(&config, identity.run_id, identity.node_id, &mut rng);
        let mut node = Node {
            stats: Stats::new(table.len()),
            data: Keyspace::new(seeds.hash, config.databases.min(u32::from(u16::MAX)) as u16),
            table,
            identity,
            sessions: Sessions::default(),
            users: Users::new(&config.requirepass),
            denials: Denials::default(),
            pubsub: Pubsub::default(),
            watchers: Watchers::default(),
            tracking: tracking::Table::default(),
            behind_reply: Vec::new(),
            blocking: Blocking::default(),
            monitors: Vec::new(),
            rng,
            repl,
            effects: Effects::default(),
            dirty: 0,
            rewritten: false,
            log_db: None,
            usage: Usage::default(),
            active_expire: true,
            scripts_unbound: false,
            checksums_unread: false,
            cron_paused: false,
            pause: None,
            gated: false,
            thresholds: Thresholds::of(&config),
            stalled: Duration::ZERO,
            fast_cost: Duration::ZERO,
            expire_cycle: ExpireCycle::default(),
            fields: crate::field_expiry::FieldCycle::default(),
            due: Vec::new(),
            #[cfg(test)]
            recorded: None,
            started: now,
            saving: Saving::new(now),
            loading: None,
            http_noted: None,
            ending: None,
            signalled: None,
            command_logs: CommandLogs::default(),
            latency: LatencyMonitor::default(),
            host: HostFacts::default(),
            memory: Memory::default(),
            buffers: Buffers::default(),
            client_memory: ClientMemory::default(),
            eviction: Eviction::default(),
            scripting: Scripting::default(),
            migration: None,
            migrations: 0,
            exchanges_kept: 0,
            next_cron: now.mono + CRON,
            expire_more: false,
            config,
        };
        node.configure_collections();
        node.stats.track_times(node.config.latency_tracking);
        node.data.note_births(node.notifies(b'n'));
        node.refresh_stamp(now);
        node.refresh_gates();
        node.configure_client_eviction();
        node
    }

    /// A new connection. `Err` holds the reply to write before closing it.
    ///
    /// # Errors
    /// When `maxclients` is reached or protected mode forbids the peer.
    pub fn connect(&mut self, now: Now, peer: Peer) -> Result<SessionId, &'static str> {
        self.stats.connections += 1;
        if self.sessions.len() as u64 >= u64::from(self.config.maxclients) {
            self.stats.rejected_connections += 1;
            return Err("-ERR max number of clients reached\r\n");
        }
        if self.users.default().no_password && self.config.protected_mode && !peer.local {
            self.stats.rejected_connections += 1;
            return Err(PROTECTED);
        }
        let id = self.sessions.next_id();
        self.sessions.insert(Session::new(id, peer, now, self.users.default().clone()));
        Ok(id)
    }

    /// Takes one input that is not a batch of commands.
    pub fn step(&mut self, now: Now, input: Input, outs: &mut Outputs) {
        let before = outs.len();
        match input {
            Input::Closed(id) => {
                self.closed(id);
                self.replica_closed(id, now, outs);
            }
            Input::Drained(id) => self.drained(id, now, outs),
            Input::Buffered { session, unread, spare, unsent } => {
                self.buffered(session, (unread, spare, unsent), now, outs);
            }
            Input::Overlong(id) => self.overlong(id, now, outs),
            Input::Malformed => self.stats.count_error("ERR"),
            Input::PrimaryConnected { attempt } => self.primary_connected(attempt, now, outs),
            Input::PrimaryClosed { attempt, why } => self.primary_closed(attempt, why, now, outs),
            Input::Exchanged { number, bytes } => self.exchanged(number, &bytes, now, outs),
            Input::ExchangeEnded { number, sent } => self.exchange_ended(number, sent, now, outs),
            Input::ExchangesKept(count) => self.exchanges_kept = count,
            Input::Spilled { file, result } => self.spilled(file, result, now, outs),
            Input::Persisted { id, result } => self.persisted(id, result, now, outs),
            Input::Tick => self.do_due(now, outs, &Stopped(now.mono)),
            Input::SaveWritten(result) => self.save_written(now, result, outs),
            Input::SnapshotLoaded(result) => self.snapshot_loaded(now, result, outs),
            Input::Host(facts) => self.take_facts(*facts),
            Input::Reconfigured { session, result } => self.reconfigured(session, result, now, outs),
            Input::UsersRead { session, result } => self.users_read(session, result, outs),
            Input::UsersWritten { session, result } => self.users_written(session, result, outs),
            Input::Rewritten { session, result } => self.rewritten(session, result, outs),
        }
        self.serve_after_step(now, outs);
        self.give_garbage(outs);
        self.broadcast_changes(outs);
        self.count_sent(outs, before);
    }

    /// [`Input::Tick`] with a stopwatch, so that background work is bounded by time.
    pub fn tick(&mut self, now: Now, outs: &mut Outputs, watch: &dyn Stopwatch) {
        let before = outs.len();
        self.do_due(now, outs, watch);
        self.serve_after_step(now, outs);
        self.count_sent(outs, before);
    }

    /// When [`Node::tick`] is due next.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        let mut next = self.next_cron;
        if let Some(pause) = self.pause {
            next = next.min(pause.until);
        }
        if let Some(ending) = &self.ending {
            next = next.min(ending.deadline());
        }
        next = next.min(self.replication_deadline()).min(self.slow_readers_deadline());
        next = next.min(self.migration_deadline()).min(self.saving.next_slice());
        next = next.min(self.blocking.deadline().unwrap_or(Mono::NEVER));
        let busy = self.expire_more || self.eviction.more || self.has_slice_to_run();
        if busy { Mono::ZERO } else { next }
    }

    /// Has entries that are used from now on note it as `maxmemory-policy` asks for, at this time.
    pub(crate) fn refresh_stamp(&mut self, now: Now) {
        self.usage = Usage::new(&self.config, now.wall());
        self.data.set_stamp(self.usage.stamp());
    }

    fn do_due(&mut self, now: Now, outs: &mut Outputs, watch: &dyn Stopwatch) {
        self.refresh_stamp(now);
        if self.pause.is_some_and(|p| p.until <= now.mono) {
            self.unpause(outs);
        }
        self.suspended_slice(now, outs, watch);
        if now.mono >= self.next_cron {
            self.next_cron = now.mono + CRON;
            if !self.cron_paused {
                self.stats.sample(now.mono);
                self.close_idle(now, outs);
                self.judge_all_clients(now, outs);
                self.forget_surplus(0, outs);
                self.save_if_due(now, outs);
                self.obey_signal(now, outs);
            }
            self.shutdown_step(now, outs);
        }
        self.judge_slow_readers(now, outs);
        self.migration_tick(now, outs);
        self.save_slice(now, outs);
        // Nothing may change the data in the middle of a script or a transaction.
        if !self.is_suspended() {
            self.expire_more = !self.cron_paused && self.expire_slice(now, outs);
            if self.eviction.more {
                self.evict_slice(now, None, &mut Vec::new(), outs, watch);
            }
        }
        self.replication_tick(now, outs);
        self.blocking_tick(now, outs);
    }

    /// Forgets a connection and everything that it held.
    pub(crate) fn closed(&mut self, id: SessionId) {
        if let Some(mut session) = self.sessions.remove(id) {
            self.unwatch_all(&mut session);
            self.pubsub.forget(&session);
            self.monitors.retain(|&m| m != id);
            self.forget_waiter(id);
            self.blocking.forget(id);
            self.forget_buffers(id);
            self.uncount_client(&session);
            self.stop_tracking(id, session.tracking.take());
            self.orphan_suspended(session);
        }
    }

    /// `timeout`: closes clients that have been silent for too long.
    fn close_idle(&mut self, now: Now, outs: &mut Outputs) {
        let timeout = u64::from(self.config.timeout);
        if timeout == 0 {
            return;
        }
        for s in self.sessions.others() {
            let exempt = s.kind != crate::SessionKind::Normal || s.waiting.is_some() || s.monitor;
            if !exempt && now.mono.since(s.last_active) > Duration::from_secs(timeout) {
                outs.log(LogLevel::Verbose, "Closing idle client");
                outs.push(Output::Close { session: s.id, flush: false });
            }
        }
    }

    /// Fresh facts from the shell; the first ones tell what the process uses without data.
    fn take_facts(&mut self, facts: HostFacts) {
        self.host = facts;
        if self.memory.startup == 0 {
            self.memory.startup = self.host.allocator.allocated;
        }
        self.memory.peak = self.memory.peak.max(self.memory_parts(None).used());
    }

    /// Ends `CLIENT PAUSE`.
    pub(crate) fn unpause(&mut self, outs: &mut Outputs) {
        self.pause = None;
        self.refresh_gates();
        self.release_paused(outs);
    }

    /// Lets everybody run on whose command has been held back.
    pub(crate) fn release_paused(&mut self, outs: &mut Outputs) {
        self.blocking.signal_held();
        let held: Vec<SessionId> =
            self.sessions.others().filter(|s| s.waiting == Some(Waiting::Paused)).map(|s| s.id).collect();
        for id in held {
            if let Some(s) = self.sessions.get_mut(id) {
                s.waiting = None;
            }
            outs.push(Output::Resume(id));
        }
    }

    /// Answers a session that is blocked in a command, and lets the rest of its batch run.
    pub(crate) fn release(&mut self, id: SessionId, reply: &[u8], outs: &mut Outputs) {
        if let Some(s) = self.sessions.get_mut(id)
            && s.waiting.take().is_some()
        {
            outs.push(Output::Send { session: id, bytes: reply.to_vec() });
            outs.push(Output::Resume(id));
        }
    }

    pub(crate) fn is_paused_for_expiry(&self) -> bool {
        self.pause.is_some()
            || self.repl.hold.is_some()
            || self.migration.is_some()
            || self.saving.reloading.is_some()
    }

    /// `key` has changed: marks the transactions of everybody who watches it, the running session excepted, and notes
    /// that those who wait for it may have it.
    #[inline]
    pub(crate) fn mark_watchers(&mut self, db: DbIndex, key: &[u8]) {
        self.blocking.signal(db, key);
        if self.watchers.is_empty() {
            return;
        }
        for id in self.watchers.of(db, key).to_vec() {
            if let Some(s) = self.sessions.get_mut(id) {
                self.watchers.spoil(s);
            }
        }
    }

    /// [`Node::mark_watchers`] for a key that was removed because it was past its time: for who has watched it only
    /// since then, nothing has changed.
    pub(crate) fn mark_watchers_expired(&mut self, db: DbIndex, key: &[u8]) {
        self.blocking.signal(db, key);
        if self.watchers.is_empty() {
            return;
        }
        for id in self.watchers.of(db, key).to_vec() {
            if let Some(s) = self.sessions.get_mut(id)
                && s.watched_key_expired(db, key)
            {
                self.watchers.spoil(s);
            }
        }
    }

    /// Adds an effect to the entry that is being built.
    pub(crate) fn add_effect(&mut self, db: DbIndex, args: &[&[u8]]) {
        if self.is_logging() {
            self.effects.add(db, args);
        }
    }

    /// Appends the effects collected so far to the log, as one entry.
    pub(crate) fn commit_effects(&mut self, _outs: &mut Outputs) {
        if !self.effects.is_empty() {
            let backlog = &mut self.repl.backlog;
            #[cfg(test)]
            let recorded = &mut self.recorded;
            self.log_db = self.effects.take_entry(self.log_db, |piece| {
                backlog.append(piece);
                #[cfg(test)]
                if let Some(recorded) = recorded {
                    recorded.extend_from_slice(piece);
                }
            });
        }
    }
}

const PROTECTED: &str = "-DENIED Running in protected mode because protected mode is enabled and no password is set \
for the default user. In this mode connections are only accepted from the loopback interface. If you want to \
connect from external computers, you may adopt one of the following solutions: 1) Disable protected mode by \
sending the command 'CONFIG SET protected-mode no' from the loopback interface; make sure that the node is not \
reachable from the Internet if you do so. Use CONFIG REWRITE to make this change permanent. 2) Set the \
protected-mode option to 'no' in the configuration file, and restart the server. 3) If you started the server \
manually just for testing, restart it with the '--protected-mode no' option. 4) Set up a password for the default \
user. NOTE: You only need to do one of the above things in order for the server to start accepting connections \
from the outside.\r\n";
