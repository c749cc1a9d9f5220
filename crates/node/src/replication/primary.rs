//! Serving replicas: who gets what from where, snapshots in slices, acknowledgements.

use super::{Credit, WINDOW};
use crate::node::Node;
use crate::output::{LogLevel, Output, Outputs};
use crate::session::{Session, SessionId, SessionKind};
use crate::snapshot::{Head, Producer};
use tanist_rdb::RdbVersion;
use tanist_replication::{Ack, Ask, Attached, Due, Fault, LinkId, Served, SnapshotFilter, Spill};
use tanist_types::{Now, ReplId};

/// How many bytes of entries one slice of a snapshot produces.
const SLICE: usize = 64 << 10;

impl Node {
    /// Decides about a `PSYNC` or `SYNC`; appends the immediate answer to `out`.
    pub(super) fn attach_replica(
        &mut self,
        session: &mut Session,
        ask: Ask,
        now: Now,
        out: &mut Vec<u8>,
        outs: &mut Outputs,
    ) {
        let link = LinkId(session.id.0);
        if self.repl.backlog.activate() {
            // What was written without a backlog was never recorded: a new history begins.
            let id = ReplId::random(&mut self.rng);
            let end = self.repl.end();
            self.repl.lineage.rename(id, end);
            self.repl.pumped = end;
            self.log_db = None;
        }
        self.repl.replicas.link(link, ip_of(&session.peer.addr), now.mono);
        let epoch = self.repl.member.epoch();
        let log = Served { epoch, lineage: &self.repl.lineage, backlog: &self.repl.backlog };
        let attached = self.repl.replicas.psync(link, ask, log, now.mono, out);
        let who = self.replica_name(link);
        match attached {
            Attached::Fenced => {
                outs.log(
                    LogLevel::Warning,
                    format!("Replica {who} has promised a later epoch and was refused"),
                );
                return;
            }
            Attached::Partial => {
                self.stats.sync_partial_ok += 1;
                outs.log(LogLevel::Notice, format!("Partial resynchronization request from {who} accepted."));
            }
            Attached::Full(why) => {
                self.stats.sync_full += 1;
                self.stats.sync_partial_err += u64::from(why.is_some());
                let why = why.map_or(String::new(), |w| format!(" ({w:?})"));
                outs.log(LogLevel::Notice, format!("Full resync requested by replica {who}{why}"));
            }
        }
        session.kind = SessionKind::Replica;
        self.repl.credits.insert(link, Credit::default());
        if self.repl.replicas.get(link).is_some_and(|l| l.facts.keeps_data()) {
            self.repl.member.note_replicas();
            self.hold_replicas_back();
        }
        // The new link's first bytes must come behind the reply that is in `out`: after this batch.
        self.repl.pumped = tanist_types::LogPos(u64::MAX);
        self.repl.stirred = true;
        self.repl.backlog.note_replicas(true, now.mono);
        self.refresh_enough(now);
        self.serve_replicas(now, outs);
    }

    /// The name that log lines give a replica.
    fn replica_name(&self, link: LinkId) -> String {
        match self.repl.replicas.get(link) {
            Some(link) => format!("{}:{}", link.address().0, link.address().1),
            None => "?".into(),
        }
    }

    /// Takes in an acknowledgement.
    pub(super) fn take_ack(&mut self, link: LinkId, ack: Ack, now: Now, outs: &mut Outputs) {
        let was_online = self.repl.replicas.get(link).is_some_and(tanist_replication::ReplicaLink::is_online);
        match self.repl.replicas.ack(link, ack, &self.repl.backlog, now.mono) {
            Ok(()) => {
                self.repl.stirred |= !was_online || self.repl.hold.is_some();
                self.refresh_enough(now);
                self.release_waiters(now, outs);
                self.shutdown_step(now, outs);
                self.failover_tick(now, outs);
                self.pump(link, now, outs);
            }
            Err(fault) => self.drop_replica(link, fault, outs),
        }
    }

    /// The shell has written everything that it had for a session.
    pub(crate) fn drained(&mut self, id: SessionId, now: Now, outs: &mut Outputs) {
        let link = LinkId(id.0);
        if let Some(credit) = self.repl.credits.get_mut(&link) {
            *credit = Credit::default();
            self.pump(link, now, outs);
            self.serve_replicas(now, outs);
        }
    }

    /// Hands everything new to every link.
    pub(super) fn pump_all(&mut self, now: Now, outs: &mut Outputs) {
        self.repl.pumped = self.repl.end();
        let links: Vec<LinkId> = self.repl.credits.keys().copied().collect();
        for link in links {
            self.pump(link, now, outs);
        }
        self.drop_slow_replicas(now, outs);
        if self.repl.backlog.wants_trim() {
            let slowest = self.repl.replicas.slowest();
            self.repl.backlog.trim(slowest);
        }
    }

    /// Closes the links of replicas for which too much of the log waits.
    pub(crate) fn drop_slow_replicas(&mut self, now: Now, outs: &mut Outputs) {
        for link in self.repl.replicas.too_slow(self.repl.backlog.end(), now.mono) {
            self.stats.output_buffer_limit_disconnections += 1;
            self.drop_replica(link, Fault::TooSlow, outs);
        }
    }

