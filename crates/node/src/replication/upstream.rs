//! Following a primary: connecting, loading its snapshot beside the old data, applying its log.
//!
//! The applied position moves only at the ends of entries: a transaction is collected and applied as a whole, and an
//! unfinished one is discarded when the link ends (rule R3). Applied bytes go into this node's own log verbatim, so
//! that its own replicas, and its peers after a promotion, can go on from them.

use super::role::attach_ticket;
use super::sync::Sync;
use crate::acl::User;
use crate::dispatch::{Prepared, Run, Stopped, WINDOW};
use crate::node::Node;
use crate::output::{LogLevel, Output, Outputs};
use crate::session::{Session, SessionId};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tanist_config::ServerConfig;
use tanist_replication::{
    Ack, Address, AttachKind, Incoming, Introduction, LinkDue, LinkFault, LinkTerms, Marker, PrimaryLink,
    PsyncRequest,
};
use tanist_resp::{Args, Batch, Limits};
use tanist_types::{DbIndex, LogPos, Mono, Now, ReplId};

/// How often a stock primary is told the applied position.
const ACK_PERIOD: Duration = Duration::from_secs(1);
/// The most commands parsed at a time.
const BATCH: usize = 256;
/// The longest transaction that is collected.
const MAX_TRANSACTION: usize = 1 << 30;

/// The link to the primary and what is under way on it.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) address: Address,
    pub(crate) link: PrimaryLink,
    /// The connection; none before the first attempt.
    attempt: Option<u64>,
    /// Ask the primary to hand over (`PSYNC ... FAILOVER`).
    pub(super) take_over: bool,
    /// Carries the selected database and the like of the stream.
    session: Box<Session>,
    batch: ParsedBatch,
    /// The beginning of a command that has not come whole.
    read: Vec<u8>,
    /// A transaction whose end has not come.
    open: Option<Vec<u8>>,
    pub(super) sync: Option<Sync>,
    pub(super) terms: Option<LinkTerms>,
    /// Terms accepted that are not known to be durable.
    grants: u32,
    /// The position last acknowledged, and when the next acknowledgement is due for a stock primary.
    acked: Option<LogPos>,
    next_ack: Mono,
    /// Asked for by the primary.
    ack_now: bool,
    /// Where replies go that nobody reads.
    scratch: Vec<u8>,
}

/// A parser that can be printed.
#[derive(Default)]
struct ParsedBatch(Batch);

impl std::fmt::Debug for ParsedBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ParsedBatch")
    }
}

impl Upstream {
    pub(crate) fn new(address: Address, config: &ServerConfig, now: Now) -> Upstream {
        // What the primary's log says has been allowed there.
        let user = Arc::new(User::omnipotent(crate::acl::DEFAULT));
        let peer = crate::Peer { addr: address.to_string(), ..crate::Peer::default() };
        Upstream {
            address,
            link: PrimaryLink::new(super::secs(config.repl_timeout), now.mono),
            attempt: None,
            take_over: false,
            session: Box::new(Session::new(SessionId(0), peer, now, user)),
            batch: ParsedBatch::default(),
            read: Vec::new(),
            open: None,
            sync: None,
            terms: None,
            grants: 0,
            acked: None,
            next_ack: Mono::NEVER,
            ack_now: false,
            scratch: Vec::new(),
        }
    }

    /// The connection, if there is (or is to be) one.
    pub(super) fn connection(&self) -> Option<u64> {
        self.attempt
    }

    /// The snapshot that is coming in.
    pub(crate) fn sync(&self) -> Option<&Sync> {
        self.sync.as_ref()
    }

    pub(super) fn deadline(&self) -> Mono {
        let ack = if self.link.is_streaming() { self.next_ack } else { Mono::NEVER };
        self.link.next_deadline().min(ack)
    }

    /// The new data are in place: the log follows, with this database selected. Returns what of it has come already.
    pub(super) fn begin_stream(&mut self, db: DbIndex, now: Now) -> Vec<u8> {
        self.session.db = db;
        self.take_over = false;
        self.next_ack = now.mono + ACK_PERIOD;
        self.ack_now = true;
        self.link.loaded(now.mono)
    }

    /// The connection is gone: forget what belongs to it.
    fn reset(&mut self, outs: &mut Outputs) {
        self.attempt = None;
        self.end_sync(outs);
        self.read.clear();
        self.batch.0.reset();
        self.open = None;
        self.terms = None;
        self.grants = 0;
        self.acked = None;
        self.next_ack = Mono::NEVER;
    }
}

