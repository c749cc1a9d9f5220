//! The common room of large sets, hashes and sorted sets: a table that owns elements, found by their names.
//!
//! Invariants ([`Members::check`]): every address in the table is that of a live element that nothing else owns; names
//! are unique; `heap` is what the elements take from the allocator. Elements are borrowed from the room, so they cannot
//! outlive a change of it.
#![allow(unsafe_code)]

mod element;

use crate::seed::Seed;
use crate::table::{Found, Table};
use std::fmt;
use std::marker::PhantomData;
use tanist_types::Rng;

#[allow(unused_imports, reason = "for sorted sets")]
pub(crate) use element::Scored;
pub(crate) use element::{Element, Field, Parts, Plain, Shape};

/// The bits of a position that a cursor leaves out, as in scans of the keyspace: cursors fit 48 bits.
const CURSOR_SHIFT: u32 = 16;

/// See the module's comment.
pub(crate) struct Members<S: Shape> {
    seed: Seed,
    table: Table,
    heap: usize,
    shape: PhantomData<S>,
}

/// The place of a name: where its element is, until the room changes, or else where it would go.
pub(crate) struct Place {
    hash: u64,
    found: Option<Found>,
}

impl Place {
    /// Whether there is an element.
    #[inline]
    pub(crate) fn is_taken(&self) -> bool {
        self.found.is_some()
    }
}

impl<S: Shape> Members<S> {
    /// An empty room whose names are hashed with `seed`.
    pub(crate) fn new(seed: Seed) -> Members<S> {
        Members { seed, table: Table::new(), heap: 0, shape: PhantomData }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Bytes that elements and table take from the allocator.
    #[inline]
    pub(crate) fn allocated(&self) -> usize {
        self.heap + self.table.bytes()
    }

    #[inline]
    pub(crate) fn seed(&self) -> Seed {
        self.seed
    }

    /// Where the element of this name is, or would go.
    #[inline]
    pub(crate) fn locate(&self, name: &[u8]) -> Place {
        let hash = self.seed.hash(name).0;
        // SAFETY: the element is only looked at during the call.
        let found = self.table.find(hash, |address| unsafe { Element::<S>::at(address) }.name_is(name));
        Place { hash, found }
    }

    /// The element at a place located since the last change.
    #[inline]
    pub(crate) fn at(&self, place: &Place) -> Option<Element<'_, S>> {
        // SAFETY: the address comes from the table; the borrow of `self` keeps the element unchanged.
        place.found.map(|found| unsafe { Element::at(found.address) })
    }

