//! First body of the keyspace, to compile and run against; the table replaces it behind the same interface.

use crate::access::{Access, Stamp};
use crate::hash::{KeyHash, Seed};
use crate::value::{Encoding, StrRef, StrValue, ValueRef};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use tanist_types::{DbIndex, Rng, UnixMs};

/// What a write does to the entry's expiry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expiry {
    /// Leave it as it is (none for a new key).
    Keep,
    /// No expiry.
    Clear,
    /// At this moment.
    At(UnixMs),
}

/// Whether a write found something in its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replaced {
    /// The key is new.
    Nothing,
    /// The key existed.
    Old,
}

/// A position in a scan; zero is the start, and the end when returned. Fits 48 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cursor(pub u64);

/// What one step of active expiry did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ExpireProgress {
    /// Entries with an expiry that were looked at.
    pub examined: usize,
    /// Entries past their time that were reported.
    pub expired: usize,
    /// Whether the walk came round to the start.
    pub wrapped: bool,
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

#[derive(Clone, Debug)]
enum Value {
    Int(i64),
    Embstr(Vec<u8>),
    Raw(Vec<u8>),
}

#[derive(Debug)]
struct Record {
    key: Box<[u8]>,
    value: Value,
    expiry: Option<UnixMs>,
    access: AtomicU32,
}

impl Clone for Record {
    fn clone(&self) -> Record {
        Record {
            key: self.key.clone(),
            value: self.value.clone(),
            expiry: self.expiry,
            access: AtomicU32::new(self.access.load(Ordering::Relaxed)),
        }
    }
}

/// One key with its value.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a>(&'a Record);

impl<'a> Entry<'a> {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &'a [u8] {
        &self.0.key
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> ValueRef<'a> {
        ValueRef::Str(match &self.0.value {
            Value::Int(n) => StrRef::Int(*n),
            Value::Embstr(bytes) | Value::Raw(bytes) => StrRef::Bytes(bytes),
        })
    }

    /// When the entry expires, if ever. It may lie in the past.
    #[must_use]
    pub fn expiry(&self) -> Option<UnixMs> {
        self.0.expiry
    }

    /// How the value is stored.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        match &self.0.value {
            Value::Int(_) => Encoding::Int,
            Value::Embstr(_) => Encoding::Embstr,
            Value::Raw(_) => Encoding::Raw,
        }
    }

    /// Bytes that the entry occupies, its share of the tables included (MEMORY USAGE).
    #[must_use]
    pub fn memory_usage(&self) -> usize {
        64 + self.0.key.len()
            + match &self.0.value {
                Value::Int(_) => 8,
                Value::Embstr(b) | Value::Raw(b) => b.capacity(),
            }
    }

    /// The LRU or LFU bits.
    #[must_use]
    pub fn access(&self) -> Access {
        Access::from_bits(self.0.access.load(Ordering::Relaxed))
    }

    /// Sets the LRU or LFU bits. Needs no exclusive access and changes nothing that a snapshot or replica sees.
    pub fn set_access(&self, access: Access) {
        self.0.access.store(access.bits(), Ordering::Relaxed);
    }
}

/// An entry taken out of the keyspace.
#[derive(Debug)]
pub struct OwnedEntry(Record);

impl OwnedEntry {
    /// A view of the entry.
    #[must_use]
    pub fn entry(&self) -> Entry<'_> {
        Entry(&self.0)
    }
}

type Map = BTreeMap<(KeyHash, Box<[u8]>), Record>;

