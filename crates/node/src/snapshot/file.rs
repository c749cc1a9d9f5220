//! Saving to the snapshot file: `SAVE`, `BGSAVE`, `SHUTDOWN SAVE`, save points; and loading it at the start.
//!
//! The shell owns the file. It is sent bytes one chunk at a time and says when it has written them, so a slow
//! disk slows the saving down and nothing else.

use super::{Head, LoadError, Loaded, Loader, Producer};
use crate::node::Node;
use crate::output::{LogLevel, Output, Outputs};
use crate::session::SessionId;
use std::time::Duration;
use tanist_rdb::RdbVersion;
use tanist_types::{Mono, Now, UnixMs};

/// How many bytes are handed to the shell at a time.
const CHUNK: usize = 256 << 10;
/// How many bytes of entries one slice of work produces.
const SLICE: usize = 32 << 10;
/// How long an automatic save waits after one that failed.
const RETRY: Duration = Duration::from_secs(5);

/// Who asked for a save.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SaveKind {
    /// A save point or `BGSAVE`: nobody waits.
    Background,
    /// `SAVE`: a session waits for the end.
    For(SessionId),
    /// `FLUSHALL`: a session waits for the end, and need not know which one: the data are gone in any case.
    Emptied(SessionId),
    /// `DEBUG RELOAD`: the file is loaded again.
    Reload,
    /// `SHUTDOWN`: the process ends afterwards.
    Shutdown,
}

/// A `DEBUG RELOAD` that is under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Reload {
    /// Who waits for it.
    pub(crate) session: SessionId,
    pub(crate) stay: Stay,
}

/// Which of the old data stay when the file is loaded again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stay {
    None,
    /// Those at keys that the file does not have.
    Others,
    /// All: the file may have none of their keys.
    All,
}

/// What saving has come to, for `INFO` and `LASTSAVE`.
#[derive(Debug)]
pub(crate) struct Saving {
    running: Option<Running>,
    /// When the data were last known to be in the file, for those who ask.
    pub(crate) last_save: UnixMs,
    /// The same by the clock that save points go by: the wall clock may be set back by any time.
    last_save_mono: Mono,
    pub(crate) last_ok: bool,
    pub(crate) last_duration: Option<Duration>,
    last_try: Mono,
    pub(crate) saves: u64,
    /// `BGSAVE SCHEDULE`, `FLUSHALL`: begin as soon as no snapshot is running.
    pub(crate) scheduled: bool,
    /// Who waits for that save, because it has emptied all databases.
    emptied_by: Option<SessionId>,
    /// `DEBUG RELOAD`. Nothing may change the data meanwhile.
    pub(crate) reloading: Option<Reload>,
    /// Answers of the shell that are still to come for cancelled saves.
    unclaimed: u32,
}

#[derive(Debug)]
struct Running {
    producer: Producer,
    kind: SaveKind,
    chunk: Vec<u8>,
    produced: bool,
    /// The shell has not yet written the last chunk.
    writing: bool,
    began: Mono,
    /// The chunk is not handed over before (`rdb-key-save-delay`).
    not_before: Mono,
    dirty_at_begin: u64,
}

impl Running {
    /// Whether the chunk is to be handed over.
    fn is_full(&self) -> bool {
        self.chunk.len() >= CHUNK || self.produced
    }
}

impl Saving {
    pub(crate) fn new(now: Now) -> Saving {
        Saving {
            running: None,
            last_save: now.wall(),
            last_save_mono: now.mono,
            last_ok: true,
            last_duration: None,
            last_try: Mono::ZERO,
            saves: 0,
            scheduled: false,
            emptied_by: None,
            reloading: None,
            unclaimed: 0,
        }
    }

    /// Whether a save is running.
    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Whether a save is running that nobody waits for.
    fn is_in_background(&self) -> bool {
        self.running.as_ref().is_some_and(|run| run.kind == SaveKind::Background)
    }

    /// Keys written so far and in all, and when the running save began.
    pub(crate) fn progress(&self) -> Option<(u64, u64, Mono)> {
        self.running.as_ref().map(|r| (r.producer.emitted, r.producer.total, r.began))
    }

