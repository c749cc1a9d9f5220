//! Writing to one database. All changes of data pass here, so that none can miss the snapshot.

use crate::access::Stamp;
use crate::db::Db;
use crate::entry::{Entry, Form, LONGEST_SHORT, OwnedEntry};
use crate::keyspace::Births;
use crate::object::{Object, Typed};
use crate::snapshot::{self, Snapshot, Stop};
use crate::value::{StrRef, StrValue, ValueRef};
use tanist_collections::table::Found;
use tanist_collections::{KeyHash, Policy, class};
use tanist_types::{DbIndex, UnixMs};

/// Strings that grow are given as much room again, up to this many bytes (as in Redis).
const MAX_SPARE: usize = 1 << 20;
/// What takes more deallocations than this is freed elsewhere (as Redis judges for UNLINK).
const MOST_EFFORT: usize = 64;

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

impl Expiry {
    #[inline]
    fn after(self, old: Option<UnixMs>) -> Option<UnixMs> {
        match self {
            Expiry::Keep => old,
            Expiry::Clear => None,
            Expiry::At(at) => Some(at),
        }
    }
}

/// What to do about a key, judged by what is there; see [`DbMut::update`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change<'v> {
    /// Nothing.
    Leave,
    /// Remove the entry.
    Remove,
    /// Set a string; a missing key is created.
    Set(StrValue<'v>, Expiry),
    /// Set an integer and keep the expiry; a missing key is created.
    SetInt(i64),
    /// Set or remove the expiry of the entry.
    SetExpiry(Option<UnixMs>),
}

/// Whether a write found something in its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replaced {
    /// The key is new.
    Nothing,
    /// The key existed.
    Old,
}

/// What [`DbMut::edit`] does about a key that is not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missing {
    /// Nothing.
    Leave,
    /// An empty collection is changed, and kept unless it is still empty afterwards.
    Create,
}

/// What [`DbMut::edit`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Edit<R> {
    /// The collection was changed.
    Done(Edited<R>),
    /// There is no such key.
    Missing,
    /// The value is of another type.
    WrongType,
    /// The caller does not want to use the entry (it is past its time).
    Unusable,
}

/// A change that [`DbMut::edit`] made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Edited<R> {
    /// What the change returned.
    pub result: R,
    /// The key is new.
    pub created: bool,
    /// Nothing was left, and the key is gone (or was never there).
    pub emptied: bool,
}

/// One database, for writing. Every change hands the entry's old form to the active snapshot first.
#[derive(Debug)]
pub struct DbMut<'k> {
    pub(crate) db: &'k mut Db,
    pub(crate) index: DbIndex,
    pub(crate) snapshot: &'k mut Option<Snapshot>,
    pub(crate) waste: &'k mut Vec<OwnedEntry>,
    pub(crate) policy: &'k Policy,
    pub(crate) stamp: Stamp,
    pub(crate) births: &'k mut Option<Births>,
}

