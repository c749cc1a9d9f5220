//! What a table was at one moment, shown piece by piece while it changes.
//!
//! The table is walked in the order of hashes, so "already shown" is a comparison with the cursor. Whoever changes or
//! removes an element that is still to come first hands its old form in, and whoever adds one there notes its hash; the
//! walk passes both over. So the memory that this takes is that of the elements which change ahead of the cursor, and
//! no change has to wait for more than its own element.
//!
//! Two elements with equal 64-bit hashes would be taken for one: see the keyspace's snapshots, which do the same with
//! keys.
//!
//! Invariant, on which the unsafe code relies: the saved addresses are those of live elements that nothing else owns.
#![allow(unsafe_code)]

use super::Members;
use super::element::{self, Element, Shape};
use crate::class::class;
use crate::hashes::Hashes;
use crate::seed::KeyHash;
use std::fmt;
use std::marker::PhantomData;
use tanist_types::UnixMs;

/// A large collection that keeps its elements in a table, and can be shown as it was at one moment while it changes.
///
/// A copy of it is not tracked.
pub trait Tracked {
    /// From now on the elements are remembered as they are now, under a number that names whoever asks. What was
    /// remembered before is forgotten.
    fn track(&mut self, id: u64);

    /// The number given to [`Tracked::track`], as long as there is something to show.
    fn tracker(&self) -> Option<u64>;

    /// Bytes taken from the allocator for what is remembered; no part of what the collection itself takes.
    fn tracker_bytes(&self) -> usize;

    /// Shows further elements, of about `budget` bytes: each that was there at the beginning once, as it was then, in
    /// no order. At the end all is forgotten.
    fn show(&mut self, budget: usize, see: &mut dyn FnMut(TableElement<'_>)) -> Shown;

    /// Forgets what is remembered. What that leaves is freed by dropping it, on whatever thread.
    fn untrack(&mut self) -> Option<Remains>;
}

/// An element of a table. What the type does not have is empty or zero.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TableElement<'a> {
    /// The member, or the name of the field.
    pub name: &'a [u8],
    /// The value of the field.
    pub value: &'a [u8],
    /// When the field expires.
    pub expiry: Option<UnixMs>,
    /// The score of the member.
    pub score: f64,
}

impl<'a> TableElement<'a> {
    fn of<S: Shape>(element: Element<'a, S>) -> TableElement<'a> {
        let score = f64::from_bits(element.prefix());
        TableElement { name: element.name(), value: element.value(), expiry: element.expiry(), score }
    }
}

/// How far [`Tracked::show`] came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shown {
    /// Every element has been shown.
    pub over: bool,
    /// What is left of the budget.
    pub left: usize,
}

/// Memory that is no longer used.
pub struct Remains(#[allow(dead_code, reason = "held to be dropped")] Box<dyn Send>);

impl fmt::Debug for Remains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remains").finish_non_exhaustive()
    }
}

/// See the module's comment.
pub(super) struct Tracker<S: Shape> {
    id: u64,
    /// Hashes before this one have been shown; `None` when all have been.
    cursor: Option<u64>,
    /// Hashes that the walk is to pass over.
    passed_over: Hashes,
    /// Old forms that are still to be shown, in chunks, so that many of them are not moved. No chunk is empty.
    saved: Vec<Vec<u64>>,
    /// Bytes taken by them.
    heap: usize,
    shape: PhantomData<fn() -> S>,
}

impl<S: Shape> Tracker<S> {
    const CHUNK: usize = 512;

    fn new(id: u64, len: usize) -> Tracker<S> {
        Tracker {
            id,
            cursor: Some(0),
            passed_over: Hashes::for_len(len),
            saved: Vec::new(),
            heap: 0,
            shape: PhantomData,
        }
    }

    /// Whether an element with this hash, if there was one at the beginning, is still to be shown by the walk.
    #[inline]
    pub(super) fn awaits(&self, hash: u64) -> bool {
        self.cursor.is_some_and(|cursor| hash >= cursor) && !self.passed_over.contains(KeyHash(hash))
    }

    /// Takes the old form of an awaited element over from the table; what it takes from the allocator.
    ///
    /// # Safety
    /// The address is that of a live element of this shape, and the caller gives it up.
    pub(super) unsafe fn save(&mut self, hash: u64, address: u64) -> usize {
        debug_assert!(self.awaits(hash));
        // SAFETY: by the caller's word.
        let bytes = unsafe { Element::<S>::at(address) }.allocated();
        self.heap += bytes;
        match self.saved.last_mut() {
            Some(chunk) if chunk.len() < Self::CHUNK => chunk.push(address),
            _ => self.saved.push(vec![address]),
        }
        self.passed_over.insert(KeyHash(hash));
        bytes
    }

    /// Notes that an element was not there at the beginning, if its hash is awaited.
    pub(super) fn born(&mut self, hash: u64) {
        if self.awaits(hash) {
            self.passed_over.insert(KeyHash(hash));
        }
    }

    /// Hands an old form out, to be shown and freed.
    fn pop(&mut self) -> Option<u64> {
        let chunk = self.saved.last_mut()?;
        let address = chunk.pop()?;
        if chunk.is_empty() {
            self.saved.pop();
        }
        Some(address)
    }

    fn bytes(&self) -> usize {
        class(size_of::<Self>()) + self.heap + self.saved.len() * Self::CHUNK * 8 + self.passed_over.bytes()
    }
}

impl<S: Shape> Drop for Tracker<S> {
    fn drop(&mut self) {
        while let Some(address) = self.pop() {
            // SAFETY: by the invariant; the address was taken out.
            unsafe { element::free::<S>(address) };
        }
    }
}

impl<S: Shape> Tracked for Members<S> {
    fn track(&mut self, id: u64) {
        self.tracker = Some(Box::new(Tracker::new(id, self.len())));
    }

    #[inline]
    fn tracker(&self) -> Option<u64> {
        self.tracker.as_ref().map(|tracker| tracker.id)
    }

    fn tracker_bytes(&self) -> usize {
        self.tracker.as_ref().map_or(0, |tracker| tracker.bytes())
    }

    fn show(&mut self, budget: usize, see: &mut dyn FnMut(TableElement<'_>)) -> Shown {
        let mut left = budget;
        let Some(mut tracker) = self.tracker.take() else { return Shown { over: true, left } };
        while left > 0 {
            let Some(address) = tracker.pop() else { break };
            // SAFETY: by the invariant the element lives, and nothing else refers to it when it is freed.
            let bytes = unsafe {
                see(TableElement::of(Element::<S>::at(address)));
                element::free::<S>(address)
            };
            tracker.heap -= bytes;
            left = left.saturating_sub(bytes);
        }
        while left > 0
            && let Some(position) = tracker.cursor
        {
            // A little for the bucket itself, so that an empty stretch is bounded too.
            left = left.saturating_sub(16);
            let (seed, passed_over) = (self.seed, &mut tracker.passed_over);
            tracker.cursor = self.visit(position, &mut |element| {
                if passed_over.is_empty() || !passed_over.contains(seed.hash(element.name())) {
                    left = left.saturating_sub(element.allocated());
                    see(TableElement::of(element));
                }
            });
            passed_over.forget_before(tracker.cursor.unwrap_or(u64::MAX));
        }
        let over = tracker.cursor.is_none() && tracker.saved.is_empty();
        if !over {
            self.tracker = Some(tracker);
        }
        Shown { over, left }
    }

    fn untrack(&mut self) -> Option<Remains> {
        let tracker = self.tracker.take()?;
        Some(Remains(tracker))
    }
}
