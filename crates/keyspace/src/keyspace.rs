//! All databases, and what concerns more than one: moving, copying, swapping, flushing, snapshots.

use crate::access::Stamp;
use crate::db::{Db, ExpireProgress};
use crate::entry::{Entry, OwnedEntry};
use crate::snapshot::{self, Snapshot, SnapshotPart, SnapshotProgress};
use crate::store::Store;
use crate::write::DbMut;
use tanist_collections::{KeyHash, Policy, Remains, Seed};
use tanist_types::{DbIndex, UnixMs};

/// Memory that is no longer used; dropping it, on whatever thread, frees it.
#[derive(Debug, Default)]
#[must_use = "drop it where the time for freeing is available"]
pub struct Garbage {
    stores: Vec<Store>,
    snapshot: Option<Snapshot>,
    entries: Vec<OwnedEntry>,
    remains: Vec<Remains>,
}

impl Garbage {
    /// Whether there is nothing to free.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stores.is_empty()
            && self.snapshot.is_none()
            && self.entries.is_empty()
            && self.remains.is_empty()
    }

    /// How many entries will be freed.
    #[must_use]
    pub fn entries(&self) -> usize {
        let held = self.snapshot.as_ref().map_or(0, Snapshot::held);
        self.stores.iter().map(Store::len).sum::<usize>() + held + self.entries.len()
    }

    fn add(&mut self, store: Option<Store>) {
        self.stores.extend(store.filter(|store| store.len() > 0));
    }
}

/// Keys that have come to be, each with its database.
pub(crate) type Births = Vec<(DbIndex, Box<[u8]>)>;

/// All databases.
#[derive(Debug)]
pub struct Keyspace {
    seed: [u64; 2],
    dbs: Vec<Db>,
    stamp: Stamp,
    policy: Policy,
    snapshot: Option<Snapshot>,
    /// What snapshots have left behind.
    garbage: Vec<Store>,
    /// Removed entries that are worth freeing elsewhere.
    waste: Vec<OwnedEntry>,
    /// Keys that have come to be since they were asked for, if anybody asks.
    births: Option<Births>,
}

impl Keyspace {
    /// An empty keyspace of `databases` databases; `seed` is the secret of its hash.
    #[must_use]
    pub fn new(seed: [u64; 2], databases: u16) -> Keyspace {
        let dbs = (0..databases).map(|_| Db::new(Seed::new(seed))).collect();
        let policy = Policy::new(Seed::new(seed));
        let stamp = Stamp::default();
        Keyspace {
            seed,
            dbs,
            stamp,
            policy,
            snapshot: None,
            garbage: Vec::new(),
            waste: Vec::new(),
            births: None,
        }
    }

    /// An empty keyspace with the same seed and number of databases, to load into and then [`Keyspace::replace`] this.
    #[must_use]
    pub fn new_like(&self) -> Keyspace {
        let mut new = Keyspace::new(self.seed, self.databases());
        new.stamp = self.stamp;
        new.policy = self.policy;
        new
    }

    /// The number of databases.
    #[must_use]
    pub fn databases(&self) -> u16 {
        u16::try_from(self.dbs.len()).unwrap_or(u16::MAX)
    }

    /// The hash of `key`, the same for all databases.
    #[inline]
    #[must_use]
    pub fn hash(&self, key: &[u8]) -> KeyHash {
        Seed::new(self.seed).hash(key)
    }

    /// Database `index` for reading. Panics if there is no such database.
    #[inline]
    #[must_use]
    pub fn db(&self, index: DbIndex) -> &Db {
        &self.dbs[index.index()]
    }