    /// When the next slice of work is wanted.
    pub(crate) fn next_slice(&self) -> Mono {
        match &self.running {
            Some(run) if !run.writing && run.is_full() => run.not_before,
            Some(run) if !run.writing => Mono::ZERO,
            _ => Mono::NEVER,
        }
    }

    fn note_saved(&mut self, now: Now) {
        self.last_save = now.wall();
        self.last_save_mono = now.mono;
    }
}

/// How long so many keys take at least: microseconds for each of them, or, if negative, keys for each microsecond.
fn key_delay(delay: i32, keys: u64) -> Duration {
    let pace = u64::from(delay.unsigned_abs());
    Duration::from_micros(if delay < 0 { keys / pace } else { keys.saturating_mul(pace) })
}

impl Node {
    /// Begins a save. The caller has checked that no snapshot is running.
    pub(crate) fn save_begin(&mut self, now: Now, kind: SaveKind, outs: &mut Outputs) {
        let head = Head {
            at: now.wall(),
            used_memory: self.data.used_memory() as u64,
            log: self.snapshot_log(),
            lineage: self.snapshot_lineage(),
            functions: self.library_codes(),
        };
        let options = (self.config.rdbcompression, self.config.rdbchecksum);
        // Only Valkey's form knows of fields that expire; without any, more servers can read the file.
        let version = if self.data.has_expiring_fields() { RdbVersion::VALKEY80 } else { RdbVersion::V11 };
        let producer = Producer::begin(&mut self.data, version, options, head);
        self.saving.running = Some(Running {
            producer,
            kind,
            chunk: Vec::new(),
            produced: false,
            writing: false,
            began: now.mono,
            not_before: now.mono,
            dirty_at_begin: self.stats.dirty_since_save,
        });
        self.saving.last_try = now.mono;
        outs.push(Output::SaveBegin);
        outs.log(LogLevel::Notice, "Background saving started");
    }

    /// Whether the key space's one snapshot is in use, or cannot begin now because a script or a transaction is in
    /// the middle of its changes.
    pub(crate) fn snapshot_running(&self) -> bool {
        self.saving.is_running() || self.data.snapshot_active() || self.is_suspended()
    }

    /// All data are about to go. With save points the file is to say so too, lest a crash bring them back; what a save
    /// in the background is writing is of no use then.
    pub(crate) fn forget_old_file(&mut self, now: Now, outs: &mut Outputs) {
        if !self.config.save.is_empty() {
            if self.saving.is_in_background() {
                self.save_cancel(now, outs);
            }
            self.saving.scheduled = true;
        }
    }

    /// Whether the save that [`Node::forget_old_file`] has asked for can begin at once; if so, `session` waits for it.
    pub(crate) fn waits_for_empty_file(&mut self, session: SessionId) -> bool {
        let waits = !self.config.save.is_empty() && !self.snapshot_running();
        if waits {
            self.saving.emptied_by = Some(session);
        }
        waits
    }

    /// Begins the save that somebody waits for who has emptied all databases. The log has that by now, so that the
    /// position in the file is the one behind it.
    #[inline]
    pub(crate) fn save_emptied(&mut self, now: Now, outs: &mut Outputs) {
        if self.saving.emptied_by.is_some() {
            self.save_if_due(now, outs);
        }
    }

    /// One slice of a running save.
    pub(crate) fn save_slice(&mut self, now: Now, outs: &mut Outputs) {
        let Some(run) = &mut self.saving.running else { return };
        if run.writing {
            return;
        }
        if !run.is_full() {
            run.produced = run.producer.slice(&mut self.data, SLICE, &mut run.chunk);
            run.not_before = run.began + key_delay(self.config.rdb_key_save_delay, run.producer.emitted);
            outs.push_garbage(self.data.take_garbage());
        }
        if run.is_full() && now.mono >= run.not_before {
            run.writing = true;
            outs.push(Output::SaveBytes { bytes: std::mem::take(&mut run.chunk), last: run.produced });
        }
    }

    /// The shell has written a chunk, or the whole file durably when that was the last one, or failed.
    pub(crate) fn save_written(&mut self, now: Now, result: Result<(), String>, outs: &mut Outputs) {
        if self.saving.unclaimed > 0 {
            self.saving.unclaimed -= 1;
            return;
        }
        let Some(run) = &mut self.saving.running else { return };
        run.writing = false;
        match result {
            Ok(()) if run.produced => self.save_done(now, outs),
            Ok(()) => {}
            Err(why) => self.save_failed(now, &why, outs),
        }
    }

