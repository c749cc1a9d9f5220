//! Expiry: only a primary removes what is past its time, and always through the log.
//!
//! Reads on a replica hide such entries; the primary's `DEL` removes them. The active cycle walks the expiry
//! index in bounded slices, so no command waits for it: a slice looks at a fixed number of entries, removes those
//! that are due, and asks for another one at once as long as more of them were due than `active-expire-effort`
//! tolerates.

use crate::node::Node;
use crate::output::Outputs;
use crate::tracking::By;
use tanist_keyspace::{Entry, KeyHash};
use tanist_types::{DbIndex, Now, UnixMs};

/// The most entries that one slice of the active cycle looks at, over all databases.
const SLICE: usize = 200;

/// The share of due entries in percent that the lowest effort tolerates; each further effort tolerates one less.
const TOLERATED: usize = 10;

/// Where the active cycle stands, and what it has found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ExpireCycle {
    /// The database that the next slice begins with.
    next_db: u16,
    /// The share of entries past their time among those with an expiry, in percent, averaged over many slices.
    pub(crate) stale_percent: f64,
    /// Slices that ended with their budget while more was due.
    pub(crate) cut_short: u64,
}

impl ExpireCycle {
    /// `CONFIG RESETSTAT`
    pub(crate) fn reset(&mut self) {
        (self.stale_percent, self.cut_short) = (0.0, 0);
    }
}

impl Node {
    /// The entry of `key` unless it is past its time.
    pub(crate) fn find_live(&self, db: DbIndex, key: &[u8], hash: KeyHash, now: UnixMs) -> Option<Entry<'_>> {
        crate::context::live(self.data.db(db).find(key, hash), now)
    }

    /// Whether this node is the one that removes what is past its time.
    pub(crate) fn may_expire(&self) -> bool {
        !self.is_replica() && !self.config.import_mode
    }

    /// Whether this is a primary whose data come from another server (`import-mode`), which removes there and tells it
    /// here.
    pub(crate) fn is_importing(&self) -> bool {
        self.config.import_mode && !self.is_replica()
    }

    /// Whether `key` is there and past its time.
    pub(crate) fn is_due(&self, db: DbIndex, key: &[u8], hash: KeyHash, now: UnixMs) -> bool {
        self.data.db(db).find(key, hash).and_then(|e| e.expiry()).is_some_and(|at| at <= now)
    }

    /// Whether `key` is past its time and this node is the one that removes it.
    pub(crate) fn is_to_expire(&self, db: DbIndex, key: &[u8], hash: KeyHash, now: UnixMs) -> bool {
        self.may_expire() && self.is_due(db, key, hash, now)
    }

    /// Removes an entry that is past its time; the removal joins the running command's effects.
    pub(crate) fn expire(&mut self, db: DbIndex, key: &[u8], hash: KeyHash, outs: &mut Outputs) {
        self.data.db_mut(db).remove(key, hash);
        self.stats.expired_keys += 1;
        let verb = self.expiry_verb();
        self.add_effect(db, &[verb, key]);
        self.invalidate(key, By::Node, outs);
        self.mark_watchers_expired(db, key);
        self.publish_event(b'x', "expired", db, key, outs);
    }

    /// How the removal of an entry that is past its time is written in the log.
    pub(crate) fn expiry_verb(&self) -> &'static [u8] {
        if self.config.lazyfree_lazy_expire { b"UNLINK" } else { b"DEL" }
    }

    /// One slice of the active cycle: returns whether more is due at once.
    pub(crate) fn expire_slice(&mut self, now: Now, outs: &mut Outputs) -> bool {
        if !self.may_expire() || !self.active_expire || self.is_paused_for_expiry() {
            return false;
        }
        let databases = self.data.databases();
        let (mut examined, mut expired) = (0, 0);
        for _ in 0..databases {
            let db = DbIndex(self.expire_cycle.next_db % databases);
            if self.data.db(db).expires_len() > 0 {
                let seen = self.expire_some(db, now.wall(), SLICE - examined, outs);
                examined += seen.0;
                expired += seen.1;
            }
            self.expire_cycle.next_db = (db.0 + 1) % databases;
            if examined >= SLICE {
                break;
            }
        }
        let (fields, gone) = self.expire_fields(now.wall(), outs);
        let more_fields = self.many_are_due(fields, gone);
        self.note_slice(examined, expired) || more_fields
    }

    /// Removes what is due among the next `budget` entries with an expiry: how many were looked at and removed.
    fn expire_some(&mut self, db: DbIndex, now: UnixMs, budget: usize, outs: &mut Outputs) -> (usize, usize) {
        let mut due = std::mem::take(&mut self.due);
        due.clear();
        let seen = self.data.expired(db, now, budget, &mut |entry| due.push(entry.key().into()));
        for key in &due {
            let hash = self.data.hash(key);
            self.expire(db, key, hash, outs);
            // Each removal is an entry of its own: nothing makes them one transaction.
            self.commit_effects(outs);
        }
        self.due = due;
        (seen.examined, seen.expired)
    }

    /// Counts a slice; says whether so much was due that another one should follow at once.
    fn note_slice(&mut self, examined: usize, expired: usize) -> bool {
        let cycle = &mut self.expire_cycle;
        let share = if examined == 0 { 0.0 } else { expired as f64 * 100.0 / examined as f64 };
        cycle.stale_percent = share * 0.05 + cycle.stale_percent * 0.95;
        let more = self.many_are_due(examined, expired);
        if more && examined >= SLICE {
            self.expire_cycle.cut_short += 1;
        }
        more
    }

    /// Whether more was due than `active-expire-effort` tolerates.
    fn many_are_due(&self, examined: usize, expired: usize) -> bool {
        let effort = usize::from(self.config.active_expire_effort.clamp(1, 10));
        expired * 100 > examined * (TOLERATED + 1 - effort)
    }
}