/// Memory that a flush left behind; dropping it, on whatever thread, frees it.
#[derive(Debug)]
#[must_use = "drop it where the time for freeing is available"]
pub struct Garbage(#[expect(dead_code, reason = "held to be dropped")] Vec<Map>);

/// One database, for reading.
#[derive(Debug, Default)]
pub struct Db {
    map: Map,
    expires: usize,
}

impl Db {
    /// The number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// The number of keys with an expiry.
    #[must_use]
    pub fn expires_len(&self) -> usize {
        self.expires
    }

    /// The average time to live of keys with an expiry in milliseconds, as sampled by active expiry; zero if unknown.
    #[must_use]
    pub fn avg_ttl_ms(&self) -> u64 {
        0
    }

    /// Brings the bucket of `h` into the cache; to be called for a whole batch before [`Db::prefetch_entry`].
    pub fn prefetch(&self, _h: KeyHash) {}

    /// Brings the entry of `h` into the cache, once its bucket is there.
    pub fn prefetch_entry(&self, _h: KeyHash) {}

    /// The entry of `key`, whose hash is `h`.
    #[must_use]
    pub fn find(&self, key: &[u8], h: KeyHash) -> Option<Entry<'_>> {
        self.map.get(&(h, key.into())).map(Entry)
    }

    /// Visits about `count` entries from `cursor` on and returns where to go on; [`Cursor`] zero is the end.
    ///
    /// An entry that is present during a whole scan is visited at least once, however the table changes meanwhile.
    pub fn scan(&self, cursor: Cursor, count: usize, visit: &mut dyn FnMut(Entry<'_>)) -> Cursor {
        let from = (KeyHash(cursor.0 << 16), Box::default());
        let (mut seen, mut last) = (0, u64::MAX);
        for ((h, _), record) in self.map.range(from..) {
            if seen >= count && h.0 >> 16 != last {
                return Cursor(h.0 >> 16);
            }
            visit(Entry(record));
            seen += 1;
            last = h.0 >> 16;
        }
        Cursor(0)
    }

    /// A random entry, each about as likely; `None` if there is none.
    #[must_use]
    pub fn random(&self, rng: &mut Rng) -> Option<Entry<'_>> {
        let from = (KeyHash(rng.next_u64()), Box::default());
        self.map.range(from..).next().or_else(|| self.map.iter().next()).map(|(_, r)| Entry(r))
    }

    /// A random entry among those with an expiry.
    #[must_use]
    pub fn random_volatile(&self, rng: &mut Rng) -> Option<Entry<'_>> {
        let from = (KeyHash(rng.next_u64()), Box::default());
        self.map
            .range(from..)
            .map(|(_, r)| r)
            .find(|r| r.expiry.is_some())
            .or_else(|| self.map.values().find(|r| r.expiry.is_some()))
            .map(Entry)
    }
}

/// One database, for writing. Every change hands the entry's old form to the active snapshot first.
#[derive(Debug)]
pub struct DbMut<'k> {
    db: &'k mut Db,
    stamp: Stamp,
}

impl DbMut<'_> {
    /// The same database for reading.
    #[must_use]
    pub fn read(&self) -> &Db {
        self.db
    }

    /// Sets `key` to a string, whatever was there.
    pub fn set(&mut self, key: &[u8], h: KeyHash, value: StrValue<'_>, expiry: Expiry) -> Replaced {
        let value = match value.encoded() {
            StrValue::Int(n) => Value::Int(n),
            StrValue::Bytes(b) if Encoding::of_len(b.len()) == Encoding::Embstr => Value::Embstr(b.to_vec()),
            StrValue::Bytes(b) => Value::Raw(b.to_vec()),
        };
        self.put(key, h, value, expiry)
    }

    fn put(&mut self, key: &[u8], h: KeyHash, value: Value, expiry: Expiry) -> Replaced {
        let old = self.db.map.get(&(h, key.into()));
        let replaced = if old.is_some() { Replaced::Old } else { Replaced::Nothing };
        let old_expiry = old.and_then(|r| r.expiry);
        let access = match old {
            Some(r) if self.stamp.keep_on_overwrite => r.access.load(Ordering::Relaxed),
            _ => self.stamp.access.bits(),
        };
        let expiry = match expiry {
            Expiry::Keep => old_expiry,
            Expiry::Clear => None,
            Expiry::At(at) => Some(at),
        };
        self.db.expires += usize::from(expiry.is_some());
        self.db.expires -= usize::from(old_expiry.is_some());
        let record = Record { key: key.into(), value, expiry, access: AtomicU32::new(access) };
        self.db.map.insert((h, key.into()), record);
        replaced
    }

    /// Sets `key` to an integer and keeps its expiry (INCR); in place when it is stored as one already.
    pub fn set_int(&mut self, key: &[u8], h: KeyHash, n: i64) -> Replaced {
        self.put(key, h, Value::Int(n), Expiry::Keep)
    }

    /// Sets or removes the expiry; false if there is no such key.
    pub fn set_expiry(&mut self, key: &[u8], h: KeyHash, expiry: Option<UnixMs>) -> bool {
        let Some(record) = self.db.map.get_mut(&(h, key.into())) else { return false };
        self.db.expires += usize::from(expiry.is_some());
        self.db.expires -= usize::from(record.expiry.is_some());
        record.expiry = expiry;
        true
    }

    fn bytes(&self, key: &[u8], h: KeyHash) -> Option<Vec<u8>> {
        let entry = self.db.find(key, h)?;
        let ValueRef::Str(value) = entry.value();
        Some(value.as_bytes(&mut itoa::Buffer::new()).to_vec())
    }

    /// Appends to the string at `key`, which is created if missing, and returns the new length. Keeps the expiry.
    pub fn append(&mut self, key: &[u8], h: KeyHash, tail: &[u8]) -> usize {
        let Some(mut bytes) = self.bytes(key, h) else {
            self.set(key, h, StrValue::Bytes(tail), Expiry::Keep);
            return tail.len();
        };
        bytes.extend_from_slice(tail);
        let len = bytes.len();
        self.put(key, h, Value::Raw(bytes), Expiry::Keep);
        len
    }

    /// Overwrites the string at `key` from `offset` on, zero-filling a gap, and returns the new length. Keeps the
    /// expiry; creates a missing key; does nothing for empty `part`.
    pub fn set_range(&mut self, key: &[u8], h: KeyHash, offset: usize, part: &[u8]) -> usize {
        let old = self.bytes(key, h);
        if part.is_empty() {
            return old.map_or(0, |b| b.len());
        }
        let mut bytes = old.unwrap_or_default();
        let len = bytes.len().max(offset + part.len());
        bytes.resize(len, 0);
        bytes[offset..offset + part.len()].copy_from_slice(part);
        self.put(key, h, Value::Raw(bytes), Expiry::Keep);
        len
    }

    /// Removes `key`; false if it was not there.
    pub fn remove(&mut self, key: &[u8], h: KeyHash) -> bool {
        self.take(key, h).is_some()
    }

    /// Removes `key` and returns it, to read (GETDEL) or to drop elsewhere (UNLINK).
    pub fn take(&mut self, key: &[u8], h: KeyHash) -> Option<OwnedEntry> {
        let record = self.db.map.remove(&(h, key.into()))?;
        self.db.expires -= usize::from(record.expiry.is_some());
        Some(OwnedEntry(record))
    }

    /// Gives the entry at `from` the name `to`, replacing what is there, with value, expiry and access bits; false
    /// if `from` is missing. The same name for both changes nothing.
    pub fn rename(&mut self, from: &[u8], from_h: KeyHash, to: &[u8], to_h: KeyHash) -> bool {
        if from == to {
            return self.db.find(from, from_h).is_some();
        }
        let Some(OwnedEntry(mut record)) = self.take(from, from_h) else { return false };
        self.remove(to, to_h);
        record.key = to.into();
        self.db.expires += usize::from(record.expiry.is_some());
        self.db.map.insert((to_h, to.into()), record);
        true
    }
}

