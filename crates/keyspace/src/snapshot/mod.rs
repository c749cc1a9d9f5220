//! A snapshot: every entry as it was at one moment, once, while writes go on. No fork, no copy of the data.
//!
//! The snapshot walks the databases one after the other in the order of hashes, so "already emitted" is a comparison
//! with the cursor. Whoever changes an entry that is still to come first hands its old form in ([`Snapshot::save`]) and
//! whoever adds an entry there says so ([`Snapshot::born`]); both are remembered by hash, so that the walk passes them
//! over. A database that is flushed is handed over as it is ([`Snapshot::adopt`]).
//!
//! A large collection is emitted in pieces, and none is copied as a whole: see [`large`].
//!
//! Extra memory: old forms not yet emitted (emitted first, before the walk goes on) and 8 to 18 bytes for each key that
//! was changed ahead of the cursor, freed as the cursor passes; the same for elements of large collections.
//!
//! Two keys of one database with equal 64-bit hashes would be taken for one; with 10 million keys all changed during
//! the snapshot the chance is 3 in a million.

mod large;
mod part;
mod queue;

use crate::db::Db;
use crate::entry::{Entry, OwnedEntry};
use crate::store::Store;
use crate::value::{StrRef, ValueRef};
use large::Larges;
use queue::Queue;
use tanist_collections::{Hashes, KeyHash, Remains};
use tanist_types::DbIndex;

