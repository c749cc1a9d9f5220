//! A snapshot: every entry as it was at one moment, once, while writes go on. No fork, no copy of the data.
//!
//! The snapshot walks the databases one after the other in the order of hashes, so "already emitted" is a comparison
//! with the cursor. Whoever changes an entry that is still to come first hands its old form in ([`Snapshot::save`]) and
//! whoever adds an entry there says so ([`Snapshot::born`]); both are remembered by hash, so that the walk passes them
//! over. A database that is flushed is handed over as it is ([`Snapshot::adopt`]).
//!
//! Extra memory: old forms not yet emitted (emitted first, before the walk goes on) and 8 to 18 bytes for each key that
//! was changed ahead of the cursor, freed as the cursor passes.
//!
//! Two keys of one database with equal 64-bit hashes would be taken for one; with 10 million keys all changed during
//! the snapshot the chance is 3 in a million.

use crate::db::Db;
use crate::entry::{Entry, OwnedEntry};
use crate::store::Store;
use crate::value::{StrRef, ValueRef};
use hashbrown::HashTable;
use std::collections::VecDeque;
use tanist_collections::KeyHash;
use tanist_types::DbIndex;

/// Names a database of the snapshot: its place in the walk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Stop(usize);

/// See the module's comment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    stops: Vec<Database>,
    /// The database that the walk is in.
    at: Stop,
    /// The position in it: hashes before have been emitted.
    cursor: u64,
    /// Old forms to be emitted.
    queue: Queue,
    emitted: u64,
    total: u64,
}

#[derive(Debug)]
struct Database {
    index: DbIndex,
    len: usize,
    volatile: usize,
    /// The old store, if the database was flushed meanwhile.
    detached: Option<Store>,
    /// Hashes that the walk is to pass over.
    passed_over: Hashes,
}

/// Where a snapshot stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SnapshotProgress {
    /// Whether every entry has been emitted; the snapshot is then over.
    pub done: bool,
    /// Entries emitted since the start.
    pub emitted: u64,
    /// Entries that the snapshot holds altogether.
    pub total: u64,
}

impl Snapshot {
    /// Starts a snapshot and tells each database its place in it.
    pub(crate) fn begin(dbs: &mut [Db]) -> Snapshot {
        let mut stops = Vec::new();
        for (index, db) in (0..).map(DbIndex).zip(dbs) {
            db.stop = (!db.is_empty()).then_some(Stop(stops.len()));
            if !db.is_empty() {
                let (len, volatile) = (db.len(), db.expires_len());
                stops.push(Database {
                    index,
                    len,
                    volatile,
                    detached: None,
                    passed_over: Hashes::for_len(len),
                });
            }
        }
        let total = stops.iter().map(|stop| stop.len as u64).sum();
        Snapshot { stops, at: Stop(0), cursor: 0, queue: Queue::default(), emitted: 0, total }
    }

    /// Whether an entry with this hash, if there was one at the beginning, is still to be emitted by the walk.
    #[inline]
    pub(crate) fn awaits(&self, stop: Stop, h: KeyHash) -> bool {
        (stop > self.at || stop == self.at && h.0 >= self.cursor)
            && !self.stops[stop.0].passed_over.contains(h)
    }

    /// Takes the old form of an awaited entry.
    pub(crate) fn save(&mut self, stop: Stop, h: KeyHash, old: OwnedEntry) {
        debug_assert!(self.awaits(stop, h));
        self.queue.push(self.stops[stop.0].index, old);
        self.stops[stop.0].passed_over.insert(h);
    }

    /// Notes that an entry with an awaited hash did not exist at the beginning.
    pub(crate) fn born(&mut self, stop: Stop, h: KeyHash) {
        self.stops[stop.0].passed_over.insert(h);
    }

    /// Takes over the entries of a database that is being flushed, or hands them back if they have all been emitted.
    pub(crate) fn adopt(&mut self, stop: Stop, store: Store) -> Option<Store> {
        if stop < self.at {
            return Some(store);
        }
        self.stops[stop.0].detached = Some(store);
        None
    }

    /// Entries that only the snapshot holds.
    pub(crate) fn held(&self) -> usize {
        let detached = self.stops.iter().filter_map(|stop| stop.detached.as_ref());
        self.queue.chunks.iter().map(VecDeque::len).sum::<usize>() + detached.map(Store::len).sum::<usize>()
    }

    /// Bytes that only the snapshot holds.
    pub(crate) fn bytes(&self) -> usize {
        let held =
            |stop: &Database| stop.passed_over.bytes() + stop.detached.as_ref().map_or(0, Store::bytes);
        self.queue.bytes + self.stops.iter().map(held).sum::<usize>()
    }