/// All databases.
#[derive(Debug)]
pub struct Keyspace {
    seed: Seed2,
    dbs: Vec<Db>,
    stamp: Stamp,
    snapshot: Option<Pending>,
}

#[derive(Debug)]
struct Seed2([u64; 2]);

#[derive(Debug)]
struct Pending {
    entries: Vec<(DbIndex, Record)>,
    emitted: u64,
    total: u64,
}

impl Keyspace {
    /// An empty keyspace of `databases` databases; `seed` is the secret of its hash.
    #[must_use]
    pub fn new(seed: [u64; 2], databases: u16) -> Keyspace {
        let dbs = (0..databases).map(|_| Db::default()).collect();
        Keyspace { seed: Seed2(seed), dbs, stamp: Stamp::default(), snapshot: None }
    }

    /// An empty keyspace with the same seed and number of databases, to load into and then [`Keyspace::replace`] this.
    #[must_use]
    pub fn new_like(&self) -> Keyspace {
        Keyspace::new(self.seed.0, self.databases())
    }

    /// The number of databases.
    #[must_use]
    pub fn databases(&self) -> u16 {
        u16::try_from(self.dbs.len()).unwrap_or(u16::MAX)
    }

    /// The hash of `key`, the same for all databases.
    #[must_use]
    pub fn hash(&self, key: &[u8]) -> KeyHash {
        Seed::new(self.seed.0).hash(key)
    }

    /// Database `index` for reading. Panics if there is no such database.
    #[must_use]
    pub fn db(&self, index: DbIndex) -> &Db {
        &self.dbs[index.index()]
    }

