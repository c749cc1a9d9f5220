//! Expiry of fields: only a primary removes what is past its time, and always through the log.
//!
//! The active cycle walks the index of hashes with fields that expire, and in each of them the index of those fields, in
//! slices that look at a bounded number of fields. A hash that is not done with waits in a queue with the position where
//! the next slice goes on; a key that is gone by then, or is another one, is passed over.

use crate::node::Node;
use crate::output::Outputs;
use std::collections::VecDeque;
use tanist_keyspace::collections::{Hash, NEVER};
use tanist_keyspace::{Edit, Missing, ValueRef};
use tanist_types::{DbIndex, UnixMs};

/// The most fields that one slice looks at, over all databases.
const SLICE: usize = 200;

/// Where the active cycle of fields stands.
#[derive(Debug, Default)]
pub(crate) struct FieldCycle {
    /// The database whose index is walked, and where.
    db: u16,
    from: u64,
    waiting: VecDeque<Waiting>,
    due: Vec<Vec<u8>>,
}

/// A hash that is to be looked through from a position on.
#[derive(Debug)]
struct Waiting {
    db: DbIndex,
    key: Box<[u8]>,
    from: u64,
}

impl Node {
    /// One slice of the active cycle of fields; how many it looked at and removed.
    pub(crate) fn expire_fields(&mut self, now: UnixMs, outs: &mut Outputs) -> (usize, usize) {
        if !self.data.has_expiring_fields() {
            self.fields.waiting.clear();
            return (0, 0);
        }
        let (mut examined, mut removed) = (0, 0);
        // Empty parts of an index are seldom, but a slice must end even then.
        let mut steps = SLICE;
        while examined < SLICE && steps > 0 {
            steps -= 1;
            match self.fields.waiting.pop_front() {
                Some(hash) => {
                    let (seen, gone) = self.expire_fields_of(hash, now, SLICE - examined, outs);
                    examined += seen;
                    removed += gone;
                }
                None if self.find_hashes() => {}
                None => break,
            }
        }
        (examined, removed)
    }

    /// Queues some of the hashes with fields that expire; false after the last of them.
    fn find_hashes(&mut self) -> bool {
        let db = DbIndex(self.fields.db % self.data.databases());
        let waiting = &mut self.fields.waiting;
        let next = self.data.db(db).visit_expiring_fields(self.fields.from, &mut |entry| {
            waiting.push_back(Waiting { db, key: entry.key().into(), from: 0 });
        });
        self.fields.from = next.unwrap_or(0);
        if next.is_none() {
            self.fields.db = (db.0 + 1) % self.data.databases();
        }
        next.is_some() || self.fields.db != 0
    }

    /// Removes what is due among the next `budget` fields of a hash.
    fn expire_fields_of(
        &mut self,
        mut hash: Waiting,
        now: UnixMs,
        budget: usize,
        outs: &mut Outputs,
    ) -> (usize, usize) {
        let h = self.data.hash(&hash.key);
        let mut due = std::mem::take(&mut self.fields.due);
        due.clear();
        let mut examined = 0;
        if let Some(ValueRef::Hash(value)) = self.find_live(hash.db, &hash.key, h, now).map(|e| e.value()) {
            let (seen, next) = value.due(hash.from, now, budget, &mut |field| due.push(field.to_vec()));
            examined = seen;
            if let Some(next) = next {
                hash.from = next;
                self.fields.waiting.push_back(Waiting { key: hash.key.clone(), ..hash });
            }
        }
        if !due.is_empty() {
            self.remove_due(hash.db, &hash.key, &due, outs);
        }
        let removed = due.len();
        self.fields.due = due;
        (examined, removed)
    }

    fn remove_due(&mut self, db: DbIndex, key: &[u8], due: &[Vec<u8>], outs: &mut Outputs) {
        let h = self.data.hash(key);
        let edit = self.data.db_mut(db).edit(
            key,
            h,
            Missing::Leave,
            |_| true,
            |hash: &mut Hash, _| {
                due.iter().for_each(|field| _ = hash.remove(field, NEVER));
            },
        );
        let Edit::Done(edited) = edit else { return };
        self.stats.expired_fields += due.len() as u64;
        self.mark_watchers(db, key);
        self.publish_event(b'h', "hexpired", db, key, outs);
        if edited.emptied {
            self.publish_event(b'g', "del", db, key, outs);
        }
        let mut words: Vec<&[u8]> = vec![b"HDEL", key];
        words.extend(due.iter().map(Vec::as_slice));
        self.add_effect(db, &words);
        self.commit_effects(outs);
    }
}