impl Node {
    /// The connection to the primary stands.
    pub(crate) fn primary_connected(&mut self, attempt: u64, now: Now, outs: &mut Outputs) {
        let introduction = self.introduction();
        let Some(up) = &mut self.repl.upstream else { return };
        if up.attempt != Some(attempt) {
            return;
        }
        let mut introduction = introduction;
        if up.take_over {
            introduction.request = match introduction.request {
                PsyncRequest::From { id, pos } => PsyncRequest::TakeOver { id, pos },
                other => other,
            };
        }
        let bytes = up.link.connected(&introduction, now.mono);
        outs.push(Output::PrimarySend { attempt, bytes });
    }

    fn introduction(&self) -> Introduction {
        let config = &self.config;
        let durable = self.repl.member.durable();
        let text = |s: &String| Some(s.clone()).filter(|s| !s.is_empty());
        let port = if config.replica_announce_port != 0 { config.replica_announce_port } else { config.port };
        let id = self.repl.lineage.current().id;
        let pos = self.repl.end();
        let request = if self.repl.ask_full || pos == LogPos::ZERO && !self.repl.ever_followed {
            PsyncRequest::Full
        } else {
            PsyncRequest::From { id, pos }
        };
        Introduction {
            user: config.masteruser.clone(),
            password: config.masterauth.clone(),
            port,
            announce_ip: text(&config.replica_announce_ip),
            version: crate::REDIS_VERSION.to_owned(),
            group: durable.group.clone(),
            node: durable.node,
            run: self.repl.member.run(),
            boot: durable.boot,
            epochs: (durable.promised.epoch, durable.accepted),
            request,
        }
    }

    /// The connection to the primary could not be made, or has ended.
    pub(crate) fn primary_closed(&mut self, attempt: u64, why: String, now: Now, outs: &mut Outputs) {
        let Some(up) = &mut self.repl.upstream else { return };
        if up.attempt != Some(attempt) {
            return;
        }
        self.note_interrupted_load();
        let Some(up) = &mut self.repl.upstream else { return };
        let was_up = up.link.is_streaming();
        up.reset(outs);
        up.link.closed(now.mono);
        let text = format!("Connection with primary {}: {why}", up.address);
        outs.log(if was_up { LogLevel::Warning } else { LogLevel::Verbose }, text);
        self.upstream_tick(now, outs);
        self.after_replication(now, outs);
    }

    /// Somebody who knows says that the primary can be reached now.
    pub(super) fn hurry_upstream(&mut self, now: Now, outs: &mut Outputs) {
        if let Some(up) = &mut self.repl.upstream {
            up.link.hurry(now.mono);
        }
        self.upstream_tick(now, outs);
    }

    /// What the link to the primary is due.
    pub(super) fn upstream_tick(&mut self, now: Now, outs: &mut Outputs) {
        let Some(up) = &mut self.repl.upstream else { return };
        match up.link.tick(now.mono) {
            Some(LinkDue::Connect) => {
                self.repl.attempts += 1;
                up.attempt = Some(self.repl.attempts);
                let Address { host, port } = up.address.clone();
                outs.push(Output::PrimaryConnect { attempt: self.repl.attempts, host, port });
            }
            Some(LinkDue::Send(bytes)) => {
                if let Some(attempt) = up.attempt {
                    outs.push(Output::PrimarySend { attempt, bytes });
                }
            }
            Some(LinkDue::Failed(fault)) => self.upstream_failed(fault, now, outs),
            None => {}
        }
        if self.repl.upstream.as_ref().is_some_and(|up| up.next_ack <= now.mono) {
            self.acknowledge(true, now, outs);
        }
    }

    /// The link cannot go on: it is closed, and another one is tried.
    pub(super) fn upstream_failed(&mut self, fault: LinkFault, now: Now, outs: &mut Outputs) {
        self.note_interrupted_load();
        let Some(up) = &mut self.repl.upstream else { return };
        outs.log(LogLevel::Warning, format!("Link to primary {}: {fault}", up.address));
        // The log cannot be followed past that command, but a snapshot may do without it.
        self.repl.ask_full |= matches!(fault, LinkFault::Unsupported(_));
        if let Some(attempt) = up.attempt {
            outs.push(Output::PrimaryClose { attempt });
        }
        up.reset(outs);
        up.link.closed(now.mono);
    }