impl DbMut<'_> {
    /// The same database for reading.
    #[must_use]
    pub fn read(&self) -> &Db {
        self.db
    }

    /// Sets `key` to a string, whatever was there. In place if the size class stays the same.
    #[inline]
    pub fn set(&mut self, key: &[u8], h: KeyHash, value: StrValue<'_>, expiry: Expiry) -> Replaced {
        self.put(key, h, Form::of(value), expiry)
    }

    /// Sets `key` to an integer and keeps its expiry (INCR); in place if it is stored as one already.
    pub fn set_int(&mut self, key: &[u8], h: KeyHash, n: i64) -> Replaced {
        self.put(key, h, Form::Int(n), Expiry::Keep)
    }

    #[inline]
    fn put(&mut self, key: &[u8], h: KeyHash, form: Form<'_>, expiry: Expiry) -> Replaced {
        let Some(found) = self.db.store.locate(key, h) else {
            self.add(h, OwnedEntry::new(key, form, expiry.after(None), self.stamp.access));
            return Replaced::Nothing;
        };
        self.put_at(h, found, form, expiry);
        Replaced::Old
    }

    #[inline]
    fn put_at(&mut self, h: KeyHash, found: Found, form: Form<'_>, expiry: Expiry) {
        let old = self.db.store.at(h, found);
        let access = self.stamp.over(old.access());
        let expiry = expiry.after(old.expiry());
        match awaited(self.db.stop, self.snapshot, h) {
            None => {
                if let Some(old) = self.db.store.overwrite(h, found, form, expiry, access) {
                    discard(self.snapshot, self.waste, old);
                }
            }
            Some((stop, snapshot)) => {
                let new = OwnedEntry::new(old.key(), form, expiry, access);
                snapshot.save(stop, h, self.db.store.replace(h, found, new));
            }
        }
    }

    /// An integer in the place of what is there, which most often is one itself.
    #[inline]
    fn put_int_at(&mut self, h: KeyHash, found: Found, n: i64) {
        let access = self.stamp.over(self.db.store.at(h, found).access());
        if awaited(self.db.stop, self.snapshot, h).is_some() || !self.db.store.overwrite_int(found, n, access)
        {
            self.put_at(h, found, Form::Int(n), Expiry::Keep);
        }
    }

    /// Lets `decide` judge what is at `key` and does what it says, all with one look-up.
    #[inline]
    pub fn update<'v>(
        &mut self,
        key: &[u8],
        h: KeyHash,
        decide: impl FnOnce(Option<Entry<'_>>) -> Change<'v>,
    ) {
        let Some(found) = self.db.store.locate(key, h) else {
            let form = match decide(None) {
                Change::Set(value, expiry) => (Form::of(value), expiry),
                Change::SetInt(n) => (Form::Int(n), Expiry::Clear),
                Change::Leave | Change::Remove | Change::SetExpiry(_) => return,
            };
            return self.add(h, OwnedEntry::new(key, form.0, form.1.after(None), self.stamp.access));
        };
        match decide(Some(self.db.store.at(h, found))) {
            Change::Leave => {}
            Change::Remove => self.remove_at(h, found),
            Change::Set(value, expiry) => self.put_at(h, found, Form::of(value), expiry),
            Change::SetInt(n) => self.put_int_at(h, found, n),
            Change::SetExpiry(expiry) => self.set_expiry_at(h, found, expiry),
        }
    }

    /// The active snapshot, if an entry with this hash is still to be saved for it.
    #[inline]
    fn awaited(&mut self, h: KeyHash) -> Option<(Stop, &mut Snapshot)> {
        awaited(self.db.stop, self.snapshot, h)
    }

    /// Adds an entry whose key is not there.
    #[inline]
    pub(crate) fn add(&mut self, h: KeyHash, entry: OwnedEntry) {
        if let Some((stop, snapshot)) = self.awaited(h) {
            snapshot.born(stop, h);
        }
        if let Some(births) = self.births {
            births.push((self.index, entry.entry().key().into()));
        }
        self.db.store.insert(h, entry);
    }

    /// Sets or removes the expiry; false if there is no such key.
    pub fn set_expiry(&mut self, key: &[u8], h: KeyHash, expiry: Option<UnixMs>) -> bool {
        let Some(found) = self.db.store.locate(key, h) else { return false };
        self.set_expiry_at(h, found, expiry);
        true
    }

    fn set_expiry_at(&mut self, h: KeyHash, found: Found, expiry: Option<UnixMs>) {
        if self.db.store.at(h, found).expiry() == expiry {
            return;
        }
        self.divide(h, found);
        let old = self.db.store.at(h, found);
        match awaited(self.db.stop, self.snapshot, h) {
            None => self.db.store.set_expiry(h, found, expiry),
            Some((stop, snapshot)) => {
                let new = old.copy(old.key(), expiry);
                snapshot.save(stop, h, self.db.store.replace(h, found, new));
            }
        }
    }

    /// Hands an entry in if the snapshot waits for it and it is a large collection; it may be changed then.
    #[inline]
    fn divide(&mut self, h: KeyHash, found: Found) {
        let Some((stop, snapshot)) = awaited(self.db.stop, self.snapshot, h) else { return };
        if snapshot.is_large(self.db.store.at(h, found)) {
            let now = self.index;
            self.db.store.edit(h, found, |entry| snapshot.divide(stop, h, now, entry));
        }
    }

    /// Saves what the snapshot waits for before an entry is changed where it is.
    #[inline]
    fn keep(&mut self, h: KeyHash, found: Found) {
        let Some((stop, snapshot)) = awaited(self.db.stop, self.snapshot, h) else { return };
        let entry = self.db.store.at(h, found);
        if snapshot.is_large(entry) {
            self.divide(h, found);
        } else {
            snapshot.save(stop, h, entry.duplicate());
        }
    }

    /// Appends to the string at `key`, which is created if missing, and returns the new length. Keeps the expiry.
    /// Panics if there is a value of another type.
    pub fn append(&mut self, key: &[u8], h: KeyHash, tail: &[u8]) -> usize {
        let Some(found) = self.db.store.locate(key, h) else {
            self.put(key, h, Form::of(StrValue::Bytes(tail)), Expiry::Keep);
            return tail.len();
        };
        let from = str_of(self.db.store.at(h, found)).len();
        self.change(h, found, from, tail)
    }

    /// Overwrites the string at `key` from `offset` on, zero-filling a gap, and returns the new length. Keeps the
    /// expiry; creates a missing key; does nothing for empty `part`. The caller bounds `offset` (`proto-max-bulk-len`).
    /// Panics if there is a value of another type.
    pub fn set_range(&mut self, key: &[u8], h: KeyHash, offset: usize, part: &[u8]) -> usize {
        let found = self.db.store.locate(key, h);
        if part.is_empty() {
            return found.map_or(0, |found| str_of(self.db.store.at(h, found)).len());
        }
        let Some(found) = found else {
            let len = offset + part.len();
            // It gets room to grow when it grows, as in Redis.
            let mut bytes = Vec::with_capacity(if len > LONGEST_SHORT { class(len) } else { len });
            write_at(&mut bytes, offset, part);
            let form = match len > LONGEST_SHORT {
                true => Form::Long(std::mem::take(&mut bytes)),
                false => Form::Modified(&bytes),
            };
            self.put(key, h, form, Expiry::Keep);
            return len;
        };
        self.change(h, found, offset, part)
    }

    /// Writes `part` at `offset` of an existing string.
    fn change(&mut self, h: KeyHash, found: Found, offset: usize, part: &[u8]) -> usize {
        let entry = self.db.store.at(h, found);
        let value = str_of(entry);
        if entry.is_long() || offset + part.len() <= value.len() && !matches!(value, StrRef::Int(_)) {
            self.keep(h, found);
            return self.db.store.edit(h, found, |entry| write_in_place(entry, offset, part));
        }
        let mut buffer = itoa::Buffer::new();
        let old = value.as_bytes(&mut buffer);
        let mut bytes = Vec::with_capacity(old.len().max(offset + part.len()));
        bytes.extend_from_slice(old);
        write_at(&mut bytes, offset, part);
        let len = bytes.len();
        self.put_at(h, found, modified(&mut bytes), Expiry::Keep);
        len
    }

    /// Removes `key`; false if it was not there.
    pub fn remove(&mut self, key: &[u8], h: KeyHash) -> bool {
        let Some(found) = self.db.store.locate(key, h) else { return false };
        self.remove_at(h, found);
        true
    }

    #[inline]
    fn remove_at(&mut self, h: KeyHash, found: Found) {
        let old = self.db.store.remove(h, found);
        match self.awaited(h) {
            Some((stop, snapshot)) => snapshot.save(stop, h, old),
            None => discard(self.snapshot, self.waste, old),
        }
    }

    /// Removes `key` and returns it. A large collection that a snapshot still needs is copied.
    pub fn take(&mut self, key: &[u8], h: KeyHash) -> Option<OwnedEntry> {
        let old = self.uproot(key, h)?;
        let copy = snapshot::tracker(old.entry()).map(|_| old.entry().duplicate());
        let Some(copy) = copy else { return Some(old) };
        discard(self.snapshot, self.waste, old);
        Some(copy)
    }

    /// Removes `key` and returns it, to be handed to [`DbMut::settle`] under whatever name and in whatever database.
    pub(crate) fn uproot(&mut self, key: &[u8], h: KeyHash) -> Option<OwnedEntry> {
        let found = self.db.store.locate(key, h)?;
        self.divide(h, found);
        let old = self.db.store.remove(h, found);
        let Some((stop, snapshot)) = self.awaited(h) else { return Some(old) };
        let copy = old.entry().duplicate();
        snapshot.save(stop, h, old);
        Some(copy)
    }

    /// Adds an entry that [`DbMut::uproot`] has returned, and whose key is not there.
    pub(crate) fn settle(&mut self, h: KeyHash, entry: OwnedEntry) {
        if let Some(snapshot) = self.snapshot
            && let Some(id) = snapshot::tracker(entry.entry())
        {
            snapshot.moved(id, self.index, h, entry.entry().key());
        }
        self.add(h, entry);
    }

    /// Sets `key` to a collection, whatever was there. An empty one may only be a stream.
    pub fn set_object(
        &mut self,
        key: &[u8],
        h: KeyHash,
        object: impl Into<Object>,
        expiry: Expiry,
    ) -> Replaced {
        self.put(key, h, Form::Object(object.into()), expiry)
    }

    /// Lets `change` work on the collection at `key`, all with one look-up; see [`Edit`] and [`Edited`]. Keeps the expiry.
    /// A collection that is left empty is removed, unless `T` is the stream.
    #[inline]
    pub fn edit<T: Typed, R>(
        &mut self,
        key: &[u8],
        h: KeyHash,
        missing: Missing,
        usable: impl FnOnce(Entry<'_>) -> bool,
        change: impl FnOnce(&mut T, &Policy) -> R,
    ) -> Edit<R> {
        let Some(found) = self.db.store.locate(key, h) else {
            if missing == Missing::Leave {
                return Edit::Missing;
            }
            let mut value = T::default();
            let result = change(&mut value, self.policy);
            let emptied = value.is_empty() && !T::MAY_BE_EMPTY;
            if !emptied {
                self.add(h, OwnedEntry::new(key, Form::Object(value.into()), None, self.stamp.access));
            }
            return Edit::Done(Edited { result, created: !emptied, emptied });
        };
        let entry = self.db.store.at(h, found);
        if !usable(entry) {
            return Edit::Unusable;
        }
        if T::of(entry.value()).is_none() {
            return Edit::WrongType;
        }
        self.keep(h, found);
        let tracker = self.tracker(h, found);
        let policy = self.policy;
        let (result, emptied) = self.db.store.edit(h, found, |entry| {
            let Some(value) = entry.collection_mut::<T>() else { unreachable!("seen above") };
            let result = change(value, policy);
            (result, value.is_empty() && !T::MAY_BE_EMPTY)
        });
        if let Some((snapshot, id)) = self.snapshot.as_mut().zip(tracker) {
            let changed = self.db.store.at(h, found);
            debug_assert_eq!(snapshot::tracker(changed), tracker, "what is tracked is changed, not replaced");
            snapshot.note_bytes(id, snapshot::tracker_bytes(changed));
        }
        if emptied {
            self.remove_at(h, found);
        }
        Edit::Done(Edited { result, created: false, emptied })
    }

    /// The number under which the snapshot, if there is one, tracks the collection of an entry.
    #[inline]
    fn tracker(&self, h: KeyHash, found: Found) -> Option<u64> {
        self.snapshot.as_ref().and_then(|_| snapshot::tracker(self.db.store.at(h, found)))
    }

    /// Gives the entry at `from` the name `to`, replacing what is there, with value, expiry and access bits; false
    /// if `from` is missing. The same name for both changes nothing.
    pub fn rename(&mut self, from: &[u8], from_h: KeyHash, to: &[u8], to_h: KeyHash) -> bool {
        if from == to {
            return self.db.store.locate(from, from_h).is_some();
        }
        let Some(entry) = self.uproot(from, from_h) else { return false };
        self.remove(to, to_h);
        self.settle(to_h, entry.with_key(to));
        true
    }
}

