//! Sessions: what the node remembers of one connection.

use crate::acl::User;
use crate::client_eviction::Counted;
use crate::command::Command;
use crate::input::Peer;
use crate::tracking::{Mode, Tracking};
use crate::transaction::{Multi, WatchedKey};
use hashbrown::HashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tanist_resp::Proto;
use tanist_types::{DbIndex, LogPos, Mono};

/// What a prefix that a session listens to occupies beside its bytes, in two trees.
const PREFIX_OVERHEAD: usize = 64;

/// Names a session; the number that `CLIENT ID` prints, never used twice in a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub u64);

/// What a session is used for; output buffer limits differ by it (`client-output-buffer-limit`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SessionKind {
    /// A client that sends commands.
    #[default]
    Normal,
    /// A client that has subscribed.
    Pubsub,
    /// A replica that follows this node.
    Replica,
}

/// What `CLIENT REPLY` has asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum ReplyMode {
    /// Every command is answered.
    #[default]
    On,
    /// No command is answered.
    Off,
    /// The next command is not answered (set while `CLIENT REPLY SKIP` itself runs).
    SkipNext,
    /// This command is not answered.
    Skip,
}

/// What `SCRIPT DEBUG` has asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum DebugMode {
    /// Scripts just run.
    #[default]
    Off,
    /// They are debugged in a process of their own, and what they change is lost.
    Apart,
    /// They are debugged here, and everybody waits.
    Here,
}

/// Why a session waits; the rest of its batch runs when it is resumed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Waiting {
    /// In a blocking command (`WAIT`, ...), until the deadline if there is one.
    Blocked {
        /// When it gives up.
        until: Option<Mono>,
    },
    /// In a command that waits for the shell or another node and ends by itself (`SAVE`, `CONFIG REWRITE`, `MIGRATE`,
    /// `SHUTDOWN`, ...): nobody releases it before that.
    Busy,
    /// For its own script or transaction, which is suspended between two slices or by `MIGRATE`.
    Suspended,
    /// Until `CLIENT PAUSE` ends: the command that met it has not run.
    Paused,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) kind: SessionKind,
    pub(crate) peer: Peer,
    pub(crate) created: Mono,
    pub(crate) last_active: Mono,
    pub(crate) db: DbIndex,
    pub(crate) proto: Proto,
    /// Has proved to be its user, or need not.
    pub(crate) authenticated: bool,
    pub(crate) user: Arc<User>,
    /// Has authenticated and may do everything: nobody need ask its user.
    pub(crate) free: bool,
    pub(crate) name: Box<[u8]>,
    pub(crate) lib_name: Box<[u8]>,
    pub(crate) lib_version: Box<[u8]>,
    pub(crate) multi: Option<Box<Multi>>,
    pub(crate) watched: Vec<WatchedKey>,
    /// A watched key has changed: the next `EXEC` answers null.
    pub(crate) dirty_watch: bool,
    pub(crate) channels: BTreeSet<Box<[u8]>>,
    pub(crate) patterns: BTreeSet<Box<[u8]>>,
    pub(crate) shard_channels: BTreeSet<Box<[u8]>>,
    pub(crate) monitor: bool,
    pub(crate) reply_mode: ReplyMode,
    pub(crate) no_evict: bool,
    pub(crate) no_touch: bool,
    /// How its next script is debugged.
    pub(crate) debug: DebugMode,
    /// Copies data into this server (`CLIENT IMPORT-SOURCE`).
    pub(crate) import_source: bool,
    pub(crate) readonly: bool,
    /// `CLIENT CAPA redirect`: the client follows redirections.
    pub(crate) redirects: bool,
    /// What it wants to hear about keys that it keeps copies of.
    pub(crate) tracking: Option<Box<Tracking>>,
    pub(crate) waiting: Option<Waiting>,
    /// A script of its own carries out a command.
    pub(crate) in_script: bool,
    /// The log's end behind its last write.
    pub(crate) last_write: LogPos,
    /// Has spoken as a sentinel does.
    pub(crate) sentinel: bool,
    /// Close once the replies written so far have left.
    pub(crate) close_after_reply: bool,
    pub(crate) last_command: Option<&'static Command>,
    pub(crate) commands: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    /// Bytes that the shell holds for it and that are not carried out (`qbuf`).
    pub(crate) query_buffer: usize,
    /// Memory that the shell holds for it beyond what is in there (`qbuf-free`, `tot-mem`).
    pub(crate) spare: usize,
    /// What it was last counted with (`maxmemory-clients`).
    pub(crate) counted: Counted,
    /// Bytes of output that its socket has not taken.
    pub(crate) unsent: usize,
}

impl Session {
    pub(crate) fn new(id: SessionId, peer: Peer, now: tanist_types::Now, user: Arc<User>) -> Session {
        let mut session = Session {
            id,
            kind: SessionKind::Normal,
            peer,
            created: now.mono,
            last_active: now.mono,
            db: DbIndex(0),
            proto: Proto::Resp2,
            authenticated: false,
            free: false,
            user: user.clone(),
            name: Box::default(),
            lib_name: Box::default(),
            lib_version: Box::default(),
            multi: None,
            watched: Vec::new(),
            dirty_watch: false,
            channels: BTreeSet::new(),
            patterns: BTreeSet::new(),
            shard_channels: BTreeSet::new(),
            monitor: false,
            reply_mode: ReplyMode::On,
            no_evict: false,
            no_touch: false,
            debug: DebugMode::Off,
            import_source: false,
            readonly: false,
            redirects: false,
            tracking: None,
            waiting: None,
            in_script: false,
            last_write: LogPos::ZERO,
            sentinel: false,
            close_after_reply: false,
            last_command: None,
            commands: 0,
            bytes_in: 0,
            bytes_out: 0,
            query_buffer: 0,
            spare: 0,
            counted: Counted::default(),
            unsent: 0,
        };
        session.become_default(user);
        session
    }