    /// Takes bytes from the primary.
    pub fn primary_bytes(&mut self, now: Now, attempt: u64, bytes: &[u8], outs: &mut Outputs) {
        if self.hold_for_suspended(attempt, bytes) {
            return;
        }
        let Some(mut up) = self.repl.upstream.take() else { return };
        let before = outs.len();
        if up.attempt == Some(attempt) {
            self.stats.net_repl_in += bytes.len() as u64;
            let mut incoming = Vec::new();
            up.link.receive(bytes, now.mono, &mut incoming);
            let mut result = Ok(());
            for item in incoming {
                result = self.take_incoming(&mut up, item, now, outs);
                if result.is_err() {
                    break;
                }
            }
            self.repl.upstream = Some(up);
            if let Err(fault) = result {
                self.upstream_failed(fault, now, outs);
                self.upstream_tick(now, outs);
            }
        } else {
            self.repl.upstream = Some(up);
        }
        self.acknowledge(false, now, outs);
        self.serve_ready(now, &Stopped(now.mono), outs);
        self.after_replication(now, outs);
        self.count_sent(outs, before);
    }

    fn take_incoming(
        &mut self,
        up: &mut Upstream,
        item: Incoming<'_>,
        now: Now,
        outs: &mut Outputs,
    ) -> Result<(), LinkFault> {
        match item {
            Incoming::Continue { id, terms } => {
                self.attach(up, terms, AttachKind::Partial)?;
                self.continue_stream(up, id, now, outs);
            }
            Incoming::FullSync { id, pos, terms } => {
                self.begin_sync(up, (id, pos), terms, now, outs)?;
            }
            Incoming::Send(bytes) => {
                if let Some(attempt) = up.attempt {
                    outs.push(Output::PrimarySend { attempt, bytes });
                }
            }
            Incoming::SnapshotSize(size) => {
                if let Some(sync) = &mut up.sync {
                    sync.note_size(size);
                }
            }
            Incoming::Snapshot(bytes) => self.take_snapshot(up, &bytes, now, outs)?,
            Incoming::SnapshotEnd => self.snapshot_received(up, now, outs)?,
            Incoming::Stream(bytes) => self.apply_stream(up, bytes, now, outs)?,
            Incoming::Failed(fault) => return Err(fault),
        }
        Ok(())
    }

    /// R1: accepts the terms of the link, or refuses them.
    pub(super) fn attach(
        &mut self,
        up: &mut Upstream,
        terms: Option<LinkTerms>,
        kind: AttachKind,
    ) -> Result<(), LinkFault> {
        let key = self.repl.key();
        let ticket = attach_ticket(up.attempt.unwrap_or(0));
        let promised = self.repl.member.durable().promised.epoch;
        up.terms = terms;
        self.repl.member.attach(terms, kind, key, ticket).map_err(|_| LinkFault::Fenced(promised))?;
        up.grants += 1;
        Ok(())
    }

    /// The terms are durable: acknowledgements may leave.
    pub(super) fn attach_granted(&mut self, attempt: u64, now: Now, outs: &mut Outputs) {
        if let Some(up) = &mut self.repl.upstream
            && up.attempt == Some(attempt)
        {
            up.link.attached();
            up.grants = up.grants.saturating_sub(1);
            let durable = up.grants == 0;
            self.acknowledge(true, now, outs);
            if durable {
                self.flush_before_load(outs);
            }
        }
    }

    /// The terms could not be made durable. Without acknowledgements the primary gives the link up some day; a snapshot
    /// that may not be loaded is given up at once.
    pub(super) fn attach_lost(&mut self, attempt: u64, now: Now, outs: &mut Outputs) {
        if let Some(up) = &mut self.repl.upstream
            && up.attempt == Some(attempt)
        {
            up.grants = up.grants.saturating_sub(1);
            if self.waits_to_flush() {
                let why = "the state file could not be written, so the old data may not go";
                self.upstream_failed(LinkFault::Snapshot(why.into()), now, outs);
            }
        }
    }

    fn continue_stream(&mut self, up: &mut Upstream, id: Option<ReplId>, now: Now, outs: &mut Outputs) {
        // R4: among Tanist nodes only the marker in the stream names a new history.
        if up.terms.is_none()
            && let Some(id) = id
            && id != self.repl.lineage.current().id
        {
            let epoch = self.repl.lineage.current().epoch;
            let at = self.repl.end();
            self.repl.lineage.shift(id, epoch, at);
            self.close_replicas(false, outs);
        }
        up.take_over = false;
        up.session.db = self.log_db.unwrap_or(DbIndex(0));
        up.next_ack = now.mono + ACK_PERIOD;
        self.repl.outdated = false;
        outs.log(LogLevel::Notice, "PRIMARY <-> REPLICA sync: the log goes on where it ended");
        self.refresh_gates();
    }

