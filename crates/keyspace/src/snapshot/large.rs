//! Large collections on their way into a snapshot, one after the other, piece by piece.
//!
//! Once the snapshot has come to a large collection, or it is about to be changed ahead of that, its entry counts as
//! emitted for the walk over keys, and the rest is settled here. A list or stream is frozen: the snapshot has one of its
//! own, which shares the nodes. A set, hash or sorted set stays where it is and is tracked: its table hands on the old
//! forms of elements. If its entry is renamed or moved, the new place is noted; if it is removed in whatever way, the
//! snapshot takes it over.
//!
//! Invariant: whoever has a [`Place::Live`] finds a tracked collection of that number there.

use super::part::{
    Head, Outline, Piece, SnapshotPart, freeze, node_outline, show_nodes, show_table, table_outline,
    tracked_mut, tracker_bytes,
};
use crate::db::Db;
use crate::entry::OwnedEntry;
use crate::store::Store;
use std::collections::BTreeMap;
use tanist_collections::{KeyHash, Remains, Shown};
use tanist_types::{DbIndex, UnixMs};

/// See the module's comment.
#[derive(Debug, Default)]
pub(super) struct Larges {
    /// By their numbers; the first may have been begun.
    all: BTreeMap<u64, Large>,
    last: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Large {
    /// The database and the entry's key and expiry at the beginning.
    db: DbIndex,
    key: Box<[u8]>,
    expiry: Option<UnixMs>,
    /// What the beginning of a table was; `None` if there are nodes instead.
    table: Option<Outline<'static>>,
    place: Place,
    begun: bool,
    /// Nodes that have been emitted.
    nodes: usize,
    /// What it counts for in [`Larges::bytes`].
    bytes: usize,
}

/// Where the collection is.
#[derive(Debug)]
enum Place {
    /// In the keyspace.
    Live(DbIndex, KeyHash, Box<[u8]>),
    /// Here.
    Held(OwnedEntry),
}

impl Larges {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Bytes that only the snapshot holds. Nodes of frozen collections that have changed since are not among them.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Collections that are in the keyspace and tracked there.
    pub(super) fn tracked(&self) -> usize {
        self.all.len() - self.held()
    }

    /// Entries that only the snapshot holds.
    pub(super) fn held(&self) -> usize {
        self.all.values().filter(|large| matches!(large.place, Place::Held(_))).count()
    }

    /// Takes over an entry of which nobody else knows; it belonged to database `db` at the beginning.
    pub(super) fn hold(&mut self, db: DbIndex, mut entry: OwnedEntry) {
        let id = self.next_id();
        if let Some(table) = tracked_mut(&mut entry) {
            table.track(id);
        }
        let bytes = entry.entry().allocated() + tracker_bytes(entry.entry());
        self.hold_counted(id, db, entry, bytes);
    }

    /// Remembers the collection of an entry that goes on living; `now` is where that is.
    pub(super) fn divide(&mut self, db: DbIndex, now: DbIndex, h: KeyHash, entry: &mut OwnedEntry) {
        let id = self.next_id();
        if let Some((frozen, bytes)) = freeze(entry) {
            return self.hold_counted(id, db, frozen, bytes);
        }
        let Some(table) = tracked_mut(entry) else { unreachable!("a large collection has nodes or a table") };
        table.track(id);
        let view = entry.entry();
        let place = Place::Live(now, h, view.key().into());
        let (key, expiry, table) = (view.key().into(), view.expiry(), table_outline(view));
        let bytes = tracker_bytes(view);
        self.add(id, Large { db, key, expiry, table, place, begun: false, nodes: 0, bytes });
    }

    /// Takes up what the walk has found of database `db`: in the store of database `now`, or in one that is the
    /// snapshot's alone.
    pub(super) fn find(
        &mut self,
        store: &mut Store,
        now: Option<DbIndex>,
        db: DbIndex,
        (h, key): (KeyHash, &[u8]),
    ) {
        let Some(found) = store.locate(key, h) else { unreachable!("the walk has just seen it") };
        match now {
            Some(now) => store.edit(h, found, |entry| self.divide(db, now, h, entry)),
            None => {
                let entry = store.remove(h, found);
                self.hold(db, entry);
            }
        }
    }

    fn hold_counted(&mut self, id: u64, db: DbIndex, entry: OwnedEntry, bytes: usize) {
        let view = entry.entry();
        let (key, expiry, table) = (view.key().into(), view.expiry(), table_outline(view));
        let place = Place::Held(entry);
        self.add(id, Large { db, key, expiry, table, place, begun: false, nodes: 0, bytes });
    }

    fn add(&mut self, id: u64, large: Large) {
        self.bytes += large.bytes;
        self.all.insert(id, large);
    }