/// The string of an entry that the caller knows to be one.
fn str_of(entry: Entry<'_>) -> StrRef<'_> {
    match entry.value() {
        ValueRef::Str(value) => value,
        other => panic!("a string was expected, not {other:?}"),
    }
}

/// Hands an entry to the snapshot if that tracks it; or else frees it, now if that is quick.
#[inline]
fn discard(snapshot: &mut Option<Snapshot>, waste: &mut Vec<OwnedEntry>, entry: OwnedEntry) {
    if let Some(snapshot) = snapshot
        && let Some(id) = snapshot::tracker(entry.entry())
    {
        snapshot.take_over(id, entry);
    } else if entry.entry().effort() > MOST_EFFORT {
        waste.push(entry);
    }
}

#[inline]
fn awaited(stop: Option<Stop>, snapshot: &mut Option<Snapshot>, h: KeyHash) -> Option<(Stop, &mut Snapshot)> {
    let snapshot = snapshot.as_mut()?;
    let stop = stop?;
    snapshot.awaits(stop, h).then_some((stop, snapshot))
}

/// Writes `part` at `offset`, zero-filling a gap.
fn write_at(bytes: &mut Vec<u8>, offset: usize, part: &[u8]) {
    let end = offset + part.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(part);
}

/// Makes room for `len` bytes and, if that needs a new allocation, as much again (as in Redis).
fn grow(bytes: &mut Vec<u8>, len: usize) {
    if len > bytes.capacity() {
        let capacity = class(len + len.min(MAX_SPARE));
        bytes.reserve_exact(capacity - bytes.len());
    }
}

/// The form of a string that was not set as a whole; a long one moves out of `bytes` and gets room to grow.
fn modified(bytes: &mut Vec<u8>) -> Form<'_> {
    if bytes.len() <= LONGEST_SHORT {
        return Form::Modified(bytes);
    }
    let len = bytes.len();
    grow(bytes, len + 1);
    Form::Long(std::mem::take(bytes))
}

fn write_in_place(entry: &mut OwnedEntry, offset: usize, part: &[u8]) -> usize {
    let end = offset + part.len();
    let long = entry.with_long(|bytes| {
        grow(bytes, end);
        write_at(bytes, offset, part);
        bytes.len()
    });
    long.unwrap_or_else(|| {
        let Some(bytes) = entry.short_mut() else { unreachable!("an integer is not changed in place") };
        bytes[offset..end].copy_from_slice(part);
        bytes.len()
    })
}