    /// Database `index` for writing. Panics if there is no such database.
    #[must_use]
    pub fn db_mut(&mut self, index: DbIndex) -> DbMut<'_> {
        DbMut { db: &mut self.dbs[index.index()], stamp: self.stamp }
    }

    /// What new entries are stamped with from now on.
    pub fn set_stamp(&mut self, stamp: Stamp) {
        self.stamp = stamp;
    }

    /// Keys in all databases.
    #[must_use]
    pub fn total_keys(&self) -> usize {
        self.dbs.iter().map(Db::len).sum()
    }

    /// An estimate of the bytes that data and tables occupy in the allocator, what an active snapshot keeps included.
    #[must_use]
    pub fn used_memory(&self) -> usize {
        self.dbs.iter().flat_map(|db| db.map.values()).map(|r| Entry(r).memory_usage()).sum()
    }

    /// Exchanges two databases (SWAPDB).
    pub fn swap(&mut self, a: DbIndex, b: DbIndex) {
        self.dbs.swap(a.index(), b.index());
    }

    /// Takes over the data of `other` (made by [`Keyspace::new_like`]) and returns the old data. An active snapshot
    /// goes on with the old data.
    pub fn replace(&mut self, other: Keyspace) -> Garbage {
        let garbage = self.flush_all();
        self.dbs = other.dbs;
        garbage
    }

    /// Empties one database.
    pub fn flush(&mut self, index: DbIndex) -> Garbage {
        Garbage(vec![std::mem::take(&mut self.dbs[index.index()]).map])
    }

    /// Empties all databases.
    pub fn flush_all(&mut self) -> Garbage {
        Garbage(self.dbs.iter_mut().map(|db| std::mem::take(db).map).collect())
    }

    /// Moves `key` from one database to another, expiry and all; false if it is missing there or present here (MOVE).
    pub fn move_key(&mut self, key: &[u8], h: KeyHash, from: DbIndex, to: DbIndex) -> bool {
        if self.db(to).find(key, h).is_some() {
            return false;
        }
        let Some(OwnedEntry(record)) = self.db_mut(from).take(key, h) else { return false };
        let db = &mut self.dbs[to.index()];
        db.expires += usize::from(record.expiry.is_some());
        db.map.insert((h, key.into()), record);
        true
    }

    /// Copies the entry `from` to `to`, expiry and all, replacing what is there; false if `from` is missing (COPY).
    pub fn copy_key(&mut self, from: (DbIndex, &[u8], KeyHash), to: (DbIndex, &[u8], KeyHash)) -> bool {
        let Some(Entry(record)) = self.db(from.0).find(from.1, from.2) else { return false };
        let mut record = record.clone();
        record.key = to.1.into();
        self.db_mut(to.0).remove(to.1, to.2);
        let db = &mut self.dbs[to.0.index()];
        db.expires += usize::from(record.expiry.is_some());
        db.map.insert((to.2, to.1.into()), record);
        true
    }

    /// One step of active expiry: looks at up to about `budget` entries with an expiry, goes on where the last step
    /// ended, and reports those whose time is before or at `now`. The node removes them through the log.
    pub fn expired(
        &mut self,
        index: DbIndex,
        now: UnixMs,
        budget: usize,
        report: &mut dyn FnMut(Entry<'_>),
    ) -> ExpireProgress {
        let mut progress = ExpireProgress { wrapped: true, ..ExpireProgress::default() };
        for record in self.dbs[index.index()].map.values().filter(|r| r.expiry.is_some()).take(budget) {
            progress.examined += 1;
            if record.expiry.is_some_and(|at| at <= now) {
                progress.expired += 1;
                report(Entry(record));
            }
        }
        progress
    }

    /// Starts a snapshot of the data as they are now. One that was active is given up.
    pub fn snapshot_begin(&mut self) {
        let mut entries = Vec::new();
        for (i, db) in self.dbs.iter().enumerate() {
            entries.extend(db.map.values().map(|r| (DbIndex(i as u16), r.clone())));
        }
        let total = entries.len() as u64;
        self.snapshot = Some(Pending { entries, emitted: 0, total });
    }

    /// Whether a snapshot is active.
    #[must_use]
    pub fn snapshot_active(&self) -> bool {
        self.snapshot.is_some()
    }

    /// Emits further entries of the snapshot, about `budget` bytes of keys and values; each entry exactly once, in its
    /// form at the beginning. Databases may alternate. `None` if no snapshot is active.
    pub fn snapshot_next(
        &mut self,
        budget: usize,
        emit: &mut dyn FnMut(DbIndex, Entry<'_>),
    ) -> Option<SnapshotProgress> {
        let pending = self.snapshot.as_mut()?;
        let mut bytes = 0;
        while bytes < budget {
            let Some((db, record)) = pending.entries.pop() else { break };
            bytes += Entry(&record).memory_usage();
            pending.emitted += 1;
            emit(db, Entry(&record));
        }
        let progress = SnapshotProgress {
            done: pending.entries.is_empty(),
            emitted: pending.emitted,
            total: pending.total,
        };
        if progress.done {
            self.snapshot = None;
        }
        Some(progress)
    }

    /// Gives up the active snapshot, if any.
    pub fn snapshot_abort(&mut self) -> Garbage {
        self.snapshot = None;
        Garbage(Vec::new())
    }

    /// The entries of each database at the beginning of the active snapshot, and how many have an expiry.
    #[must_use]
    pub fn snapshot_counts(&self) -> Vec<(DbIndex, u64, u64)> {
        (0..).map(DbIndex).zip(&self.dbs).map(|(i, db)| (i, db.len() as u64, db.expires as u64)).collect()
    }
}