    /// Applies what can be applied of further bytes of the log.
    pub(super) fn apply_stream(
        &mut self,
        up: &mut Upstream,
        bytes: &[u8],
        now: Now,
        outs: &mut Outputs,
    ) -> Result<(), LinkFault> {
        let mut kept = std::mem::take(&mut up.read);
        let continues = !kept.is_empty();
        if continues {
            kept.extend_from_slice(bytes);
        }
        let buf = if continues { kept.as_slice() } else { bytes };
        let mut batch = std::mem::take(&mut up.batch);
        let mut scratch = std::mem::take(&mut up.scratch);
        let stopped = Stopped(now.mono);
        let mut run = Run::new(now, &mut scratch, outs, &stopped);
        let mut at = 0;
        let limits = Limits { max_bulk: self.config.proto_max_bulk_len as usize, ..Limits::default() };
        let mut result = Ok(());
        while result.is_ok() {
            let rest = &buf[at..];
            let Ok(progress) = batch.0.parse(rest, &limits, BATCH) else {
                result = Err(LinkFault::Protocol("its log is no sequence of commands"));
                break;
            };
            if progress.consumed == 0 {
                break;
            }
            // Bytes that are no command would be lost from the positions.
            if !batch.0.is_contiguous() {
                result = Err(LinkFault::Protocol("something between the commands of its log"));
                break;
            }
            result = self.apply_batch(up, &batch.0, rest, now, &mut run);
            at += progress.consumed;
        }
        up.scratch = scratch;
        up.batch = batch;
        // What is kept already stays where it is: a large command comes in many pieces.
        up.read = match continues {
            true if at == kept.len() => Vec::new(),
            true => {
                kept.drain(..at);
                kept
            }
            false => bytes[at..].to_vec(),
        };
        result
    }

    /// Applies a batch and appends what was applied to the log, also if something cannot be.
    fn apply_batch(
        &mut self,
        up: &mut Upstream,
        batch: &Batch,
        buf: &[u8],
        now: Now,
        run: &mut Run<'_>,
    ) -> Result<(), LinkFault> {
        let mut applied = 0..0;
        let result = self.apply_commands(up, batch, buf, now, run, &mut applied);
        self.repl.backlog.append(&buf[applied]);
        result
    }

    /// Applies the commands of a batch. What lies at `applied` afterwards is applied and not in the log yet: commands
    /// that stand alone are appended together, because nothing looks at the log between them.
    fn apply_commands(
        &mut self,
        up: &mut Upstream,
        batch: &Batch,
        buf: &[u8],
        now: Now,
        run: &mut Run<'_>,
        applied: &mut Range<usize>,
    ) -> Result<(), LinkFault> {
        let mut window = [Prepared::default(); WINDOW];
        for from in (0..batch.len()).step_by(WINDOW) {
            let window = &mut window[..WINDOW.min(batch.len() - from)];
            self.prepare(window, &up.session, batch, buf, from);
            for (i, prepared) in (from..).zip(window) {
                let (args, place) = (batch.args(i, buf), batch.place(i));
                let kind = Kind::of(args.at(0));
                if up.open.is_some() || kind == Kind::Multi {
                    self.repl.backlog.append(&buf[std::mem::take(applied)]);
                    self.collect(up, kind, &buf[place.clone()], now, run)?;
                    *applied = place.end..place.end;
                    continue;
                }
                self.apply_one(up, kind, args, *prepared, now, run)?;
                applied.end = place.end;
                if kind == Kind::Ping
                    && let Some(marker) = marker(args)
                {
                    self.repl.backlog.append(&buf[applied.clone()]);
                    *applied = place.end..place.end;
                    self.begin_history(marker, place.len(), run.outs);
                }
            }
        }
        Ok(())
    }

    /// Takes in one command of a transaction; its last one applies it and appends it to the log.
    fn collect(
        &mut self,
        up: &mut Upstream,
        kind: Kind,
        raw: &[u8],
        now: Now,
        run: &mut Run<'_>,
    ) -> Result<(), LinkFault> {
        let open = up.open.get_or_insert_default();
        open.extend_from_slice(raw);
        if open.len() > MAX_TRANSACTION {
            return Err(LinkFault::Protocol("an endless transaction"));
        }
        if kind == Kind::Exec {
            let whole = up.open.take().unwrap_or_default();
            self.apply_transaction(up, &whole, now, run)?;
            self.repl.backlog.append(&whole);
        }
        Ok(())
    }

