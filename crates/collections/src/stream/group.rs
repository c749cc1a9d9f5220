//! Groups of consumers: how far a group has read, and which entries wait to be acknowledged.
//!
//! Invariant: an entry that waits belongs to exactly one consumer of the group, which lists it too.

use super::{StreamId, StreamView};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeBounds;

/// A group.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Group {
    /// The last entry that was handed out.
    pub last: StreamId,
    /// How many entries have been read; `None` if that is not known.
    pub read: Option<u64>,
    pending: BTreeMap<StreamId, Delivery>,
    /// By their places, which are free if `None`.
    consumers: Vec<Option<Consumer>>,
    places: BTreeMap<Box<[u8]>, usize>,
}

/// A consumer.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Consumer {
    /// Its name.
    pub name: Box<[u8]>,
    /// When it last tried something, in milliseconds since 1970.
    pub seen: u64,
    /// When it last got something; `None` if never.
    pub active: Option<u64>,
    pending: BTreeSet<StreamId>,
}

impl Consumer {
    /// The entries that it has not acknowledged.
    #[must_use]
    pub fn pending(&self) -> &BTreeSet<StreamId> {
        &self.pending
    }
}

/// That an entry was handed out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// How often.
    pub count: u64,
    owner: usize,
}

/// What an entry that waits takes in both lists, and a consumer, about, in bytes.
const PER_PENDING: usize = 96;
const PER_CONSUMER: usize = 160;

impl Group {
    /// A group that has read up to `last`.
    #[must_use]
    pub fn new(last: StreamId, read: Option<u64>) -> Group {
        Group { last, read, ..Group::default() }
    }

    /// The consumers, by their names.
    pub fn consumers(&self) -> impl ExactSizeIterator<Item = &Consumer> {
        self.places.values().map(|&place| self.at(place))
    }

    /// The place of a consumer.
    #[must_use]
    pub fn place(&self, name: &[u8]) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// The consumer at a place. Panics if there is none.
    #[must_use]
    pub fn at(&self, place: usize) -> &Consumer {
        match &self.consumers[place] {
            Some(consumer) => consumer,
            None => panic!("no consumer at place {place}"),
        }
    }

    /// The consumer at a place, to change. Panics if there is none.
    pub fn at_mut(&mut self, place: usize) -> &mut Consumer {
        match &mut self.consumers[place] {
            Some(consumer) => consumer,
            None => panic!("no consumer at place {place}"),
        }
    }

    /// Adds a consumer; its place. One of the same name must not be there.
    pub fn add_consumer(&mut self, name: &[u8], seen: u64) -> usize {
        let consumer = Some(Consumer { name: name.into(), seen, ..Consumer::default() });
        let place = match self.consumers.iter().position(Option::is_none) {
            Some(free) => free,
            None => {
                self.consumers.push(None);
                self.consumers.len() - 1
            }
        };
        self.consumers[place] = consumer;
        let old = self.places.insert(name.into(), place);
        assert_eq!(old, None, "a consumer twice");
        place
    }

    /// Removes a consumer with its entries; how many those were, or `None` if there is no such consumer.
    pub fn remove_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let place = self.places.remove(name)?;
        let consumer = self.consumers[place].take()?;
        for id in &consumer.pending {
            self.pending.remove(id);
        }
        Some(consumer.pending.len())
    }

    /// How many entries wait.
    #[must_use]
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// The entries that wait, with their consumers.
    pub fn pending(
        &self,
        range: impl RangeBounds<StreamId>,
    ) -> impl DoubleEndedIterator<Item = (StreamId, Delivery, &Consumer)> {
        self.pending.range(range).map(|(id, delivery)| (*id, *delivery, self.at(delivery.owner)))
    }

    /// How an entry was handed out.
    #[must_use]
    pub fn delivery(&self, id: StreamId) -> Option<Delivery> {
        self.pending.get(&id).copied()
    }

    /// Notes that an entry was handed to the consumer at a place, whoever had it before.
    pub fn deliver(&mut self, id: StreamId, place: usize, at: u64, count: u64) {
        if let Some(old) = self.pending.insert(id, Delivery { at, count, owner: place }) {
            self.at_mut(old.owner).pending.remove(&id);
        }
        self.at_mut(place).pending.insert(id);
    }

    /// Forgets that an entry waits; says whether it did.
    pub fn acknowledge(&mut self, id: StreamId) -> bool {
        let Some(old) = self.pending.remove(&id) else { return false };
        self.at_mut(old.owner).pending.remove(&id);
        true
    }

    /// Notes that the group was handed an entry of the stream behind its last one.
    pub fn advance(&mut self, stream: StreamView<'_>, id: StreamId) {
        let begun = self.last >= stream.about().first;
        self.read = match self.read {
            Some(read) if begun && !stream.has_gap_from(self.last) => Some(read.wrapping_add(1)),
            read if stream.about().added == 0 => read,
            _ => stream.read_up_to(id),
        };
        self.last = id;
    }

    pub(super) fn allocated(&self) -> usize {
        size_of::<Group>() + self.pending.len() * PER_PENDING + self.places.len() * PER_CONSUMER
    }

    pub(super) fn effort(&self) -> usize {
        1 + self.pending.len() / 4 + self.places.len()
    }
}

impl Delivery {
    /// Whose it is: the place of the consumer.
    #[must_use]
    pub fn owner(&self) -> usize {
        self.owner
    }
}
