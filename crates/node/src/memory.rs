//! `maxmemory`: while more than that is in use, keys are evicted before a command runs, and commands that may add data are
//! refused if no room can be made (see `eviction`).
//!
//! What is in use is counted here, part by part as it changes; nobody asks the allocator, whose figures come late and
//! still have what is being freed in the background. Of the parts, those are not limited that evicting would not free:
//! what a snapshot holds back, and what is kept of the log for replicas that are slow. What the shell has before there
//! are data counts as it was then. See `docs/decisions/2026-11-27-what-maxmemory-counts.md`.

use crate::context::Ctx;
use crate::eviction::Room;
use crate::node::Node;
use crate::session::{Session, SessionKind};
use tanist_config::choice::MaxmemoryPolicy;

/// The memory in use by what it is for, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Parts {
    /// What the process used before there were data or clients.
    pub(crate) startup: u64,
    /// Keys, values and their tables.
    pub(crate) data: u64,
    /// What a snapshot holds back.
    pub(crate) snapshot: u64,
    pub(crate) clients: u64,
    /// Who keeps copies of which keys.
    pub(crate) tracking: u64,
    /// Scripts and functions. The states that they run in are Lua's own, as in Redis: their garbage must not evict keys.
    pub(crate) scripts: u64,
    /// The log, as far as `repl-backlog-size` goes.
    pub(crate) backlog: u64,
    /// What is kept beyond that for replicas that have yet to read it.
    pub(crate) surplus: u64,
    /// The connections of replicas.
    pub(crate) replicas: u64,
}

impl Parts {
    /// What `maxmemory` limits.
    pub(crate) fn counted(&self) -> u64 {
        self.startup + self.data + self.clients + self.tracking + self.scripts + self.backlog
    }

    /// What evicting would not free.
    pub(crate) fn not_counted(&self) -> u64 {
        self.snapshot + self.surplus + self.replicas
    }

    /// All of it.
    pub(crate) fn used(&self) -> u64 {
        self.counted() + self.not_counted()
    }

    /// All that is not data.
    pub(crate) fn overhead(&self) -> u64 {
        self.used() - self.data
    }
}

impl Node {
    /// The memory in use; `own` is the running session, which is not among the node's sessions.
    pub(crate) fn memory_parts(&self, own: Option<&Session>) -> Parts {
        let mut parts = self.parts_beside_sessions();
        for s in self.sessions.others().chain(own) {
            let bytes = s.memory() as u64;
            match s.kind {
                SessionKind::Replica => parts.replicas += bytes,
                SessionKind::Normal | SessionKind::Pubsub => parts.clients += bytes,
            }
        }
        parts
    }

    fn parts_beside_sessions(&self) -> Parts {
        let snapshot = self.data.snapshot_memory() as u64;
        let log = self.repl.backlog.histlen().0;
        let backlog = log.min(self.repl.backlog.config().size.0);
        let (scripts, libraries) = (self.scripting.scripts.memory(), self.scripting.libraries.memory());
        Parts {
            startup: self.memory.startup,
            data: self.data.used_memory() as u64 - snapshot,
            snapshot,
            tracking: self.tracking.memory() as u64,
            scripts: (scripts.1 + libraries.1) as u64,
            backlog,
            surplus: log - backlog + self.repl.replicas.held(),
            ..Parts::default()
        }
    }

    /// Whether more than `maxmemory` is in use. A replica leaves that judgement to its primary.
    pub(crate) fn is_short_of_memory(&self) -> bool {
        let most = self.config.maxmemory;
        most > 0
            && !(self.is_replica() && self.config.replica_ignore_maxmemory)
            && self.limited_memory() > most
    }

    /// What is compared with `maxmemory`, without a look at every client: their sum is kept.
    fn limited_memory(&self) -> u64 {
        self.parts_beside_sessions().counted() + self.client_memory.sum()
    }

    /// Has a slice of eviction follow if memory is short: what has been added since the last look may be no data.
    #[inline]
    pub(crate) fn make_room_soon(&mut self) {
        self.eviction.more |=
            self.is_short_of_memory() && self.config.maxmemory_policy != MaxmemoryPolicy::NoEviction;
    }

    /// Whether memory is short and no room can be made. In the middle of a transaction nothing is evicted: its effects
    /// are not in the log yet.
    pub(crate) fn lacks_memory(ctx: &mut Ctx<'_>) -> bool {
        if !ctx.node.is_short_of_memory() {
            return false;
        }
        if ctx.in_transaction {
            return ctx.node.config.maxmemory_policy == MaxmemoryPolicy::NoEviction;
        }
        let mut gone = Vec::new();
        let room = ctx.node.evict_slice(ctx.now, Some(&mut *ctx.session), &mut gone, ctx.outs, ctx.watch);
        for (db, key) in gone {
            ctx.own_event(b'e', "evicted", db, &key);
        }
        room == Room::None
    }
}
