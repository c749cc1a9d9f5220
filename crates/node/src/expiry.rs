//! Expiry: only a primary removes what is past its time, and always through the log.
//!
//! Reads on a replica hide such entries; the primary's `DEL` removes them. The active cycle walks the expiry
//! index in bounded slices, so no command waits for it.

use crate::node::Node;
use crate::output::Outputs;
use tanist_keyspace::{Entry, KeyHash};
use tanist_types::{DbIndex, Now, UnixMs};

/// The most keys that one slice of the active cycle examines in one database.
const SLICE: usize = 200;

impl Node {
    /// The entry of `key` unless it is past its time.
    pub(crate) fn find_live(&self, db: DbIndex, key: &[u8], hash: KeyHash, now: UnixMs) -> Option<Entry<'_>> {
        crate::context::live(self.data.db(db).find(key, hash), now)
    }

    /// Whether this node is the one that removes what is past its time.
    pub(crate) fn may_expire(&self) -> bool {
        !self.is_replica()
    }

    /// Removes an entry that is past its time; the removal joins the running command's effects.
    pub(crate) fn expire(&mut self, db: DbIndex, key: &[u8], hash: KeyHash) {
        self.data.db_mut(db).remove(key, hash);
        self.stats.expired_keys += 1;
        let verb: &[u8] = if self.config.lazyfree_lazy_expire { b"UNLINK" } else { b"DEL" };
        self.add_effect(db, &[verb, key]);
    }

    /// One slice of the active cycle: returns whether more is due at once.
    pub(crate) fn expire_slice(&mut self, now: Now, outs: &mut Outputs) -> bool {
        if !self.may_expire() || !self.active_expire || self.is_paused_for_expiry() {
            return false;
        }
        let mut more = false;
        for index in 0..self.data.databases() {
            let db = DbIndex(index);
            if self.data.db(db).expires_len() == 0 {
                continue;
            }
            let mut due = std::mem::take(&mut self.due);
            due.clear();
            let seen = self.data.expired(db, now.wall(), SLICE, &mut |entry| due.push(entry.key().into()));
            // A quarter of those looked at was due: there are probably more.
            more |= seen.expired * 4 > seen.examined;
            for key in &due {
                let hash = self.data.hash(key);
                self.expire(db, key, hash);
                self.mark_watchers(db, key);
            }
            self.due = due;
            self.commit_effects(outs);
        }
        more
    }
}
