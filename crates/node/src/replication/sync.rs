//! A full sync: a snapshot comes in, and what becomes of the old data meanwhile (`repl-diskless-load`).
//!
//! - `swapdb`: the new data are built beside the old ones, which serve until all is there.
//! - `flush-before-load`: the old data go first.
//! - `disabled`: the snapshot is received into a temporary file, and checked on the way; then the old data go, and the
//!   file is loaded. There is memory for one data set only, and a stream that breaks costs nothing.
//! - `on-empty-db`: as `swapdb` if there are no data, else as `disabled`.
//!
//! Before data go, this node's state file says that it has no vote without them (R5).

use super::Upstream;
use crate::node::Node;
use crate::output::{LogLevel, Output, Outputs};
use crate::snapshot::Loader;
use tanist_config::choice::DisklessLoad;
use tanist_replication::{AttachKind, Lineage, LinkFault, LinkTerms};
use tanist_types::{DbIndex, Epoch, LogPos, Mono, Now, ReplId};

/// How much may wait for the file before the primary is not read from any more.
const MAX_WAITING: usize = 1 << 20;
/// How much of the file is loaded at a time, between two commands.
const READ: u64 = 64 << 10;

/// A snapshot that comes in.
#[derive(Debug)]
pub(crate) struct Sync {
    loader: Box<Loader>,
    id: ReplId,
    pos: LogPos,
    /// Its size, if the primary said so.
    pub(crate) size: Option<u64>,
    pub(crate) received: u64,
    pub(crate) last_byte: Mono,
    old: Old,
    file: Option<SyncFile>,
}

/// What becomes of the old data while new ones come in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Old {
    /// They serve until the new ones are complete.
    Serve,
    /// They go as soon as it is durable that this node has no vote without them (R5).
    Go,
    /// They are gone: there is nothing to read.
    Gone,
}

/// The temporary file that a snapshot is received into.
#[derive(Debug)]
struct SyncFile {
    /// Names it.
    number: u64,
    stage: Stage,
    /// Received, and not handed to the shell.
    waiting: Vec<u8>,
    written: u64,
    /// The primary is not read from.
    held: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Bytes come in; so many of them are with the shell.
    Receive { writing: usize, complete: bool },
    /// All is in the file: the old data are to go.
    Drop,
    /// It is being loaded, and read up to here.
    Load { at: u64 },
}

impl Sync {
    /// Whether the new data are built beside the old ones.
    pub(crate) fn is_beside(&self) -> bool {
        self.file.is_none() && self.old != Old::Gone
    }

    /// The data as far as they have come.
    pub(crate) fn loader(&self) -> &Loader {
        &self.loader
    }

    /// The size of the snapshot is known.
    pub(super) fn note_size(&mut self, size: Option<u64>) {
        self.size = size;
        self.loader.progress.total = size;
    }
}

impl SyncFile {
    /// Hands the shell what waits, if it has written what it had. One piece at a time bounds the memory.
    fn write_on(&mut self, outs: &mut Outputs) {
        if let Stage::Receive { writing: writing @ 0, .. } = &mut self.stage
            && !self.waiting.is_empty()
        {
            *writing = self.waiting.len();
            outs.push(Output::SpillWrite { file: self.number, bytes: std::mem::take(&mut self.waiting) });
        }
    }

    /// Has the next piece read.
    fn read_on(&mut self, outs: &mut Outputs) {
        if let Stage::Load { at } = self.stage {
            let len = READ.min(self.written - at) as usize;
            outs.push(Output::SpillRead { file: self.number, at, len });
        }
    }

    /// Stops reading from the primary, or goes on.
    fn hold(&mut self, hold: bool, attempt: Option<u64>, outs: &mut Outputs) {
        if let Some(attempt) = attempt
            && std::mem::replace(&mut self.held, hold) != hold
        {
            outs.push(Output::PrimaryHold { attempt, hold });
        }
    }
}

impl Upstream {
    /// The snapshot that was coming in is of no use, or is loaded.
    pub(super) fn end_sync(&mut self, outs: &mut Outputs) {
        let attempt = self.connection();
        if let Some(mut file) = self.sync.take().and_then(|sync| sync.file) {
            file.hold(false, attempt, outs);
            outs.push(Output::SpillEnd { file: file.number });
        }
    }
}

impl Node {
    /// A snapshot is announced.
    pub(super) fn begin_sync(
        &mut self,
        up: &mut Upstream,
        (id, pos): (ReplId, LogPos),
        terms: Option<LinkTerms>,
        now: Now,
        outs: &mut Outputs,
    ) -> Result<(), LinkFault> {
        let (kind, old, in_file) = match self.config.repl_diskless_load {
            DisklessLoad::SwapDb => (AttachKind::Beside, Old::Serve, false),
            DisklessLoad::FlushBeforeLoad => (AttachKind::Dropping, Old::Go, false),
            DisklessLoad::Disabled => (AttachKind::Beside, Old::Serve, true),
            DisklessLoad::OnEmptyDb => (AttachKind::Beside, Old::Serve, self.data.total_keys() > 0),
        };
        self.attach(up, terms, kind)?;
        outs.log(LogLevel::Notice, format!("Full resync from primary {}: {id}:{pos}", up.address));
        let loader = Loader::new(&self.data, self.config.proto_max_bulk_len, false, now.wall());
        let loader = Box::new(if in_file { loader.checking_only() } else { loader });
        let file = in_file.then(|| SyncFile {
            number: self.next_file(),
            stage: Stage::Receive { writing: 0, complete: false },
            waiting: Vec::new(),
            written: 0,
            held: false,
        });
        up.sync = Some(Sync { loader, id, pos, size: None, received: 0, last_byte: now.mono, old, file });
        Ok(())
    }