    /// Moves bytes to one link, as far as its window reaches.
    fn pump(&mut self, link: LinkId, now: Now, outs: &mut Outputs) {
        loop {
            let Some(credit) = self.repl.credits.get_mut(&link) else { return };
            if credit.in_flight >= WINDOW {
                if !credit.asked {
                    credit.asked = true;
                    outs.push(Output::TellDrained(SessionId(link.0)));
                }
                return;
            }
            if !self.repl.replicas.has_pending(link, &self.repl.backlog) {
                return;
            }
            let mut bytes = Vec::new();
            let room = WINDOW - credit.in_flight;
            let pumped = self.repl.replicas.pump(link, &self.repl.backlog, room, now.mono, &mut bytes);
            credit.in_flight += bytes.len();
            let nothing = bytes.is_empty();
            self.stats.net_repl_out += bytes.len() as u64;
            if !nothing {
                outs.push(Output::Send { session: SessionId(link.0), bytes });
            }
            if let Err(fault) = pumped {
                return self.drop_replica(link, fault, outs);
            }
            if !self.repl.enough {
                // It may just have got the end of its snapshot.
                self.refresh_enough(now);
            }
            if nothing {
                return;
            }
        }
    }

    /// What replicas are due: pings, keepalives, time-outs, snapshots.
    pub(super) fn serve_replicas(&mut self, now: Now, outs: &mut Outputs) {
        let pings = !self.is_replica() && self.repl.hold.is_none() && self.pause.is_none();
        for due in self.repl.replicas.tick(now.mono, pings) {
            match due {
                Due::Ping => self.repl.backlog.append(b"*1\r\n$4\r\nPING\r\n"),
                Due::Keepalive(link) => {
                    outs.push(Output::Send { session: SessionId(link.0), bytes: b"\n".to_vec() });
                }
                Due::Drop(link, fault) => self.drop_replica(link, fault, outs),
            }
        }
        if self.repl.replicas.snapshot_due().is_some_and(|at| at <= now.mono) && !self.snapshot_running() {
            self.begin_replica_snapshot(now, outs);
        }
        self.produce(now, outs);
        if self.repl.backlog.deadline().is_some_and(|at| at <= now.mono) && !self.is_replica() {
            outs.log(
                LogLevel::Notice,
                "Replication backlog freed: no replica has been connected for its time",
            );
            self.repl.backlog.free();
        }
    }

    fn begin_replica_snapshot(&mut self, now: Now, outs: &mut Outputs) {
        let replicas = &self.repl.replicas;
        let version = if replicas.snapshot_reads_valkey_80() && self.data.has_expiring_fields() {
            RdbVersion::VALKEY80
        } else if replicas.snapshot_reads_11() {
            RdbVersion::V11
        } else {
            RdbVersion::V10
        };
        // The stream behind the snapshot begins without a selected database.
        self.log_db = None;
        let epoch = self.repl.member.epoch();
        let log = Served { epoch, lineage: &self.repl.lineage, backlog: &self.repl.backlog };
        let (filter, openings) = self.repl.replicas.begin_snapshot(log, &mut self.rng);
        for (link, bytes) in openings {
            outs.push(Output::Send { session: SessionId(link.0), bytes });
        }
        let head = Head {
            at: now.wall(),
            used_memory: self.data.used_memory() as u64,
            log: Some((self.repl.lineage.current().id, self.repl.end(), Some(tanist_types::DbIndex(0)))),
            lineage: Some(self.repl.lineage.to_string()),
            functions: if filter == SnapshotFilter::Nothing { Vec::new() } else { self.library_codes() },
        };
        if filter != SnapshotFilter::All {
            self.repl.replicas.feed_snapshot(&Producer::empty(version, &head));
            self.repl.replicas.complete_snapshot();
            return;
        }
        outs.log(LogLevel::Notice, "Starting a snapshot for replicas");
        // Compressing costs more than it saves on the networks that replicas are reached by.
        self.repl.producing = Some(Producer::begin(&mut self.data, version, (false, true), head));
    }

    /// One slice of the snapshot for replicas, if somebody waits for it.
    fn produce(&mut self, now: Now, outs: &mut Outputs) {
        if self.repl.replicas.end_snapshot_if_unread() && self.repl.producing.take().is_some() {
            let garbage = self.data.snapshot_abort();
            outs.push(Output::Discard(garbage));
        }
        if self.repl.replicas.snapshot_wants_more() == Some(true)
            && let Some(mut producer) = self.repl.producing.take()
        {
            let mut bytes = Vec::new();
            let done = producer.slice(&mut self.data, SLICE, &mut bytes);
            self.repl.replicas.feed_snapshot(&bytes);
            outs.push_garbage(self.data.take_garbage());
            if done {
                self.repl.replicas.complete_snapshot();
            } else {
                self.repl.producing = Some(producer);
            }
        }
        let receiving: Vec<LinkId> = self.repl.replicas.receiving().collect();
        for link in receiving {
            self.pump(link, now, outs);
        }
        self.spill(outs);
    }