    /// The databases at the beginning: index, keys, keys with an expiry.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (DbIndex, usize, usize)> {
        self.stops.iter().map(|stop| (stop.index, stop.len, stop.volatile))
    }

    /// Emits entries of about `budget` bytes. Stores that were adopted and are done go to `garbage`.
    pub(crate) fn next(
        &mut self,
        dbs: &[Db],
        budget: usize,
        emit: &mut dyn FnMut(DbIndex, Entry<'_>),
        garbage: &mut Vec<Store>,
    ) -> SnapshotProgress {
        let mut left = budget;
        while left > 0 {
            let Some((index, entry)) = self.queue.pop() else { break };
            left = left.saturating_sub(cost(entry.entry()));
            self.emitted += 1;
            emit(index, entry.entry());
        }
        while left > 0 && self.at.0 < self.stops.len() {
            left = self.walk(dbs, left, emit);
            if left > 0 {
                let stop = &mut self.stops[self.at.0];
                garbage.extend(stop.detached.take());
                stop.passed_over = Hashes::for_len(0);
                self.at.0 += 1;
                self.cursor = 0;
            }
        }
        let done = self.at.0 == self.stops.len() && self.queue.chunks.is_empty();
        SnapshotProgress { done, emitted: self.emitted, total: self.total }
    }

    /// Walks on in the present database and returns what is left of the budget: nothing, unless it came to the end.
    fn walk(&mut self, dbs: &[Db], budget: usize, emit: &mut dyn FnMut(DbIndex, Entry<'_>)) -> usize {
        let Database { index, detached, passed_over, .. } = &mut self.stops[self.at.0];
        let live = || dbs.iter().find(|db| db.stop == Some(self.at)).map(|db| &db.store);
        let Some(store) = detached.as_ref().or_else(live) else {
            unreachable!("a database of the snapshot is alive or was handed over")
        };
        let mut left = budget;
        while left > 0 {
            // A little for the bucket itself, so that an empty stretch is bounded too.
            left = left.saturating_sub(16);
            let next = store.visit(self.cursor, &mut |entry| {
                if passed_over.is_empty() || !passed_over.contains(store.hash(entry)) {
                    left = left.saturating_sub(cost(entry));
                    self.emitted += 1;
                    emit(*index, entry);
                }
            });
            let Some(position) = next else { return left.max(1) };
            self.cursor = position;
            passed_over.forget_before(position);
        }
        0
    }
}

/// What an entry counts for in a budget: about the bytes of its serialised form.
fn cost(entry: Entry<'_>) -> usize {
    let value = match entry.value() {
        ValueRef::Str(StrRef::Bytes(bytes)) => bytes.len(),
        ValueRef::Str(StrRef::Int(_)) => 8,
        _ => entry.outside(),
    };
    entry.key().len() + value + 8
}

/// Old forms on their way out, in chunks, so that a long queue grows without copying itself.
#[derive(Debug, Default)]
struct Queue {
    /// Never an empty one.
    chunks: VecDeque<VecDeque<(DbIndex, OwnedEntry)>>,
    bytes: usize,
}

impl Queue {
    const CHUNK: usize = 512;

    fn push(&mut self, index: DbIndex, entry: OwnedEntry) {
        self.bytes += Queue::cost(&entry);
        match self.chunks.back_mut() {
            Some(chunk) if chunk.len() < Queue::CHUNK => chunk.push_back((index, entry)),
            _ => self.chunks.push_back(VecDeque::from([(index, entry)])),
        }
    }

    fn pop(&mut self) -> Option<(DbIndex, OwnedEntry)> {
        let chunk = self.chunks.front_mut()?;
        let (index, entry) = chunk.pop_front()?;
        if chunk.is_empty() {
            self.chunks.pop_front();
        }
        self.bytes -= Queue::cost(&entry);
        Some((index, entry))
    }

    fn cost(entry: &OwnedEntry) -> usize {
        entry.entry().allocated() + size_of::<(DbIndex, OwnedEntry)>()
    }
}

/// A set of hashes in many small sets, one per stretch of positions: none is ever large enough to grow slowly, and those
/// behind the cursor are freed.
#[derive(Debug)]
struct Hashes {
    stretches: Vec<HashTable<u64>>,
    /// Stretches before this one are behind the cursor.
    first: usize,
    bits: u32,
    len: usize,
}

impl Hashes {
    /// Fit for a database of `len` keys.
    fn for_len(len: usize) -> Hashes {
        const MOST_BITS: u32 = 14;
        let bits = (len / 1024).next_power_of_two().ilog2().min(MOST_BITS);
        Hashes { stretches: Vec::new(), first: 0, bits, len: 0 }
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    fn stretch(&self, h: u64) -> usize {
        (h >> 1 >> (63 - self.bits)) as usize
    }

    /// The leading bits are the same for a whole stretch, and the table wants them to differ.
    #[inline]
    fn spread(h: u64) -> u64 {
        h.rotate_left(32)
    }

    #[inline]
    fn contains(&self, h: KeyHash) -> bool {
        self.len > 0
            && self
                .stretches
                .get(self.stretch(h.0))
                .is_some_and(|set| set.find(Hashes::spread(h.0), |&other| other == h.0).is_some())
    }

    fn insert(&mut self, h: KeyHash) {
        if self.stretches.is_empty() {
            self.stretches.resize_with(1 << self.bits, HashTable::new);
        }
        let stretch = self.stretch(h.0);
        let set = &mut self.stretches[stretch];
        if set.find(Hashes::spread(h.0), |&other| other == h.0).is_none() {
            set.insert_unique(Hashes::spread(h.0), h.0, |&other| Hashes::spread(other));
            self.len += 1;
        }
    }

    fn forget_before(&mut self, position: u64) {
        let now = self.stretch(position);
        while self.first < now {
            if let Some(set) = self.stretches.get_mut(self.first) {
                self.len -= set.len();
                *set = HashTable::new();
            }
            self.first += 1;
        }
    }

    fn bytes(&self) -> usize {
        self.stretches.len() * size_of::<HashTable<u64>>() + self.len * 14
    }
}