pub use part::{Head, Outline, Piece, SnapshotPart};
pub(crate) use part::{tracker, tracker_bytes};

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
    larges: Larges,
    /// Collections of more bytes are emitted in pieces.
    whole: usize,
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
    /// Starts a snapshot and tells each database its place in it. Collections of more than `whole` bytes will be emitted
    /// in pieces.
    pub(crate) fn begin(dbs: &mut [Db], whole: usize) -> Snapshot {
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
        let (queue, larges) = (Queue::default(), Larges::default());
        Snapshot { stops, at: Stop(0), cursor: 0, queue, larges, whole, emitted: 0, total }
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
        let index = self.stops[stop.0].index;
        if self.is_large(old.entry()) {
            self.larges.hold(index, old);
        } else {
            self.queue.push(index, old);
        }
        self.stops[stop.0].passed_over.insert(h);
    }

    /// Whether an awaited entry is to be handed in by [`Snapshot::divide`] rather than by a copy.
    #[inline]
    pub(crate) fn is_large(&self, entry: Entry<'_>) -> bool {
        part::is_large(entry, self.whole)
    }

    /// Remembers the collection of an awaited entry that is large, and goes on living in database `now`.
    pub(crate) fn divide(&mut self, stop: Stop, h: KeyHash, now: DbIndex, entry: &mut OwnedEntry) {
        debug_assert!(self.awaits(stop, h));
        self.larges.divide(self.stops[stop.0].index, now, h, entry);
        self.stops[stop.0].passed_over.insert(h);
    }

    /// Takes over the removed entry of a collection that is tracked under this number.
    pub(crate) fn take_over(&mut self, id: u64, entry: OwnedEntry) {
        self.larges.take_over(id, entry);
    }

    /// Notes that the entry of a collection that is tracked has another place now.
    pub(crate) fn moved(&mut self, id: u64, db: DbIndex, h: KeyHash, key: &[u8]) {
        self.larges.moved(id, db, h, key);
    }

    /// Notes what a tracked collection that was changed takes for the snapshot.
    pub(crate) fn note_bytes(&mut self, id: u64, bytes: usize) {
        self.larges.note_bytes(id, bytes);
    }

    /// Notes that two databases have changed places.
    pub(crate) fn swap(&mut self, a: DbIndex, b: DbIndex) {
        self.larges.swap(a, b);
    }

    /// Takes what is tracked out of a database that is being flushed.
    pub(crate) fn claim(&mut self, db: DbIndex, store: &mut Store) {
        self.larges.claim(db, store);
    }

    /// Ends the tracking of what goes on living, because the snapshot is given up; what that frees.
    pub(crate) fn untrack(&mut self, dbs: &mut [Db]) -> Vec<Remains> {
        self.larges.untrack(dbs)
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
        self.queue.len() + self.larges.held() + detached.map(Store::len).sum::<usize>()
    }

    /// How many collections of the keyspace are tracked.
    pub(crate) fn tracked(&self) -> usize {
        self.larges.tracked()
    }

    /// Bytes that only the snapshot holds.
    pub(crate) fn bytes(&self) -> usize {
        let held =
            |stop: &Database| stop.passed_over.bytes() + stop.detached.as_ref().map_or(0, Store::bytes);
        self.queue.bytes() + self.larges.bytes() + self.stops.iter().map(held).sum::<usize>()
    }

    /// The databases at the beginning: index, keys, keys with an expiry.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (DbIndex, usize, usize)> {
        self.stops.iter().map(|stop| (stop.index, stop.len, stop.volatile))
    }

    /// Emits entries and pieces of about `budget` bytes. Stores that were adopted and are done go to `garbage`, entries of
    /// large collections that are done to `waste`.
    pub(crate) fn next(
        &mut self,
        dbs: &mut [Db],
        budget: usize,
        emit: &mut dyn FnMut(DbIndex, SnapshotPart<'_>),
        garbage: &mut Vec<Store>,
        waste: &mut Vec<OwnedEntry>,
    ) -> SnapshotProgress {
        let mut left = self.larges.emit(dbs, budget, true, emit, (waste, &mut self.emitted));
        while left > 0 {
            let Some((index, entry)) = self.queue.pop() else { break };
            left = left.saturating_sub(cost(entry.entry()));
            self.emitted += 1;
            emit(index, SnapshotPart::Entry(entry.entry()));
        }
        while left > 0 && self.at.0 < self.stops.len() {
            left = self.walk(dbs, left, emit, waste);
            if left > 0 {
                let stop = &mut self.stops[self.at.0];
                garbage.extend(stop.detached.take());
                stop.passed_over = Hashes::for_len(0);
                self.at.0 += 1;
                self.cursor = 0;
            }
        }
        self.larges.emit(dbs, left, false, emit, (waste, &mut self.emitted));
        let done = self.at.0 == self.stops.len() && self.queue.is_empty() && self.larges.is_empty();
        SnapshotProgress { done, emitted: self.emitted, total: self.total }
    }

    /// Walks on in the present database and returns what is left of the budget: nothing, unless it came to the end.
    fn walk(
        &mut self,
        dbs: &mut [Db],
        budget: usize,
        emit: &mut dyn FnMut(DbIndex, SnapshotPart<'_>),
        waste: &mut Vec<OwnedEntry>,
    ) -> usize {
        let live = dbs.iter().position(|db| db.stop == Some(self.at));
        let mut left = budget;
        let mut large = Vec::new();
        loop {
            // What has been found before comes first, so that not many are remembered at once.
            left = self.larges.emit(dbs, left, false, emit, (waste, &mut self.emitted));
            if left == 0 {
                return 0;
            }
            let Database { index, detached, passed_over, .. } = &mut self.stops[self.at.0];
            let (store, live) = match (detached, live) {
                (Some(store), _) => (store, None),
                (None, Some(live)) => (&mut dbs[live].store, Some(live)),
                (None, None) => unreachable!("a database of the snapshot is alive or was handed over"),
            };
            // A little for the bucket itself, so that an empty stretch is bounded too.
            left = left.saturating_sub(16);
            let whole = self.whole;
            let next = store.visit(self.cursor, &mut |entry| {
                if !passed_over.is_empty() && passed_over.contains(store.hash(entry)) {
                    return;
                }
                if part::is_large(entry, whole) {
                    large.push((store.hash(entry), Box::<[u8]>::from(entry.key())));
                } else {
                    left = left.saturating_sub(cost(entry));
                    self.emitted += 1;
                    emit(*index, SnapshotPart::Entry(entry));
                }
            });
            for (h, key) in large.drain(..) {
                self.larges.find(store, live.map(|live| DbIndex(live as u16)), *index, (h, &key));
            }
            let Some(position) = next else { return left.max(1) };
            self.cursor = position;
            passed_over.forget_before(position);
        }
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