    fn next_id(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Takes over the entry of a tracked collection that has been removed.
    pub(super) fn take_over(&mut self, id: u64, entry: OwnedEntry) {
        let Some(large) = self.all.get_mut(&id) else { unreachable!("a tracked collection is known") };
        let bytes = entry.entry().allocated() + tracker_bytes(entry.entry());
        large.place = Place::Held(entry);
        self.bytes = self.bytes + bytes - large.bytes;
        large.bytes = bytes;
    }

    /// Notes where the entry of a tracked collection is now.
    pub(super) fn moved(&mut self, id: u64, db: DbIndex, h: KeyHash, key: &[u8]) {
        let Some(large) = self.all.get_mut(&id) else { unreachable!("a tracked collection is known") };
        large.place = Place::Live(db, h, key.into());
    }

    /// Notes what is remembered of a tracked collection, which has been changed.
    pub(super) fn note_bytes(&mut self, id: u64, bytes: usize) {
        if let Some(large) = self.all.get_mut(&id) {
            self.bytes = self.bytes + bytes - large.bytes;
            large.bytes = bytes;
        }
    }

    /// Notes that two databases have changed places.
    pub(super) fn swap(&mut self, a: DbIndex, b: DbIndex) {
        for large in self.all.values_mut() {
            if let Place::Live(db, ..) = &mut large.place {
                *db = match *db {
                    db if db == a => b,
                    db if db == b => a,
                    db => db,
                };
            }
        }
    }

    /// Takes the entries that are in a database out of its store, which is given up.
    pub(super) fn claim(&mut self, db: DbIndex, store: &mut Store) {
        let mut claimed = Vec::new();
        for (&id, large) in &self.all {
            if let Place::Live(at, h, key) = &large.place
                && *at == db
                && let Some(found) = store.locate(key, *h)
            {
                claimed.push((id, store.remove(*h, found)));
            }
        }
        claimed.into_iter().for_each(|(id, entry)| self.take_over(id, entry));
    }

    /// Leaves the collections that go on living to themselves; what that frees.
    pub(super) fn untrack(&mut self, dbs: &mut [Db]) -> Vec<Remains> {
        let mut remains = Vec::new();
        for large in self.all.values() {
            if let Place::Live(db, h, key) = &large.place
                && let store = &mut dbs[db.index()].store
                && let Some(found) = store.locate(key, *h)
            {
                let untracked = store.edit(*h, found, |entry| tracked_mut(entry)?.untrack());
                remains.extend(untracked);
            }
        }
        remains
    }

    /// Emits pieces of about `budget` bytes, one collection after the other, or only of one that has been begun; what is
    /// left of the budget. Entries that are done and were held go to `waste`; `emitted` counts all that are done.
    pub(super) fn emit(
        &mut self,
        dbs: &mut [Db],
        budget: usize,
        only_begun: bool,
        emit: &mut dyn FnMut(DbIndex, SnapshotPart<'_>),
        (waste, emitted): (&mut Vec<OwnedEntry>, &mut u64),
    ) -> usize {
        let mut left = budget;
        while left > 0
            && let Some(mut first) = self.all.first_entry()
            && (first.get().begun || !only_begun)
        {
            let large = first.get_mut();
            let db = large.db;
            if !large.begun {
                large.begun = true;
                left = left.saturating_sub(large.key.len() + 16);
                emit(db, SnapshotPart::Begin(large.head()));
            }
            let (shown, bytes) = large.show(dbs, left, &mut |piece| emit(db, SnapshotPart::Piece(piece)));
            self.bytes = self.bytes + bytes - large.bytes;
            large.bytes = bytes;
            left = shown.left;
            if shown.over {
                let large = first.remove();
                emit(db, SnapshotPart::End(large.head().outline));
                *emitted += 1;
                self.bytes -= large.bytes;
                if let Place::Held(entry) = large.place {
                    waste.push(entry);
                }
            }
        }
        left
    }
}

impl Large {
    fn head(&self) -> Head<'_> {
        let nodes = match &self.place {
            Place::Held(entry) => node_outline(entry.entry()),
            Place::Live(..) => None,
        };
        let Some(outline) = self.table.or(nodes) else { unreachable!("what has no table is held") };
        Head { key: &self.key, expiry: self.expiry, outline }
    }

    /// Shows further pieces; how far that came, and what the collection counts for afterwards.
    fn show(&mut self, dbs: &mut [Db], budget: usize, see: &mut dyn FnMut(Piece<'_>)) -> (Shown, usize) {
        match (&mut self.place, self.table) {
            (Place::Held(entry), None) => {
                (show_nodes(entry.entry(), &mut self.nodes, budget, see), self.bytes)
            }
            (Place::Held(entry), Some(outline)) => {
                let shown = show_table(entry, outline, budget, see);
                (shown, entry.entry().allocated() + tracker_bytes(entry.entry()))
            }
            (Place::Live(db, h, key), Some(outline)) => {
                let store = &mut dbs[db.index()].store;
                let Some(found) = store.locate(key, *h) else { unreachable!("by the invariant it is there") };
                store.edit(*h, found, |entry| {
                    let shown = show_table(entry, outline, budget, see);
                    (shown, tracker_bytes(entry.entry()))
                })
            }
            (Place::Live(..), None) => unreachable!("what has no table is held"),
        }
    }
}