    /// Gives the shell what it is to do next with the file of a snapshot whose length must be known before it is sent.
    fn spill(&mut self, outs: &mut Outputs) {
        if self.repl.replicas.receiving().next().is_none() {
            self.end_spill(outs);
            return;
        }
        match self.repl.replicas.spill() {
            Some(Spill::Write { first, bytes }) => {
                if first {
                    self.end_spill(outs);
                    self.repl.spill = self.next_file();
                    self.repl.spilling = true;
                }
                outs.push(Output::SpillWrite { file: self.repl.spill, bytes });
            }
            Some(Spill::Read { at, len }) => {
                outs.push(Output::SpillRead { file: self.repl.spill, at, len });
            }
            None => {}
        }
    }

    fn end_spill(&mut self, outs: &mut Outputs) {
        if std::mem::take(&mut self.repl.spilling) {
            outs.push(Output::SpillEnd { file: self.repl.spill });
        }
    }

    /// The shell has carried out [`Output::SpillWrite`] (`Ok(None)`) or [`Output::SpillRead`], or could not.
    pub(crate) fn spilled(
        &mut self,
        file: u64,
        result: Result<Option<Vec<u8>>, String>,
        now: Now,
        outs: &mut Outputs,
    ) {
        if self.is_sync_file(file) {
            return self.sync_spilled(result, now, outs);
        }
        if file != self.repl.spill || !self.repl.spilling {
            return;
        }
        match result {
            Ok(None) => self.repl.replicas.spilled(),
            Ok(Some(bytes)) => self.repl.replicas.read_back(&bytes),
            Err(why) => {
                outs.log(LogLevel::Warning, format!("The temporary file of a snapshot for replicas: {why}"));
                let receiving: Vec<LinkId> = self.repl.replicas.receiving().collect();
                for link in receiving {
                    self.drop_replica(link, Fault::Spill, outs);
                }
            }
        }
        self.serve_replicas(now, outs);
        self.after_replication(now, outs);
    }

    /// Closes a link that cannot go on.
    fn drop_replica(&mut self, link: LinkId, fault: Fault, outs: &mut Outputs) {
        let why = match fault {
            Fault::Timeout => "it was silent for repl-timeout",
            Fault::Overrun => "it was too slow for what may be kept for it",
            Fault::TooSlow => "more waits for it than client-output-buffer-limit allows",
            Fault::Spill => "the temporary file of its snapshot failed",
            Fault::AckAhead => "it acknowledged what it was never sent",
        };
        outs.log(LogLevel::Warning, format!("Disconnecting replica {}: {why}", self.replica_name(link)));
        outs.push(Output::Close { session: SessionId(link.0), flush: false });
        // Nothing more is sent to it; its place is given up when the shell says that it is closed.
        self.repl.credits.remove(&link);
        self.repl.replicas.remove(link);
    }

    /// A session has ended: if it was a replica, it is one no more.
    pub(crate) fn replica_closed(&mut self, id: SessionId, now: Now, outs: &mut Outputs) {
        let link = LinkId(id.0);
        let Some(gone) = self.repl.replicas.remove(link) else { return };
        self.repl.credits.remove(&link);
        if gone.phase().is_some() {
            outs.log(
                LogLevel::Notice,
                format!("Connection with replica {}:{} lost.", gone.address().0, gone.address().1),
            );
        }
        let any = self.repl.replicas.any_attached() || self.is_replica();
        self.repl.backlog.note_replicas(any, now.mono);
        self.refresh_enough(now);
        self.serve_replicas(now, outs);
        self.after_replication(now, outs);
    }

    /// Closes the links of replicas, all or those that do not understand a change of history in the stream. Nothing
    /// more is sent on them from now on.
    pub(super) fn close_replicas(&mut self, stock_only: bool, outs: &mut Outputs) {
        let links: Vec<LinkId> = self
            .repl
            .replicas
            .attached()
            .filter(|(_, l)| !(stock_only && l.facts.tanist))
            .map(|(id, _)| id)
            .collect();
        for link in links {
            self.repl.credits.remove(&link);
            self.repl.replicas.remove(link);
            outs.push(Output::Close { session: SessionId(link.0), flush: false });
        }
    }

    /// `min-replicas-to-write`: whether enough replicas are fresh.
    pub(crate) fn refresh_enough(&mut self, now: Now) {
        let needed = self.config.min_replicas_to_write;
        let lag = std::time::Duration::from_secs(u64::from(self.config.min_replicas_max_lag));
        self.repl.enough =
            tanist_replication::enough_replicas(needed, lag, now.mono, self.repl.replicas.acks());
    }

    /// Whether every replica has acknowledged the log's end.
    pub(crate) fn replicas_have_all(&self) -> bool {
        let end = self.repl.end();
        self.repl.replicas.acks().all(|a| a.received >= end)
    }
}

/// The address without the port.
pub(super) fn ip_of(addr: &str) -> &str {
    let ip = addr.rsplit_once(':').map_or(addr, |(ip, _)| ip);
    ip.trim_start_matches('[').trim_end_matches(']')
}