    /// Database `index` for writing. Panics if there is no such database.
    #[inline]
    #[must_use]
    pub fn db_mut(&mut self, index: DbIndex) -> DbMut<'_> {
        DbMut {
            db: &mut self.dbs[index.index()],
            index,
            snapshot: &mut self.snapshot,
            waste: &mut self.waste,
            policy: &self.policy,
            stamp: self.stamp,
            births: &mut self.births,
        }
    }

    /// Whether keys that come to be are kept in mind for [`Keyspace::take_births`] from now on.
    pub fn note_births(&mut self, on: bool) {
        self.births = on.then(Vec::new);
    }

    /// The keys that have come to be since this was asked last, in their order; one that has gone and come again stands
    /// there twice. Keys of flushed and loaded data are none of them.
    pub fn take_births(&mut self) -> Vec<(DbIndex, Box<[u8]>)> {
        self.births.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Whether [`Keyspace::take_births`] has anything to tell.
    #[inline]
    #[must_use]
    pub fn has_births(&self) -> bool {
        self.births.as_ref().is_some_and(|births| !births.is_empty())
    }

    /// What new entries are stamped with from now on.
    pub fn set_stamp(&mut self, stamp: Stamp) {
        self.stamp = stamp;
    }

    /// What decides how collections are stored.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Sets what decides how collections that change from now on are stored; the seed stays.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = Policy { seed: self.policy.seed, ..policy };
    }

    /// Keys in all databases.
    #[must_use]
    pub fn total_keys(&self) -> usize {
        self.dbs.iter().map(Db::len).sum()
    }

    /// Whether any hash has fields that expire.
    #[must_use]
    pub fn has_expiring_fields(&self) -> bool {
        self.dbs.iter().any(|db| db.expiring_fields_len() > 0)
    }

    /// An estimate of the bytes that data and tables occupy in the allocator, what an active snapshot keeps included.
    #[must_use]
    pub fn used_memory(&self) -> usize {
        let garbage: usize = self.garbage.iter().map(Store::bytes).sum();
        self.dbs.iter().map(Db::used_memory).sum::<usize>() + self.snapshot_memory() + garbage
    }

    /// The part of [`Keyspace::used_memory`] that only the active snapshot holds.
    #[must_use]
    pub fn snapshot_memory(&self) -> usize {
        self.snapshot.as_ref().map_or(0, Snapshot::bytes)
    }

    /// Exchanges two databases (SWAPDB).
    pub fn swap(&mut self, a: DbIndex, b: DbIndex) {
        self.dbs.swap(a.index(), b.index());
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.swap(a, b);
        }
    }

    /// Takes over the data of `other` (made by [`Keyspace::new_like`]) and returns the old data. An active snapshot
    /// goes on with the old data. Panics if the two have different seeds or numbers of databases, or if `other` has a
    /// snapshot of its own.
    pub fn replace(&mut self, mut other: Keyspace) -> Garbage {
        assert!(self.seed == other.seed && self.dbs.len() == other.dbs.len() && other.snapshot.is_none());
        let garbage = self.flush_all();
        self.dbs = std::mem::take(&mut other.dbs);
        garbage
    }

    /// Adds the data of `other` (made by [`Keyspace::new_like`]) to these; where both have a key, those of `other` win.
    /// Panics as [`Keyspace::replace`] does.
    pub fn absorb(&mut self, mut other: Keyspace) {
        assert!(self.seed == other.seed && self.dbs.len() == other.dbs.len() && other.snapshot.is_none());
        for index in (0..self.databases()).map(DbIndex) {
            for key in other.db(index).keys() {
                let h = self.hash(&key);
                if let Some(entry) = other.db_mut(index).take(&key, h) {
                    let mut db = self.db_mut(index);
                    db.remove(&key, h);
                    db.add(h, entry);
                }
            }
        }
    }

    /// A key that both have in the same database, if there is one. `other` was made by [`Keyspace::new_like`].
    #[must_use]
    pub fn first_common_key(&self, other: &Keyspace) -> Option<Box<[u8]>> {
        (0..self.databases()).map(DbIndex).find_map(|index| {
            let is_there = |key: &[u8]| other.db(index).find(key, self.hash(key)).is_some();
            self.db(index).keys().into_iter().find(|key| is_there(key))
        })
    }

    /// Empties one database. An active snapshot keeps what it has not emitted yet.
    pub fn flush(&mut self, index: DbIndex) -> Garbage {
        let mut garbage = Garbage::default();
        garbage.add(self.detach(index));
        garbage
    }

    /// Puts an empty database in the place of one; hands back what no snapshot needs.
    fn detach(&mut self, index: DbIndex) -> Option<Store> {
        let new = Db::new(Seed::new(self.seed));
        let mut old = std::mem::replace(&mut self.dbs[index.index()], new);
        let Some(snapshot) = &mut self.snapshot else { return Some(old.store) };
        snapshot.claim(index, &mut old.store);
        match old.stop {
            Some(stop) => snapshot.adopt(stop, old.store),
            None => Some(old.store),
        }
    }

    /// Empties all databases.
    pub fn flush_all(&mut self) -> Garbage {
        let mut garbage = Garbage::default();
        for index in (0..self.databases()).map(DbIndex) {
            garbage.add(self.detach(index));
        }
        garbage
    }

    /// Moves `key` from one database to another, expiry and all; false if it is missing there or present here (MOVE).
    pub fn move_key(&mut self, key: &[u8], h: KeyHash, from: DbIndex, to: DbIndex) -> bool {
        if self.db(to).find(key, h).is_some() {
            return false;
        }
        let Some(entry) = self.db_mut(from).uproot(key, h) else { return false };
        self.db_mut(to).settle(h, entry);
        true
    }

    /// Copies the entry `from` to `to`, expiry and all, replacing what is there; false if `from` is missing (COPY).
    /// The same place for both changes nothing.
    pub fn copy_key(&mut self, from: (DbIndex, &[u8], KeyHash), to: (DbIndex, &[u8], KeyHash)) -> bool {
        let Some(entry) = self.db(from.0).find(from.1, from.2) else { return false };
        if (from.0, from.1) != (to.0, to.1) {
            let copy = entry.copy(to.1, entry.expiry());
            let mut db = self.db_mut(to.0);
            db.remove(to.1, to.2);
            db.add(to.2, copy);
        }
        true
    }

    /// One step of active expiry: looks at about `budget` entries with an expiry, goes on where the last step ended,
    /// and reports those whose time is before or at `now`. The node removes them through the log.
    pub fn expired(
        &mut self,
        index: DbIndex,
        now: UnixMs,
        budget: usize,
        report: &mut dyn FnMut(Entry<'_>),
    ) -> ExpireProgress {
        self.dbs[index.index()].expired(now, budget, report)
    }

    /// Starts a snapshot of the data as they are now. Collections of more than `whole` bytes in tables or nodes will be
    /// emitted in pieces, and are not copied as a whole if they change. A snapshot that was active is given up and
    /// dropped: whoever knows of one calls [`Keyspace::snapshot_abort`] before.
    pub fn snapshot_begin(&mut self, whole: usize) {
        drop(self.snapshot_abort());
        self.snapshot = Some(Snapshot::begin(&mut self.dbs, whole));
    }

    /// Whether a snapshot is active.
    #[must_use]
    pub fn snapshot_active(&self) -> bool {
        self.snapshot.is_some()
    }

    /// Emits further entries of the snapshot and pieces of large ones, about `budget` bytes of keys and values; each entry
    /// exactly once, in its form at the beginning. Databases may alternate. `None` if no snapshot is active.
    pub fn snapshot_next(
        &mut self,
        budget: usize,
        emit: &mut dyn FnMut(DbIndex, SnapshotPart<'_>),
    ) -> Option<SnapshotProgress> {
        let snapshot = self.snapshot.as_mut()?;
        let progress = snapshot.next(&mut self.dbs, budget.max(1), emit, &mut self.garbage, &mut self.waste);
        if progress.done {
            self.snapshot = None;
        }
        Some(progress)
    }

    /// Gives up the active snapshot, if any.
    pub fn snapshot_abort(&mut self) -> Garbage {
        let mut snapshot = self.snapshot.take();
        let remains = snapshot.as_mut().map(|snapshot| snapshot.untrack(&mut self.dbs)).unwrap_or_default();
        Garbage { snapshot, remains, ..Garbage::default() }
    }

    /// The keys, and the keys with an expiry, of each database that was not empty at the beginning of the active
    /// snapshot.
    #[must_use]
    pub fn snapshot_counts(&self) -> Vec<(DbIndex, u64, u64)> {
        let counts = self.snapshot.iter().flat_map(Snapshot::counts);
        counts.map(|(index, len, volatile)| (index, len as u64, volatile as u64)).collect()
    }

    /// Whether [`Keyspace::take_garbage`] has something to take.
    #[inline]
    #[must_use]
    pub fn has_garbage(&self) -> bool {
        !self.garbage.is_empty() || !self.waste.is_empty()
    }

    /// Memory that finished snapshots and large values have left behind, to be dropped where there is time.
    pub fn take_garbage(&mut self) -> Garbage {
        let (stores, entries) = (std::mem::take(&mut self.garbage), std::mem::take(&mut self.waste));
        Garbage { stores, entries, ..Garbage::default() }
    }

    /// Panics unless the invariants of all tables hold. Slow: for tests.
    pub fn check(&self) {
        self.dbs.iter().for_each(Db::check);
        let mut tracked = 0;
        for db in &self.dbs {
            db.store.for_each(&mut |entry| tracked += usize::from(snapshot::tracker(entry).is_some()));
        }
        let known = self.snapshot.as_ref().map_or(0, Snapshot::tracked);
        assert_eq!(tracked, known, "what is tracked is what the snapshot knows of");
    }
}

/// The node's lock moves a keyspace between threads, and what is left over is freed on another one.
const _: () = {
    const fn can_move<T: Send>() {}
    can_move::<Keyspace>();
    can_move::<Garbage>();
};
