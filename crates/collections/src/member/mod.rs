//! The common room of large sets, hashes and sorted sets: a table that owns elements, found by their names.
//!
//! Invariants ([`Members::check`]): every address in the table is that of a live element that nothing else owns; names
//! are unique; `heap` is what the elements take from the allocator; the index of those that expire, of which there is
//! none without such, holds exactly their addresses. Elements are borrowed from the room, so they cannot outlive a change
//! of it.
//!
//! A room that is tracked ([`tracker`]) hands on the old forms of elements instead of freeing or overwriting them.
#![allow(unsafe_code)]

mod element;
mod tracker;

use crate::ahead::Ahead;
use crate::class::class;
use crate::pack::Value;
use crate::seed::Seed;
use crate::table::{Found, Table};
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use tanist_types::{Rng, UnixMs};

pub(crate) use element::{Element, Field, Parts, Plain, Scored, Shape};
use tracker::Tracker;
pub use tracker::{Remains, Shown, TableElement, Tracked};

/// The bits of a position that a cursor leaves out, as in scans of the keyspace: cursors fit 48 bits.
const CURSOR_SHIFT: u32 = 16;

/// See the module's comment.
pub(crate) struct Members<S: Shape> {
    seed: Seed,
    table: Table,
    heap: usize,
    /// The elements that expire.
    expiring: Option<Box<Table>>,
    tracker: Option<Box<Tracker<S>>>,
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
        let table = Table::new();
        Members { seed, table, heap: 0, expiring: None, tracker: None, shape: PhantomData }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Bytes that elements and table take from the allocator.
    #[inline]
    pub(crate) fn allocated(&self) -> usize {
        let index = self.expiring.as_ref().map_or(0, |table| class(size_of::<Table>()) + table.bytes());
        self.heap + self.table.bytes() + index
    }

    /// How many elements expire.
    #[inline]
    pub(crate) fn expiring(&self) -> usize {
        self.expiring.as_ref().map_or(0, |table| table.len())
    }