    /// Takes further bytes of the snapshot.
    pub(super) fn take_snapshot(
        &mut self,
        up: &mut Upstream,
        bytes: &[u8],
        now: Now,
        outs: &mut Outputs,
    ) -> Result<(), LinkFault> {
        let attempt = up.connection();
        let sync = up.sync.as_mut().ok_or(OUT_OF_PLACE)?;
        sync.received += bytes.len() as u64;
        sync.last_byte = now.mono;
        sync.loader.feed(bytes, now.wall()).map_err(|e| LinkFault::Snapshot(e.to_string()))?;
        if let Some(file) = &mut sync.file {
            file.waiting.extend_from_slice(bytes);
            file.write_on(outs);
            file.hold(file.waiting.len() >= MAX_WAITING, attempt, outs);
        }
        Ok(())
    }

    /// The snapshot has come whole.
    pub(super) fn snapshot_received(
        &mut self,
        up: &mut Upstream,
        now: Now,
        outs: &mut Outputs,
    ) -> Result<(), LinkFault> {
        let attempt = up.connection();
        let sync = up.sync.as_mut().ok_or(OUT_OF_PLACE)?;
        let Some(file) = &mut sync.file else { return self.flip(up, now, outs) };
        if let Stage::Receive { complete, .. } = &mut file.stage {
            *complete = true;
        }
        // The log behind it is for the new data.
        file.hold(true, attempt, outs);
        let mut loader = Loader::new(&self.data, self.config.proto_max_bulk_len, false, now.wall());
        loader.progress.total = sync.size;
        let checked = std::mem::replace(&mut *sync.loader, loader);
        checked.finish().map_err(|e| LinkFault::Snapshot(e.to_string()))?;
        self.drop_when_written(up)
    }

    /// Once all is in the file the vote of the old data is given up; they go when that is durable.
    fn drop_when_written(&mut self, up: &mut Upstream) -> Result<(), LinkFault> {
        let sync = up.sync.as_mut().ok_or(OUT_OF_PLACE)?;
        let Some(file) = &mut sync.file else { return Ok(()) };
        if file.stage != (Stage::Receive { writing: 0, complete: true }) || !file.waiting.is_empty() {
            return Ok(());
        }
        file.stage = Stage::Drop;
        sync.old = Old::Go;
        self.repl.stirred = true;
        self.attach(up, up.terms, AttachKind::Dropping)
    }

    /// Whether the shell's file of this number is that of the snapshot that comes in.
    pub(super) fn is_sync_file(&self, number: u64) -> bool {
        let sync = self.repl.upstream.as_ref().and_then(Upstream::sync);
        sync.and_then(|sync| sync.file.as_ref()).is_some_and(|file| file.number == number)
    }

    /// The shell has written to the file of the snapshot, or read from it, or could not.
    pub(super) fn sync_spilled(
        &mut self,
        result: Result<Option<Vec<u8>>, String>,
        now: Now,
        outs: &mut Outputs,
    ) {
        let Some(mut up) = self.repl.upstream.take() else { return };
        let done = match result {
            Ok(None) => self.sync_written(&mut up, outs),
            Ok(Some(bytes)) => self.load_piece(&mut up, &bytes, now, outs),
            Err(why) => Err(LinkFault::Snapshot(format!("its temporary file: {why}"))),
        };
        self.repl.upstream = Some(up);
        if let Err(fault) = done {
            self.upstream_failed(fault, now, outs);
            self.upstream_tick(now, outs);
        }
        self.acknowledge(false, now, outs);
        self.after_replication(now, outs);
    }

    fn sync_written(&mut self, up: &mut Upstream, outs: &mut Outputs) -> Result<(), LinkFault> {
        let attempt = up.connection();
        let sync = up.sync.as_mut().ok_or(OUT_OF_PLACE)?;
        if let Some(file) = &mut sync.file
            && let Stage::Receive { writing, complete } = &mut file.stage
        {
            file.written += std::mem::take(writing) as u64;
            let complete = *complete;
            file.write_on(outs);
            file.hold(complete, attempt, outs);
        }
        self.drop_when_written(up)
    }

    fn load_piece(
        &mut self,
        up: &mut Upstream,
        bytes: &[u8],
        now: Now,
        outs: &mut Outputs,
    ) -> Result<(), LinkFault> {
        let sync = up.sync.as_mut().ok_or(OUT_OF_PLACE)?;
        sync.loader.feed(bytes, now.wall()).map_err(|e| LinkFault::Snapshot(e.to_string()))?;
        let Some(file) = &mut sync.file else { return Ok(()) };
        if let Stage::Load { at } = &mut file.stage {
            *at += bytes.len() as u64;
            if *at < file.written {
                file.read_on(outs);
                return Ok(());
            }
        }
        self.flip(up, now, outs)
    }

