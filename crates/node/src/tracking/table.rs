//! Who has read which key, and who listens to which prefix.

use super::{By, Pending};
use crate::session::SessionId;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Most keys have one reader, so a list of readers is as small as one.
#[derive(Debug)]
enum Readers {
    One(SessionId),
    #[allow(clippy::box_collection, reason = "a word less in the table for every key")]
    Many(Box<Vec<SessionId>>),
}

impl Readers {
    fn as_slice(&self) -> &[SessionId] {
        match self {
            Readers::One(id) => std::slice::from_ref(id),
            Readers::Many(ids) => ids,
        }
    }

    /// Adds a reader; whether it is a new one.
    fn add(&mut self, id: SessionId) -> bool {
        match self {
            Readers::One(known) if *known == id => return false,
            Readers::One(known) => *self = Readers::Many(Box::new(vec![*known, id])),
            Readers::Many(ids) => match ids.binary_search(&id) {
                Ok(_) => return false,
                Err(at) => ids.insert(at, id),
            },
        }
        if let Readers::Many(ids) = self {
            ids.sort_unstable();
        }
        true
    }
}

/// What a key occupies in the table beside its bytes and its readers, its share of free room included.
const KEY_OVERHEAD: usize = 56;

/// Changed keys, each with who changed it last.
pub(crate) type Changes = BTreeMap<Box<[u8]>, By>;

#[derive(Debug, Default)]
struct Prefix {
    listeners: Vec<SessionId>,
    changes: Changes,
}

/// The state of client-side caching.
#[derive(Debug, Default)]
pub(crate) struct Table {
    readers: BTreeMap<Box<[u8]>, Readers>,
    /// Readers of all keys together.
    items: usize,
    /// Bytes of the keys.
    names: usize,
    /// Where the last key was that had to go because there were too many.
    cursor: Box<[u8]>,
    prefixes: BTreeMap<Box<[u8]>, Prefix>,
    changed: bool,
    /// Sessions that track.
    pub(crate) clients: usize,
    /// Messages that wait for the end of the running command.
    pub(crate) pending: Vec<Pending>,
}

impl Table {
    /// Whether a change of a key might have to be told.
    #[inline]
    pub(crate) fn is_watching(&self) -> bool {
        !(self.readers.is_empty() && self.prefixes.is_empty())
    }

    #[inline]
    pub(crate) fn has_changes(&self) -> bool {
        self.changed
    }

    #[inline]
    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The number of keys that somebody has read.
    pub(crate) fn keys(&self) -> usize {
        self.readers.len()
    }

    /// The number of their readers, one who has read several counted for each.
    pub(crate) fn items(&self) -> usize {
        self.items
    }

    /// About what the keys and their readers occupy.
    pub(crate) fn memory(&self) -> usize {
        self.names + self.readers.len() * KEY_OVERHEAD + self.items * size_of::<SessionId>()
    }

    /// The number of prefixes that somebody listens to.
    pub(crate) fn prefixes(&self) -> usize {
        self.prefixes.len()
    }

    pub(super) fn remember(&mut self, key: &[u8], id: SessionId) {
        let added = match self.readers.get_mut(key) {
            Some(readers) => readers.add(id),
            None => {
                self.names += key.len();
                self.readers.insert(key.into(), Readers::One(id)).is_none()
            }
        };
        self.items += usize::from(added);
    }

    /// Takes a key out; its readers, if it was in.
    pub(super) fn take(&mut self, key: &[u8]) -> Option<Vec<SessionId>> {
        let readers = self.readers.remove(key)?;
        self.names -= key.len();
        self.items -= readers.as_slice().len();
        Some(readers.as_slice().to_vec())
    }

    /// Takes some key out, by and by each.
    pub(super) fn take_next(&mut self) -> Option<(Box<[u8]>, Vec<SessionId>)> {
        let behind = (Bound::Excluded(&*self.cursor), Bound::Unbounded);
        let next = self.readers.range::<[u8], _>(behind).next().or_else(|| self.readers.iter().next());
        let key = next.map(|(key, _)| key.clone())?;
        let readers = self.take(&key)?;
        self.cursor.clone_from(&key);
        Some((key, readers))
    }

    pub(super) fn forget_all(&mut self) {
        self.readers.clear();
        self.items = 0;
        self.names = 0;
    }

    /// Notes a change for who listens to its prefix.
    pub(super) fn note_change(&mut self, key: &[u8], by: By) {
        for (prefix, of_prefix) in &mut self.prefixes {
            if key.starts_with(prefix) {
                of_prefix.changes.insert(key.into(), by);
                self.changed = true;
            }
        }
    }

    /// The changes since they were taken last, with who listens.
    pub(super) fn take_changes(&mut self) -> Vec<(Vec<SessionId>, Changes)> {
        self.changed = false;
        let changed = self.prefixes.values_mut().filter(|p| !p.changes.is_empty());
        changed.map(|p| (p.listeners.clone(), std::mem::take(&mut p.changes))).collect()
    }

    pub(crate) fn join(&mut self, prefix: &[u8], id: SessionId) {
        let listeners = &mut self.prefixes.entry(prefix.into()).or_default().listeners;
        if !listeners.contains(&id) {
            listeners.push(id);
        }
    }

    pub(super) fn leave(&mut self, prefix: &[u8], id: SessionId) {
        if let Some(of_prefix) = self.prefixes.get_mut(prefix) {
            of_prefix.listeners.retain(|&other| other != id);
            if of_prefix.listeners.is_empty() {
                self.prefixes.remove(prefix);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_are_counted_once_for_each_key() {
        let mut table = Table::default();
        for (key, id) in [("a", 3), ("a", 1), ("a", 3), ("a", 2), ("b", 1), ("b", 1)] {
            table.remember(key.as_bytes(), SessionId(id));
        }
        assert_eq!((table.keys(), table.items()), (2, 4));
        assert_eq!(table.take(b"a"), Some(vec![SessionId(1), SessionId(2), SessionId(3)]));
        assert_eq!((table.keys(), table.items()), (1, 1));
        assert_eq!(table.take(b"a"), None);
        assert!(table.is_watching());
        table.take(b"b");
        assert!(!table.is_watching());
    }

    #[test]
    fn every_key_has_its_turn_to_go() {
        let mut table = Table::default();
        for key in ["a", "b", "c"] {
            table.remember(key.as_bytes(), SessionId(1));
        }
        let gone = |table: &mut Table| table.take_next().map(|(key, _)| key[0]);
        assert_eq!((gone(&mut table), gone(&mut table)), (Some(b'a'), Some(b'b')));
        table.remember(b"a", SessionId(1));
        assert_eq!((gone(&mut table), gone(&mut table), gone(&mut table)), (Some(b'c'), Some(b'a'), None));
    }
}