    /// Is this user from now on, the default one, as a new connection is.
    pub(crate) fn become_default(&mut self, user: Arc<User>) {
        let open = user.is_open();
        self.set_user(user, open);
    }

    /// Is this user from now on.
    pub(crate) fn set_user(&mut self, user: Arc<User>, authenticated: bool) {
        self.free = authenticated && user.is_omnipotent();
        self.authenticated = authenticated;
        self.user = user;
    }

    /// Whether a sentinel is at the other end: it is not closed when the node's role changes.
    pub(crate) fn is_sentinel(&self) -> bool {
        let listens = |channel: &[u8]| self.channels.contains(channel);
        self.sentinel
            || self.name.starts_with(b"sentinel-")
            || listens(b"__sentinel__:hello")
            || listens(b"__tanist__:state")
    }

    /// Whether its command has begun and is not over, or has to wait before it begins.
    pub(crate) fn is_blocked(&self) -> bool {
        matches!(self.waiting, Some(Waiting::Blocked { .. } | Waiting::Busy | Waiting::Paused))
    }

    /// Whether it is the one that applies the primary's log, which no client has.
    pub(crate) fn is_primary(&self) -> bool {
        self.id == SessionId(0)
    }

    /// Bytes of the commands queued after `MULTI`.
    pub(crate) fn queued_memory(&self) -> usize {
        self.multi.iter().flat_map(|m| &m.queue).map(|q| q.args.memory()).sum()
    }

    /// An estimate of what it occupies, what the shell holds for it included.
    pub(crate) fn memory(&self) -> usize {
        let names: usize = [&self.channels, &self.patterns, &self.shard_channels]
            .into_iter()
            .flatten()
            .map(|name| name.len() + size_of::<Box<[u8]>>())
            .sum();
        let prefixes: usize = match self.tracking.as_ref().map(|t| &t.mode) {
            Some(Mode::Prefixes(prefixes)) => prefixes.iter().map(|p| p.len() + PREFIX_OVERHEAD).sum(),
            _ => 0,
        };
        let watched: usize = self.watched.iter().map(|w| size_of::<WatchedKey>() + w.key.len()).sum();
        size_of::<Session>()
            + self.query_buffer
            + self.spare
            + self.unsent
            + self.queued_memory()
            + names
            + prefixes
            + watched
    }

    /// The number of subscriptions of every kind but shard channels.
    pub(crate) fn subscriptions(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }

    /// A watched key that was past its time has been removed; says whether that is a change, which it is unless the key
    /// was past its time already when the watch began.
    pub(crate) fn watched_key_expired(&mut self, db: DbIndex, key: &[u8]) -> bool {
        if let Some(w) = self.watched.iter_mut().find(|w| w.db == db && *w.key == *key) {
            return !std::mem::take(&mut w.was_expired);
        }
        false
    }

    /// The database of a watched key has been emptied or exchanged; says whether the key has changed. One that was not
    /// there, or was past its time already when the watch began, has not as long as nothing live takes its place.
    pub(crate) fn watched_key_replaced(
        &mut self,
        db: DbIndex,
        key: &[u8],
        was_missing: bool,
        expired: bool,
    ) -> bool {
        if let Some(w) = self.watched.iter_mut().find(|w| w.db == db && *w.key == *key)
            && (w.was_expired || was_missing)
        {
            w.was_expired = expired;
            return false;
        }
        true
    }

    /// Whether any subscription, shard channels included, is held.
    pub(crate) fn is_subscribed(&self) -> bool {
        self.subscriptions() + self.shard_channels.len() > 0
    }
}

/// All sessions. The one whose batch is running is taken out, so a handler can hold it beside the node.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    slots: HashMap<SessionId, Option<Box<Session>>>,
    /// Ids in the order of connecting, so that lists are deterministic.
    order: BTreeMap<SessionId, ()>,
    next: u64,
}

impl Sessions {
    /// The id for the next connection.
    pub(crate) fn next_id(&mut self) -> SessionId {
        self.next += 1;
        SessionId(self.next)
    }

    pub(crate) fn insert(&mut self, session: Session) {
        self.order.insert(session.id, ());
        self.slots.insert(session.id, Some(Box::new(session)));
    }

    /// Takes a session out while its batch runs.
    pub(crate) fn take(&mut self, id: SessionId) -> Option<Box<Session>> {
        self.slots.get_mut(&id)?.take()
    }

    /// Whether a session's batch is running, so that the session is not here.
    pub(crate) fn is_running(&self, id: SessionId) -> bool {
        self.slots.get(&id).is_some_and(Option::is_none)
    }

    /// Puts a session back after its batch.
    pub(crate) fn put_back(&mut self, session: Box<Session>) {
        if let Some(slot) = self.slots.get_mut(&session.id) {
            *slot = Some(session);
        }
    }

    pub(crate) fn remove(&mut self, id: SessionId) -> Option<Box<Session>> {
        self.order.remove(&id);
        self.slots.remove(&id)?
    }

    pub(crate) fn get(&self, id: SessionId) -> Option<&Session> {
        self.slots.get(&id)?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.slots.get_mut(&id)?.as_deref_mut()
    }

    /// The number of connections, the running one included.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Ids in the order of connecting, the running one included.
    pub(crate) fn ids(&self) -> impl Iterator<Item = SessionId> + '_ {
        self.order.keys().copied()
    }

    /// Every session but the running one, in the order of connecting.
    pub(crate) fn others(&self) -> impl Iterator<Item = &Session> + '_ {
        self.ids().filter_map(|id| self.get(id))
    }
}