    fn save_done(&mut self, now: Now, outs: &mut Outputs) {
        let Some(run) = self.saving.running.take() else { return };
        self.saving.last_ok = true;
        self.refresh_gates();
        self.saving.note_saved(now);
        self.saving.last_duration = Some(now.mono.since(run.began));
        self.saving.saves += 1;
        self.stats.dirty_since_save -= run.dirty_at_begin.min(self.stats.dirty_since_save);
        outs.log(LogLevel::Notice, "DB saved on disk");
        self.save_answer(run.kind, true, outs);
    }

    fn save_failed(&mut self, now: Now, why: &str, outs: &mut Outputs) {
        let Some(run) = self.saving.running.take() else { return };
        if !run.produced {
            let garbage = self.data.snapshot_abort();
            outs.push(Output::Discard(garbage));
        }
        self.saving.last_ok = false;
        self.refresh_gates();
        self.saving.last_duration = Some(now.mono.since(run.began));
        outs.log(LogLevel::Warning, format!("Saving the snapshot failed: {why}"));
        self.save_answer(run.kind, false, outs);
    }

    /// `BGSAVE CANCEL`: gives up the running save.
    pub(crate) fn save_cancel(&mut self, now: Now, outs: &mut Outputs) {
        // The answer to a chunk that is being written belongs to no save any more.
        self.saving.unclaimed += u32::from(self.saving.running.as_ref().is_some_and(|r| r.writing));
        outs.push(Output::SaveCancel);
        // Giving up at somebody's word is no failure.
        let ok = self.saving.last_ok;
        self.save_failed(now, "cancelled", outs);
        self.saving.last_ok = ok;
        self.refresh_gates();
    }

    fn save_answer(&mut self, kind: SaveKind, ok: bool, outs: &mut Outputs) {
        match kind {
            SaveKind::Background => {}
            SaveKind::Reload if ok => outs.push(Output::LoadSnapshot),
            SaveKind::Reload => self.reload_over(b"-ERR saving failed, see the log\r\n", outs),
            SaveKind::Emptied(id) => self.release(id, b"+OK\r\n", outs),
            SaveKind::For(id) => {
                let reply: &[u8] = if ok { b"+OK\r\n" } else { b"-ERR saving failed, see the log\r\n" };
                self.release(id, reply, outs);
            }
            SaveKind::Shutdown => self.shutdown_saved(ok, outs),
        }
    }

    /// Begins a save if a save point asks for one.
    pub(crate) fn save_if_due(&mut self, now: Now, outs: &mut Outputs) {
        if self.saving.scheduled && !self.snapshot_running() {
            self.saving.scheduled = false;
            let kind = self.saving.emptied_by.take().map_or(SaveKind::Background, SaveKind::Emptied);
            self.save_begin(now, kind, outs);
            return;
        }
        if self.snapshot_running() || (!self.saving.last_ok && now.mono.since(self.saving.last_try) < RETRY) {
            return;
        }
        let since = now.mono.since(self.saving.last_save_mono).as_secs();
        let dirty = self.stats.dirty_since_save;
        let due = self.config.save.iter().any(|p| dirty >= p.changes && since > p.seconds);
        if due {
            self.save_begin(now, SaveKind::Background, outs);
        }
    }

    /// `DEBUG RELOAD`: saves if it should, then loads the file in the place of the data.
    pub(crate) fn reload_begin(&mut self, now: Now, reload: Reload, save: bool, outs: &mut Outputs) {
        self.saving.reloading = Some(reload);
        self.refresh_gates();
        if save {
            self.save_begin(now, SaveKind::Reload, outs);
        } else {
            outs.push(Output::LoadSnapshot);
        }
    }

