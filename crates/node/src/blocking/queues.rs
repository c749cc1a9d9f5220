//! Who waits for which key: one queue for each key, in the order in which the sessions began to wait.
//!
//! Queues and their places live in slabs and name each other by number, so that a session leaves each of its queues in
//! constant time and a key is stored once.

use crate::session::SessionId;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;
use tanist_types::DbIndex;

/// Numbers values, and uses the numbers of removed ones again.
#[derive(Debug)]
struct Slab<T> {
    values: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Slab<T> {
        Slab { values: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    fn add(&mut self, value: T) -> u32 {
        if let Some(number) = self.free.pop() {
            self.values[number as usize] = Some(value);
            return number;
        }
        self.values.push(Some(value));
        (self.values.len() - 1) as u32
    }

    fn take(&mut self, number: u32) -> Option<T> {
        let value = self.values.get_mut(number as usize)?.take()?;
        self.free.push(number);
        Some(value)
    }

    fn get(&self, number: u32) -> Option<&T> {
        self.values.get(number as usize)?.as_ref()
    }

    fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.values.get_mut(number as usize)?.as_mut()
    }

    fn len(&self) -> usize {
        self.values.len() - self.free.len()
    }

    fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.values.iter().enumerate().filter_map(|(i, value)| Some((i as u32, value.as_ref()?)))
    }
}

/// Names a queue. The number of one that is gone may come to mean another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct QueueId(u32);

/// Names the place of a session in a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct PlaceId(u32);

#[derive(Debug)]
struct Queue {
    db: DbIndex,
    key: Box<[u8]>,
    first: PlaceId,
    last: PlaceId,
    /// Those in it that also want to know when the key is gone.
    for_gone: usize,
    /// It is on the list of those whose key has changed.
    ready: bool,
}

#[derive(Debug)]
struct Place {
    session: SessionId,
    queue: QueueId,
    for_gone: bool,
    before: Option<PlaceId>,
    after: Option<PlaceId>,
}

/// All queues.
#[derive(Debug, Default)]
pub(super) struct Queues {
    hasher: DefaultHashBuilder,
    by_key: HashTable<u32>,
    queues: Slab<Queue>,
    places: Slab<Place>,
    /// Queues with somebody who also wants to know when the key is gone.
    for_gone: usize,
}

impl Queues {
    /// The number of keys that somebody waits for.
    pub(super) fn len(&self) -> usize {
        self.queues.len()
    }

    /// The number of keys whose end somebody waits for as well.
    pub(super) fn len_for_gone(&self) -> usize {
        self.for_gone
    }

    fn hash(&self, db: DbIndex, key: &[u8]) -> u64 {
        self.hasher.hash_one((db, key))
    }

    /// The queue of a key, if anybody waits for it.
    pub(super) fn find(&self, db: DbIndex, key: &[u8]) -> Option<QueueId> {
        let is = |&number: &u32| self.queues.get(number).is_some_and(|q| q.db == db && *q.key == *key);
        self.by_key.find(self.hash(db, key), is).copied().map(QueueId)
    }

    /// Puts a session at the end of the key's queue; `None` if it is there already, having joined no other since.
    pub(super) fn join(
        &mut self,
        db: DbIndex,
        key: &[u8],
        session: SessionId,
        for_gone: bool,
    ) -> Option<PlaceId> {
        let found = self.find(db, key);
        let last = found.and_then(|id| self.queues.get(id.0)).map(|queue| queue.last);
        if last.and_then(|id| self.places.get(id.0)).is_some_and(|place| place.session == session) {
            return None;
        }
        // A place is always in the queue that it names: the number of a new queue is the next one to be given.
        let id = PlaceId(self.places.add(Place {
            session,
            queue: QueueId(0),
            for_gone,
            before: last,
            after: None,
        }));
        let queue = match found {
            Some(queue) => queue,
            None => self.add(Queue { db, key: key.into(), first: id, last: id, for_gone: 0, ready: false }),
        };
        if let Some(last) = last.and_then(|id| self.places.get_mut(id.0)) {
            last.after = Some(id);
        }
        if let Some(place) = self.places.get_mut(id.0) {
            place.queue = queue;
        }
        if let Some(queue) = self.queues.get_mut(queue.0) {
            queue.last = id;
            self.for_gone += usize::from(for_gone && queue.for_gone == 0);
            queue.for_gone += usize::from(for_gone);
        }
        Some(id)
    }

    fn add(&mut self, queue: Queue) -> QueueId {
        let hash = self.hash(queue.db, &queue.key);
        let number = self.queues.add(queue);
        let (queues, hasher) = (&self.queues, &self.hasher);
        self.by_key.insert_unique(hash, number, |&number| {
            queues.get(number).map_or(0, |q| hasher.hash_one((q.db, &*q.key)))
        });
        QueueId(number)
    }