    /// The element of this name.
    #[inline]
    pub(crate) fn get(&self, name: &[u8]) -> Option<Element<'_, S>> {
        self.at(&self.locate(name))
    }

    /// Puts an element at the place of its name, located since the last change, where one may be; returns its address.
    ///
    /// The name must be the one that was located.
    #[inline]
    pub(crate) fn put(&mut self, place: &Place, parts: &Parts<'_>) -> u64 {
        let Some(found) = place.found else { return self.add(place.hash, parts) };
        // SAFETY: the table's element is live, and `self` is borrowed uniquely, so nobody has a reference to it.
        if unsafe { element::rewrite::<S>(found.address, parts) } {
            return found.address;
        }
        let (address, taken) = element::create::<S>(parts);
        self.table.replace(place.hash, found, address);
        // SAFETY: the table has given the address up.
        let freed = unsafe { element::free::<S>(found.address) };
        self.heap = self.heap + taken - freed;
        address
    }

    /// Adds an element whose name is not there, by its hash.
    #[inline]
    fn add(&mut self, hash: u64, parts: &Parts<'_>) -> u64 {
        let (address, taken) = element::create::<S>(parts);
        self.heap += taken;
        let seed = self.seed;
        self.table.insert(hash, address, &|address| hash_of::<S>(seed, address));
        address
    }

    /// Adds an element unless its name is there; says whether it did.
    #[inline]
    pub(crate) fn insert(&mut self, parts: &Parts<'_>) -> bool {
        let place = self.locate(parts.name);
        let new = !place.is_taken();
        if new {
            self.add(place.hash, parts);
        }
        new
    }

    /// Removes what is at a place located since the last change; says whether there was something.
    pub(crate) fn remove_at(&mut self, place: &Place) -> bool {
        let Some(found) = place.found else { return false };
        self.table.remove(place.hash, found);
        // SAFETY: the table has given the address up.
        self.heap -= unsafe { element::free::<S>(found.address) };
        true
    }

    /// Removes the element of this name; says whether it was there.
    #[inline]
    pub(crate) fn remove(&mut self, name: &[u8]) -> bool {
        self.remove_at(&self.locate(name))
    }

    /// Sets the prefix of the element at a place located since the last change.
    ///
    /// # Panics
    /// If there is none.
    #[inline]
    #[allow(dead_code, reason = "for sorted sets")]
    pub(crate) fn set_prefix(&mut self, place: &Place, prefix: u64) {
        let Some(found) = place.found else { panic!("an element was expected") };
        // SAFETY: the table's element is live, and `self` is borrowed uniquely, so nobody has a reference to it.
        unsafe { element::set_prefix::<S>(found.address, prefix) };
    }

    /// Visits the elements of one home bucket from position `from` on; returns the next position, `None` at the end.
    #[inline]
    pub(crate) fn visit(&self, from: u64, see: &mut dyn FnMut(Element<'_, S>)) -> Option<u64> {
        let seed = self.seed;
        // SAFETY: the addresses are those of live elements, and `self` stays borrowed during the call.
        let mut see = |address| see(unsafe { Element::at(address) });
        self.table.visit(from, &|address| hash_of::<S>(seed, address), &mut see)
    }

    /// Visits about `count` elements from `cursor` on and returns where to go on; zero is the start and the end.
    ///
    /// An element that is there during a whole scan is visited at least once, however the room changes meanwhile.
    pub(crate) fn scan(&self, cursor: u64, count: usize, see: &mut dyn FnMut(Element<'_, S>)) -> u64 {
        // Empty buckets are seldom, but a step must end even then.
        let mut buckets = count.saturating_mul(4).saturating_add(16);
        let start = cursor << CURSOR_SHIFT;
        let (mut seen, mut at) = (0, Some(start));
        while let Some(position) = at {
            if (seen >= count.max(1) || buckets == 0) && position != start {
                return position >> CURSOR_SHIFT;
            }
            buckets = buckets.saturating_sub(1);
            at = self.visit(position, &mut |element| {
                seen += 1;
                see(element);
            });
        }
        0
    }

    /// A random element, each about as likely; `None` if there are none.
    pub(crate) fn random(&self, rng: &mut Rng) -> Option<Element<'_, S>> {
        // SAFETY: the address comes from the table; the borrow of `self` keeps the element unchanged.
        self.table.random(rng).map(|address| unsafe { Element::at(address) })
    }

    /// Calls `see` with every element.
    pub(crate) fn for_each(&self, see: &mut dyn FnMut(Element<'_, S>)) {
        // SAFETY: as in `visit`.
        self.table.for_each(&mut |address| see(unsafe { Element::at(address) }));
    }

    /// The elements, in the order of scans.
    pub(crate) fn iter(&self) -> Iter<'_, S> {
        Iter { members: self, next: Some(0), here: Vec::new() }
    }

    /// Panics unless the invariants hold. Slow: for tests.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        let seed = self.seed;
        self.table.check(&|address| hash_of::<S>(seed, address));
        let mut heap = 0;
        self.for_each(&mut |element| {
            heap += element.allocated();
            let same = self.get(element.name()).map(|same| same.address());
            assert_eq!(same, Some(element.address()), "names are unique");
        });
        assert_eq!(heap, self.heap, "the memory of elements is accounted for");
    }
}

/// See [`Members::iter`].
pub(crate) struct Iter<'a, S: Shape> {
    members: &'a Members<S>,
    next: Option<u64>,
    here: Vec<u64>,
}

impl<'a, S: Shape> Iterator for Iter<'a, S> {
    type Item = Element<'a, S>;

    fn next(&mut self) -> Option<Element<'a, S>> {
        loop {
            if let Some(address) = self.here.pop() {
                // SAFETY: an address of the room, whose borrow keeps the element unchanged.
                return Some(unsafe { Element::at(address) });
            }
            let here = &mut self.here;
            self.next = self.members.visit(self.next?, &mut |element| here.push(element.address()));
        }
    }
}

impl<S: Shape> Clone for Members<S> {
    fn clone(&self) -> Self {
        let mut copy = Members::new(self.seed);
        self.for_each(&mut |element| {
            copy.add(self.seed.hash(element.name()).0, &element.parts());
        });
        copy
    }
}

impl<S: Shape> Drop for Members<S> {
    fn drop(&mut self) {
        // SAFETY: the room owns the elements, each address is there once, and nothing is looked at afterwards.
        self.table.for_each(&mut |address| _ = unsafe { element::free::<S>(address) });
    }
}

impl<S: Shape> fmt::Debug for Members<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Members").field("len", &self.len()).finish_non_exhaustive()
    }
}

// SAFETY: the table's addresses are those of elements that the room owns, which are plain memory.
unsafe impl<S: Shape> Send for Members<S> {}
// SAFETY: shared access only reads.
unsafe impl<S: Shape> Sync for Members<S> {}

#[inline]
fn hash_of<S: Shape>(seed: Seed, address: u64) -> u64 {
    // SAFETY: called back by the table of a room about one of its elements, which is not changed meanwhile.
    seed.hash(unsafe { Element::<S>::at(address) }.name()).0
}

#[cfg(test)]
mod tests;