    /// The shell has given all of the file, or says why not. The log is not touched: for replicas nothing has changed.
    pub(crate) fn snapshot_loaded(&mut self, now: Now, result: Result<(), String>, outs: &mut Outputs) {
        let Some(loader) = self.loading.take() else { return };
        let stay = self.saving.reloading.map_or(Stay::None, |reload| reload.stay);
        let loaded = result.and_then(|()| loader.finish().map_err(|error| error.to_string()));
        let loaded = loaded.and_then(|loaded| self.find_conflict(stay, loaded));
        match loaded.and_then(|loaded| {
            let libraries = match stay {
                Stay::None => self.replace_libraries(&loaded.functions, outs),
                Stay::Others | Stay::All => self.add_libraries(&loaded.functions, stay == Stay::Others, outs),
            };
            libraries.map(|()| loaded)
        }) {
            Ok(loaded) => {
                match stay {
                    Stay::None => outs.push(Output::Discard(self.data.replace(loaded.data))),
                    Stay::Others | Stay::All => self.data.absorb(loaded.data),
                }
                self.mark_all_watchers();
                self.invalidate_all(outs);
                self.stats.loaded_keys = loaded.keys;
                self.stats.load_expired_keys = loaded.expired;
                self.stats.dirty_since_save = 0;
                self.saving.note_saved(now);
                outs.log(LogLevel::Warning, "DB reloaded by DEBUG RELOAD");
                self.reload_over(b"+OK\r\n", outs);
            }
            Err(why) => {
                outs.log(LogLevel::Warning, format!("DEBUG RELOAD: {why}; the data are as before"));
                self.reload_over(b"-ERR Error trying to load the RDB dump, check server logs.\r\n", outs);
            }
        }
    }

    /// Passes on what was loaded, unless a key that is to stay would be overwritten. (Redis ends the process then.)
    fn find_conflict(&self, stay: Stay, loaded: Loaded) -> Result<Loaded, String> {
        match loaded.data.first_common_key(&self.data).filter(|_| stay == Stay::All) {
            Some(key) => Err(format!("the key '{}' is there already", String::from_utf8_lossy(&key))),
            None => Ok(loaded),
        }
    }

    fn reload_over(&mut self, reply: &[u8], outs: &mut Outputs) {
        let reload = self.saving.reloading.take();
        self.refresh_gates();
        if let Some(reload) = reload {
            self.release(reload.session, reply, outs);
        }
        self.release_paused(outs);
    }

    /// Begins to load the snapshot file of `size` bytes, if that is known; commands that need data are refused until
    /// [`Node::load_end`].
    pub fn load_begin(&mut self, now: Now, size: Option<u64>) {
        let drop_expired = !self.is_replica();
        let mut loader = Loader::new(&self.data, self.config.proto_max_bulk_len, drop_expired, now.wall());
        loader.progress.total = size;
        self.loading = Some(loader);
        self.refresh_gates();
    }

    /// Takes further bytes of the snapshot file.
    ///
    /// # Errors
    /// When the file is damaged or of a kind that this version does not read. The node must not serve then.
    pub fn load_bytes(&mut self, now: Now, bytes: &[u8]) -> Result<(), LoadError> {
        match &mut self.loading {
            Some(loader) => loader.feed(bytes, now.wall()).map(drop),
            None => Ok(()),
        }
    }

    /// For how long the keys that were loaded so far are to have been loaded at least (`key-load-delay`): tests need time
    /// for what happens meanwhile.
    #[must_use]
    pub fn load_takes(&self) -> Duration {
        key_delay(self.config.key_load_delay, self.loading.as_ref().map_or(0, Loader::keys))
    }

    /// The file has ended: the loaded data serve from now on. Returns the number of keys.
    ///
    /// # Errors
    /// When the file ended too early.
    pub fn load_end(&mut self, now: Now, outs: &mut Outputs) -> Result<u64, LoadError> {
        let Some(loader) = self.loading.take() else { return Ok(0) };
        let Loaded { data, log, lineage, stream_db, functions, keys, expired, empty } = loader.finish()?;
        if empty > 0 {
            let told = format!("Keys of the snapshot that have no elements are left out: {empty}");
            outs.push(Output::Log(LogLevel::Warning, told));
        }
        self.replace_libraries(&functions, outs).map_err(LoadError::Functions)?;
        outs.push(Output::Discard(self.data.replace(data)));
        self.stats.loaded_keys = keys;
        self.stats.load_expired_keys = expired;
        self.stats.dirty_since_save = 0;
        self.saving.note_saved(now);
        self.adopt_saved_log(log, lineage, stream_db);
        self.refresh_gates();
        Ok(keys)
    }
}