    /// Gives up a place; the queue goes with its last one.
    pub(super) fn leave(&mut self, id: PlaceId) {
        let Some(place) = self.places.take(id.0) else { return };
        if let Some(before) = place.before.and_then(|id| self.places.get_mut(id.0)) {
            before.after = place.after;
        }
        if let Some(after) = place.after.and_then(|id| self.places.get_mut(id.0)) {
            after.before = place.before;
        }
        let Some(queue) = self.queues.get_mut(place.queue.0) else { return };
        queue.for_gone -= usize::from(place.for_gone);
        self.for_gone -= usize::from(place.for_gone && queue.for_gone == 0);
        match (place.before, place.after) {
            (None, None) => self.remove(place.queue),
            (None, Some(after)) => queue.first = after,
            (Some(before), None) => queue.last = before,
            (Some(_), Some(_)) => {}
        }
    }

    fn remove(&mut self, id: QueueId) {
        let Some(queue) = self.queues.take(id.0) else { return };
        let hash = self.hash(queue.db, &queue.key);
        if let Ok(entry) = self.by_key.find_entry(hash, |&number| number == id.0) {
            entry.remove();
        }
    }

    /// The first place of a queue.
    pub(super) fn first(&self, id: QueueId) -> Option<PlaceId> {
        Some(self.queues.get(id.0)?.first)
    }

    /// The place behind another one.
    pub(super) fn after(&self, id: PlaceId) -> Option<PlaceId> {
        self.places.get(id.0)?.after
    }

    /// Who is at a place.
    pub(super) fn session(&self, id: PlaceId) -> Option<SessionId> {
        Some(self.places.get(id.0)?.session)
    }

    /// The key of a queue.
    pub(super) fn key(&self, id: QueueId) -> Option<(DbIndex, &[u8])> {
        let queue = self.queues.get(id.0)?;
        Some((queue.db, &queue.key))
    }

    /// Whether anybody in a queue also wants to know when the key is gone.
    pub(super) fn is_for_gone(&self, id: QueueId) -> bool {
        self.queues.get(id.0).is_some_and(|queue| queue.for_gone > 0)
    }

    /// Sets whether a queue is on the list of those whose key has changed; says whether that is new.
    pub(super) fn set_ready(&mut self, id: QueueId, ready: bool) -> bool {
        let Some(queue) = self.queues.get_mut(id.0) else { return false };
        std::mem::replace(&mut queue.ready, ready) != ready
    }

    /// The queues of a database, or of all.
    pub(super) fn of(&self, db: Option<DbIndex>) -> Vec<QueueId> {
        let wanted = |queue: &Queue| db.is_none_or(|db| queue.db == db);
        self.queues.iter().filter(|(_, queue)| wanted(queue)).map(|(number, _)| QueueId(number)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use tanist_types::Rng;

    fn waiting(queues: &Queues, db: DbIndex, key: &[u8]) -> Vec<u64> {
        let mut at = queues.find(db, key).and_then(|id| queues.first(id));
        let mut found = Vec::new();
        while let Some(place) = at {
            found.extend(queues.session(place).map(|s| s.0));
            at = queues.after(place);
        }
        found
    }

    #[test]
    fn queues_keep_the_order_of_coming_whoever_leaves() {
        let mut rng = Rng::from_seed(7);
        let (mut queues, mut model) = (Queues::default(), BTreeMap::<(u16, u8), Vec<u64>>::new());
        let mut places: Vec<(PlaceId, (u16, u8), u64, bool)> = Vec::new();
        for session in 0..4000 {
            if rng.below(2) == 0 || places.is_empty() {
                let key = (rng.below(2) as u16, rng.below(5) as u8);
                let for_gone = rng.below(3) == 0;
                let joined = queues.join(DbIndex(key.0), &[key.1], SessionId(session), for_gone);
                places.push((joined.expect("a new session"), key, session, for_gone));
                assert_eq!(queues.join(DbIndex(key.0), &[key.1], SessionId(session), for_gone), None);
                model.entry(key).or_default().push(session);
            } else {
                let (place, key, session, _) = places.swap_remove(rng.below(places.len() as u64) as usize);
                queues.leave(place);
                let waiting = model.get_mut(&key).expect("somebody waits");
                waiting.retain(|&s| s != session);
                if waiting.is_empty() {
                    model.remove(&key);
                }
            }
            assert_eq!(queues.len(), model.len());
            let gone: std::collections::BTreeSet<_> = places.iter().filter(|p| p.3).map(|p| p.1).collect();
            assert_eq!(queues.len_for_gone(), gone.len());
        }
        for db in 0..2 {
            for key in 0..5 {
                let expected = model.get(&(db, key)).cloned().unwrap_or_default();
                assert_eq!(waiting(&queues, DbIndex(db), &[key]), expected);
            }
        }
        for (place, ..) in places {
            queues.leave(place);
        }
        assert_eq!((queues.len(), queues.len_for_gone(), queues.by_key.len()), (0, 0, 0));
    }
}
