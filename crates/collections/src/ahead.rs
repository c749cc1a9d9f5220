//! What the next commands will look for in large collections, brought into the cache before they run.
#![allow(unsafe_code)]

use crate::member::{Element, Scored};
use crate::seed::{KeyHash, Seed};
use crate::sorted_set::Order;
use crate::table::Table;

/// The elements of a large collection, to be brought into the cache before they are looked for: for a whole batch first
/// [`Ahead::bucket`], then [`Ahead::element`], then [`Ahead::places`], so that the misses overlap.
#[derive(Clone, Copy, Debug)]
pub struct Ahead<'a> {
    table: &'a Table,
    seed: Seed,
    /// That of a sorted set.
    order: Option<&'a Order>,
}

/// A place in a sorted set's order that a command will look for.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct Sought {
    /// The score there.
    pub score: f64,
    /// Whether a member is to come there: its name is compared with those of the same score.
    pub is_new: bool,
}

impl<'a> Ahead<'a> {
    pub(crate) fn new(table: &'a Table, seed: Seed) -> Ahead<'a> {
        Ahead { table, seed, order: None }
    }

    /// The elements are those of a sorted set, in this order.
    pub(crate) fn ordered(self, order: &'a Order) -> Ahead<'a> {
        Ahead { order: Some(order), ..self }
    }

    /// Whether it is of the same sorted set.
    #[inline]
    #[must_use]
    pub fn is_in_order_of(self, other: Ahead<'_>) -> bool {
        self.order.zip(other.order).is_some_and(|(one, other)| std::ptr::eq(one, other))
    }

    /// Brings the bucket of a name into the cache; returns the name's hash.
    #[inline]
    #[must_use]
    pub fn bucket(self, name: &[u8]) -> KeyHash {
        let hash = self.seed.hash(name);
        self.table.prefetch(hash.0);
        hash
    }

    /// Brings the element of a name's hash into the cache, once its bucket is there.
    #[inline]
    pub fn element(self, hash: KeyHash) {
        self.table.prefetch_entry(hash.0);
    }

    /// The score of the element of a name's hash, once that is there: a guess, since only hashes are compared. `None` if
    /// there is none, or this is no sorted set.
    #[inline]
    #[must_use]
    pub fn score(self, hash: KeyHash) -> Option<f64> {
        self.order?;
        let found = self.table.find(hash.0, |_| true)?;
        // SAFETY: the elements of what has an order are members with scores; they live as long as it is borrowed.
        let element = unsafe { Element::<Scored>::at(found.address) };
        Some(f64::from_bits(element.prefix()))
    }

    /// Brings places in a sorted set's order into the cache, all together.
    pub fn places(self, sought: &[Sought]) {
        if let Some(order) = self.order {
            order.fetch(sought);
        }
    }
}
