//! `maxmemory-clients`: what clients may occupy together. Beyond that those that occupy most are closed, except those
//! that have said `CLIENT NO-EVICT ON`. Replicas do not count: their memory is that of the log.
//!
//! The sum is kept up to date, by what each session was last counted with, and only while somebody asks for it: this
//! limit, or `maxmemory`, which counts clients too.

use crate::commands::client::Running;
use crate::node::Node;
use crate::output::{LogLevel, Output, Outputs};
use crate::session::{Session, SessionId, SessionKind};
use tanist_config::PercentOrBytes;
use tanist_types::Now;

/// A lower limit is taken for this one, as in Valkey: with less, nobody could come in to set another one.
const LEAST: u64 = 128 << 10;

/// What clients occupy, as far as it is counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ClientMemory {
    /// In bytes; `None` without one.
    limit: Option<u64>,
    /// The sum is kept.
    kept: bool,
    sum: u64,
    /// Which sum it is: another one begins when there is a limit again.
    round: u32,
    /// The limit is another one: everybody is to be counted.
    recount: bool,
}

impl ClientMemory {
    /// What all clients occupied together when each was last counted; zero if nobody asks for it.
    pub(crate) fn sum(&self) -> u64 {
        if self.kept { self.sum } else { 0 }
    }
}

/// What a session was last counted with, and in which sum.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    round: u32,
    size: u64,
}

impl Counted {
    fn size_in(self, round: u32) -> u64 {
        if self.round == round { self.size } else { 0 }
    }
}

impl Node {
    /// The limit has changed, or what it is a share of.
    pub(crate) fn configure_client_eviction(&mut self) {
        let limit = match self.config.maxmemory_clients {
            PercentOrBytes::Bytes(bytes) => Some(bytes).filter(|&bytes| bytes > 0),
            PercentOrBytes::Percent(p) => Some(self.config.maxmemory)
                .filter(|&bytes| bytes > 0)
                .map(|bytes| (u128::from(bytes) * u128::from(p) / 100) as u64),
        };
        let before = (self.client_memory.limit, self.client_memory.kept);
        self.client_memory.limit = limit.map(|bytes| bytes.max(LEAST));
        self.client_memory.kept = limit.is_some() || self.config.maxmemory > 0;
        self.client_memory.recount = before != (self.client_memory.limit, self.client_memory.kept);
        if !before.1 {
            // Nobody has been counted lately.
            self.client_memory.sum = 0;
            self.client_memory.round += 1;
        }
    }

    /// Counts what a session occupies now, and closes clients if it is too much.
    #[inline]
    pub(crate) fn count_client(&mut self, id: SessionId, now: Now, outs: &mut Outputs) {
        if !self.client_memory.kept {
            return;
        }
        if std::mem::take(&mut self.client_memory.recount) {
            return self.count_all_clients(now, outs);
        }
        if self.add_client(id) {
            self.evict_surplus_clients(now, outs);
        }
    }

    /// Brings what a session occupies into the sum; says whether it has grown.
    fn add_client(&mut self, id: SessionId) -> bool {
        let Some(s) = self.sessions.get_mut(id) else { return false };
        let new = if counts(s) { s.memory() as u64 } else { 0 };
        let round = self.client_memory.round;
        let old = std::mem::replace(&mut s.counted, Counted { round, size: new }).size_in(round);
        self.client_memory.sum = self.client_memory.sum - old + new;
        new > old
    }

    /// Counts a session with the request that it has sent, before anything of it is carried out. `false`: it is closed
    /// for it.
    #[inline]
    pub(crate) fn admits_request(
        &mut self,
        id: SessionId,
        size: usize,
        now: Now,
        outs: &mut Outputs,
    ) -> bool {
        if self.client_memory.limit.is_none_or(|limit| size as u64 <= limit) {
            return true;
        }
        if let Some(s) = self.sessions.get_mut(id) {
            s.query_buffer = size;
        }
        self.count_client(id, now, outs);
        self.sessions.get(id).is_none_or(|s| !s.close_after_reply)
    }

    /// Counts everybody anew: a session may have grown by what others did.
    fn count_all_clients(&mut self, now: Now, outs: &mut Outputs) {
        for id in self.sessions.ids().collect::<Vec<_>>() {
            self.add_client(id);
        }
        self.evict_surplus_clients(now, outs);
    }

    /// [`Node::count_all_clients`], if there is a limit that somebody may be above.
    pub(crate) fn judge_all_clients(&mut self, now: Now, outs: &mut Outputs) {
        if self.client_memory.limit.is_some() {
            self.count_all_clients(now, outs);
        }
    }

    fn evict_surplus_clients(&mut self, now: Now, outs: &mut Outputs) {
        if let Some(limit) = self.client_memory.limit
            && self.client_memory.sum > limit
        {
            self.evict_clients(limit, now, outs);
        }
    }

    /// A session is gone.
    pub(crate) fn uncount_client(&mut self, s: &Session) {
        if self.client_memory.kept {
            self.client_memory.sum -= s.counted.size_in(self.client_memory.round);
        }
    }

    /// Closes those that occupy most until the rest fits.
    fn evict_clients(&mut self, limit: u64, now: Now, outs: &mut Outputs) {
        let round = self.client_memory.round;
        let evictable = |s: &&Session| counts(s) && !s.no_evict;
        let mut all: Vec<(u64, SessionId)> =
            self.sessions.others().filter(evictable).map(|s| (s.counted.size_in(round), s.id)).collect();
        all.sort_unstable();
        while self.client_memory.sum > limit
            && let Some((size, id)) = all.pop()
        {
            let Some(s) = self.sessions.get_mut(id) else { continue };
            s.close_after_reply = true;
            s.counted = Counted::default();
            let line = crate::commands::client::line(s, now.mono, Running::default());
            self.client_memory.sum -= size;
            self.stats.evicted_clients += 1;
            outs.log(LogLevel::Notice, format!("Evicting client: {line}"));
            outs.push(Output::Close { session: id, flush: false });
        }
    }
}

/// Whether its memory is a client's. Of one that is being closed it is free in a moment.
fn counts(s: &Session) -> bool {
    s.kind != SessionKind::Replica && !s.close_after_reply
}