    /// To fetch elements before they are looked for.
    #[inline]
    pub(crate) fn ahead(&self) -> Ahead<'_> {
        Ahead::new(&self.table, self.seed)
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
        let indexed = S::VALUE && self.expiring.is_some();
        let expired = indexed && self.at(place).is_some_and(|element| element.expiry().is_some());
        let kept = self.awaits(place.hash);
        // SAFETY: the table's element is live, and `self` is borrowed uniquely, so nobody has a reference to it.
        let address = if !kept && unsafe { element::rewrite::<S>(found.address, parts) } {
            found.address
        } else {
            let (address, taken) = element::create::<S>(parts);
            self.exchange(place.hash, found, address, taken);
            address
        };
        if expired || parts.expiry.is_some() {
            self.reindex(place.hash, expired.then_some(found.address), parts.expiry.map(|_| address));
        }
        address
    }

    /// Puts a new element into the place of an old one, which is released.
    fn exchange(&mut self, hash: u64, found: Found, address: u64, taken: usize) {
        self.table.replace(hash, found, address);
        self.heap += taken;
        // SAFETY: the table has given the address up.
        unsafe { self.release(hash, found.address) };
    }

    /// Whether the element of this hash must be kept as it is.
    #[inline]
    fn awaits(&self, hash: u64) -> bool {
        self.tracker.as_ref().is_some_and(|tracker| tracker.awaits(hash))
    }

    /// Frees an element, unless its old form is still to be shown.
    ///
    /// # Safety
    /// The table has given up the address, which is not used again.
    #[inline]
    unsafe fn release(&mut self, hash: u64, address: u64) {
        self.heap -= match &mut self.tracker {
            // SAFETY: by the caller's word.
            Some(tracker) if tracker.awaits(hash) => unsafe { tracker.save(hash, address) },
            // SAFETY: by the caller's word.
            _ => unsafe { element::free::<S>(address) },
        };
    }

    /// Brings the index of those that expire up to date: the element of this hash was at `old`, and is at `new`.
    fn reindex(&mut self, hash: u64, old: Option<u64>, new: Option<u64>) {
        if !S::VALUE || old == new {
            return;
        }
        let seed = self.seed;
        let table = self.expiring.get_or_insert_with(|| Box::new(Table::new()));
        let found = old.and_then(|old| table.find(hash, |address| address == old));
        match (found, new) {
            (Some(found), Some(new)) => table.replace(hash, found, new),
            (Some(found), None) => table.remove(hash, found),
            (None, Some(new)) => table.insert(hash, new, &|address| hash_of::<S>(seed, address)),
            (None, None) => {}
        }
        if table.is_empty() {
            self.expiring = None;
        }
    }

    /// Sets or removes the expiry of the element at a place located since the last change; says whether there is one.
    pub(crate) fn set_expiry(&mut self, place: &Place, expiry: Option<UnixMs>) -> bool {
        let Some((found, old)) = place.found.zip(self.at(place)) else { return false };
        let expired = old.expiry().is_some();
        // The name stays where it is only in another allocation: the old one is read while the new one is written.
        let (address, taken) = element::create::<S>(&Parts { expiry, ..old.parts() });
        self.exchange(place.hash, found, address, taken);
        self.reindex(place.hash, expired.then_some(found.address), expiry.map(|_| address));
        true
    }

    /// Looks at about `budget` of the elements that expire, from position `from` on, and calls `see` with those whose time
    /// is before or at `now`; how many it looked at, and where to go on, `None` at the end.
    pub(crate) fn due(
        &self,
        from: u64,
        now: UnixMs,
        budget: usize,
        see: &mut dyn FnMut(Element<'_, S>),
    ) -> (usize, Option<u64>) {
        let Some(expiring) = &self.expiring else { return (0, None) };
        let (mut examined, mut buckets, mut at) = (0, budget.saturating_add(16), Some(from));
        while examined < budget
            && buckets > 0
            && let Some(position) = at
        {
            buckets -= 1;
            at = expiring.visit(position, &|address| hash_of::<S>(self.seed, address), &mut |address| {
                examined += 1;
                // SAFETY: the index holds addresses of live elements, which the borrow of `self` keeps unchanged.
                let element = unsafe { Element::<S>::at(address) };
                if element.expiry().is_some_and(|at| at <= now) {
                    see(element);
                }
            });
        }
        (examined, at)
    }

    /// Adds an element whose name is not there, by its hash.
    #[inline]
    fn add(&mut self, hash: u64, parts: &Parts<'_>) -> u64 {
        let (address, taken) = element::create::<S>(parts);
        self.heap += taken;
        if let Some(tracker) = &mut self.tracker {
            tracker.born(hash);
        }
        let seed = self.seed;
        self.table.insert(hash, address, &|address| hash_of::<S>(seed, address));
        if parts.expiry.is_some() {
            self.reindex(hash, None, Some(address));
        }
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
        if S::VALUE && self.expiring.is_some() {
            self.reindex(place.hash, Some(found.address), None);
        }
        self.table.remove(place.hash, found);
        // SAFETY: the table has given the address up.
        unsafe { self.release(place.hash, found.address) };
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
    pub(crate) fn set_prefix(&mut self, place: &Place, prefix: u64) {
        let Some(found) = place.found else { panic!("an element was expected") };
        if let Some(tracker) = self.tracker.as_deref_mut().filter(|tracker| tracker.awaits(place.hash)) {
            // The element stays where it is, because others know its address: its copy is the old form.
            // SAFETY: the table's element is live.
            let (copy, _) = element::create::<S>(&unsafe { Element::<S>::at(found.address) }.parts());
            // SAFETY: nobody else knows the copy.
            unsafe { tracker.save(place.hash, copy) };
        }
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

    /// Up to `count` different random elements; all sets of them are about as likely.
    pub(crate) fn sample(&self, count: usize, rng: &mut Rng, see: &mut dyn FnMut(Element<'_, S>)) {
        if count.saturating_mul(3) > self.len() {
            let mut selection = Selection::new(self.len(), count);
            return self.for_each(&mut |element| {
                if selection.takes(rng) {
                    see(element);
                }
            });
        }
        let mut seen = BTreeSet::new();
        while seen.len() < count
            && let Some(element) = self.random(rng)
        {
            if seen.insert(element.address()) {
                see(element);
            }
        }
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
        let (mut heap, mut expiring) = (0, 0);
        self.for_each(&mut |element| {
            heap += element.allocated();
            let index = self.expiring.as_ref().filter(|_| element.expiry().is_some());
            if let Some(index) = index {
                let hash = seed.hash(element.name()).0;
                assert!(index.find(hash, |address| address == element.address()).is_some());
                expiring += 1;
            }
            let same = self.get(element.name()).map(|same| same.address());
            assert_eq!(same, Some(element.address()), "names are unique");
        });
        assert_eq!(heap, self.heap, "the memory of elements is accounted for");
        assert_eq!(expiring, self.expiring(), "the index holds what expires");
    }
}

/// Chooses among things that pass by, so that each choice is equally likely (Fan, Muller and Rezucha, 1962).
pub(crate) struct Selection {
    left: usize,
    wanted: usize,
}

impl Selection {
    /// Chooses `wanted` of `all`, or all of them.
    pub(crate) fn new(all: usize, wanted: usize) -> Selection {
        Selection { left: all, wanted: wanted.min(all) }
    }

    /// Whether the next one is chosen.
    pub(crate) fn takes(&mut self, rng: &mut Rng) -> bool {
        let takes = self.left > 0 && rng.chance(self.wanted as u64, self.left as u64);
        self.left = self.left.saturating_sub(1);
        self.wanted -= usize::from(takes);
        takes
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

/// Whether foreign elements have a name twice.
pub(crate) fn repeats<'a>(seed: Seed, names: impl Iterator<Item = Value<'a>> + Clone) -> bool {
    /// Up to so many, comparing all with all is quicker.
    const FEW: usize = 16;
    if names.clone().nth(FEW).is_none() {
        let earlier = names.clone();
        return names.enumerate().any(|(at, name)| earlier.clone().take(at).any(|other| other == name));
    }
    // The seed is secret and the hash has 64 bits: names that have the same one are the same.
    let mut hashes: Vec<u64> =
        names.map(|name| seed.hash(name.as_bytes(&mut itoa::Buffer::new())).0).collect();
    hashes.sort_unstable();
    hashes.windows(2).any(|pair| pair[0] == pair[1])
}

#[inline]
fn hash_of<S: Shape>(seed: Seed, address: u64) -> u64 {
    // SAFETY: called back by the table of a room about one of its elements, which is not changed meanwhile.
    seed.hash(unsafe { Element::<S>::at(address) }.name()).0
}

#[cfg(test)]
mod tests;