    fn apply_transaction(
        &mut self,
        up: &mut Upstream,
        whole: &[u8],
        now: Now,
        run: &mut Run<'_>,
    ) -> Result<(), LinkFault> {
        let mut batch = Batch::new();
        let limits = Limits { max_bulk: self.config.proto_max_bulk_len as usize, ..Limits::default() };
        let mut at = 0;
        while at < whole.len() {
            let rest = &whole[at..];
            let progress =
                batch.parse(rest, &limits, BATCH).map_err(|_| LinkFault::Protocol("a broken transaction"))?;
            if progress.consumed == 0 {
                return Err(LinkFault::Protocol("a broken transaction"));
            }
            for i in 0..batch.len() {
                let args = batch.args(i, rest);
                let kind = Kind::of(args.at(0));
                if !matches!(kind, Kind::Multi | Kind::Exec) {
                    let prepared = self.prepare_one(args);
                    self.apply_one(up, kind, args, prepared, now, run)?;
                }
            }
            at += progress.consumed;
        }
        Ok(())
    }

    #[inline]
    fn apply_one(
        &mut self,
        up: &mut Upstream,
        kind: Kind,
        args: Args<'_, '_>,
        prepared: Prepared,
        now: Now,
        run: &mut Run<'_>,
    ) -> Result<(), LinkFault> {
        match kind {
            Kind::Ping => return Ok(()),
            Kind::Replconf => {
                up.ack_now |= args.get(1).is_some_and(|word| word.eq_ignore_ascii_case(b"getack"));
                return Ok(());
            }
            Kind::Multi | Kind::Exec | Kind::Other => {}
        }
        let db = up.session.db;
        self.apply(run, &mut up.session, args, prepared, now)
            .map_err(|e| LinkFault::Unsupported(e.to_string()))?;
        if up.session.db != db || self.log_db.is_none() {
            self.log_db = Some(up.session.db);
        }
        Ok(())
    }

    /// R4: a marker was applied: the log's last entry belongs to its history.
    fn begin_history(&mut self, marker: Marker, length: usize, outs: &mut Outputs) {
        let current = self.repl.lineage.current();
        let at = LogPos(self.repl.end().0 - length as u64);
        if marker.id == current.id || marker.epoch < current.epoch || at < current.start {
            return;
        }
        self.repl.lineage.shift(marker.id, marker.epoch, at);
        outs.log(LogLevel::Notice, format!("History {} begins at {at} (epoch {})", marker.id, marker.epoch));
        // Those that do not know the marker learn of the new history by asking again.
        self.close_replicas(true, outs);
    }

    /// Tells the primary how far the log is applied, if there is something new and it may be told now.
    pub(super) fn acknowledge(&mut self, always: bool, now: Now, outs: &mut Outputs) {
        let end = self.repl.end();
        let epoch = self.repl.member.epoch();
        let Some(up) = &mut self.repl.upstream else { return };
        let per_batch = up.terms.is_some() && up.acked != Some(end);
        if !(always || up.ack_now || per_batch) {
            return;
        }
        let ack = Ack { applied: end, fsynced: None, epoch: up.terms.map(|_| epoch) };
        let mut bytes = Vec::new();
        if up.link.ack(ack, now.mono, &mut bytes)
            && let Some(attempt) = up.attempt
        {
            up.acked = Some(end);
            up.ack_now = false;
            up.next_ack = now.mono + ACK_PERIOD;
            outs.push(Output::PrimarySend { attempt, bytes });
        } else if up.next_ack <= now.mono {
            up.next_ack = now.mono + ACK_PERIOD;
        }
    }
}

/// What a command of the log is to the link; by its name on the wire, which no directive changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Multi,
    Exec,
    Ping,
    Replconf,
    /// Of no concern to it: to be applied.
    Other,
}

impl Kind {
    #[inline]
    fn of(name: &[u8]) -> Kind {
        let is = |word: &[u8]| name.eq_ignore_ascii_case(word);
        match name.len() {
            4 if is(b"ping") => Kind::Ping,
            4 if is(b"exec") => Kind::Exec,
            5 if is(b"multi") => Kind::Multi,
            8 if is(b"replconf") => Kind::Replconf,
            _ => Kind::Other,
        }
    }
}

/// The marker that a `PING` of the log is, if it is one.
fn marker(args: Args<'_, '_>) -> Option<Marker> {
    if args.len() == 2 { Marker::parse(args.at(1)) } else { None }
}