    /// R5: the vote is given up durably, so the old data may go, and with them every claim to the old log. What has
    /// come of the new data meanwhile is kept.
    pub(super) fn flush_before_load(&mut self, outs: &mut Outputs) {
        let Some(sync) = self.repl.upstream.as_mut().and_then(|up| up.sync.as_mut()) else { return };
        if sync.old != Old::Go {
            return;
        }
        sync.old = Old::Gone;
        outs.log(LogLevel::Notice, "PRIMARY <-> REPLICA sync: Flushing old data");
        if let Some(file) = &mut sync.file {
            file.stage = Stage::Load { at: 0 };
            file.read_on(outs);
        }
        self.close_replicas(false, outs);
        self.give_up_snapshot(outs);
        outs.push(Output::Discard(self.data.flush_all()));
        self.mark_all_watchers();
        self.invalidate_all(outs);
        let id = ReplId::random(&mut self.rng);
        self.repl.lineage = Lineage::new(id, Epoch::ZERO, LogPos::ZERO);
        self.repl.backlog.reset(LogPos::ZERO);
        self.repl.backlog.activate();
        self.repl.pumped = LogPos::ZERO;
        self.repl.ask_full = true;
        self.log_db = None;
    }

    /// Whether there is nothing to read until the snapshot that comes in is complete.
    pub(crate) fn is_flushed_for_load(&self) -> bool {
        self.repl.upstream.as_ref().and_then(Upstream::sync).is_some_and(|sync| sync.old == Old::Gone)
    }

    /// The link is about to end: if the old data are gone and the new ones are not there, nothing is answered from what
    /// is left until they are, or until this node is told to lead.
    pub(super) fn note_interrupted_load(&mut self) {
        self.repl.outdated |= self.is_flushed_for_load();
    }

    /// Whether the old data are to go as soon as that is durable, and nothing else is waited for.
    pub(super) fn waits_to_flush(&self) -> bool {
        let sync = self.repl.upstream.as_ref().and_then(Upstream::sync);
        sync.is_some_and(|sync| sync.old == Old::Go && sync.file.is_some())
    }

    /// The data are about to be replaced: a snapshot for replicas, whose links are closed, is of no use.
    fn give_up_snapshot(&mut self, outs: &mut Outputs) {
        self.repl.replicas.end_snapshot_if_unread();
        if self.repl.producing.take().is_some() {
            outs.push(Output::Discard(self.data.snapshot_abort()));
        }
    }

    /// Every watched key may have changed.
    pub(crate) fn mark_all_watchers(&mut self) {
        self.blocking.signal_all(None);
        for id in self.sessions.ids().collect::<Vec<_>>() {
            if let Some(s) = self.sessions.get_mut(id).filter(|s| !s.watched.is_empty()) {
                self.watchers.spoil(s);
            }
        }
    }

    /// The new data are complete: they take the place of the old ones, all at once.
    fn flip(&mut self, up: &mut Upstream, now: Now, outs: &mut Outputs) -> Result<(), LinkFault> {
        let Sync { loader, id, pos, file, old, .. } = up.sync.take().ok_or(OUT_OF_PLACE)?;
        self.repl.outdated |= old == Old::Gone;
        if let Some(mut file) = file {
            file.hold(false, up.connection(), outs);
            outs.push(Output::SpillEnd { file: file.number });
        }
        let loaded = loader.finish().map_err(|e| LinkFault::Snapshot(e.to_string()))?;
        let lineage: Option<Lineage> = loaded.lineage.and_then(|text| text.parse().ok());
        // A stock primary's snapshot says nothing of epochs; what it holds belongs to none.
        let lineage = lineage
            .filter(|l| l.current().id == id && l.current().start <= pos)
            .unwrap_or_else(|| Lineage::new(id, Epoch::ZERO, pos));
        self.replace_libraries(&loaded.functions, outs).map_err(LinkFault::Snapshot)?;
        self.close_replicas(false, outs);
        self.give_up_snapshot(outs);
        outs.push(Output::Discard(self.data.replace(loaded.data)));
        self.mark_all_watchers();
        self.invalidate_all(outs);
        self.repl.backlog.reset(pos);
        self.repl.backlog.activate();
        self.repl.pumped = pos;
        self.repl.lineage = lineage;
        self.repl.ever_followed = true;
        self.repl.outdated = false;
        self.repl.ask_full = false;
        self.log_db = loaded.stream_db;
        outs.log(
            LogLevel::Notice,
            format!("PRIMARY <-> REPLICA sync: Finished with success ({} keys)", loaded.keys),
        );
        let early = up.begin_stream(self.log_db.unwrap_or(DbIndex(0)), now);
        self.refresh_gates();
        self.apply_stream(up, &early, now, outs)
    }
}

const OUT_OF_PLACE: LinkFault = LinkFault::Protocol("a snapshot out of place");
