//! One key with its value: the smallest allocation that holds both.
//!
//! ```text
//! offset 0   kind, 1 byte: representation (4 bits), has expiry, wide key length; the rest is spare
//!        1   access bits (LRU clock or LFU counter), 3 bytes
//!        4   key length: 1 byte, or 4 when wide
//!            integer: 8 bytes │ short string: its length, 2 bytes │ long string: pointer, length, capacity │
//!            collection: its word, 8 bytes
//!            expiry, 8 bytes, if there is one
//!            key
//!            short string
//! ```
//! Strings over [`LONGEST_SHORT`] bytes have an allocation of their own. An entry with a collection always has a wide key
//! length, so that the collection's word is aligned and can be referred to where it is.
//!
//! Invariant: the allocation is `class(size)` bytes for the size that the layout above gives, aligned to 8. So an
//! entry can be overwritten in place exactly if the new form falls into the same class, and no capacity is stored.
//!
//! Source of the idea: Redis' `kvobj` and Valkey's embedded keys; the layout is our own.
#![allow(unsafe_code)]

mod layout;
mod owned;

use crate::access::Access;
use crate::object::with_collection;
use crate::value::{Encoding, StrRef, ValueRef};
use layout::{
    EMBSTR, HAS_EXPIRY, INT, KEY_AT, KINDS, LONG, REPR, SHORT, WIDE, expiry_at, field_at, is_object,
};
pub(crate) use layout::{Form, HASH, LIST, LONGEST_SHORT, SET, SORTED_SET, STREAM};
pub use owned::OwnedEntry;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use tanist_collections::{Collection, Hash, List, Set, SortedSet, Stream, class};
use tanist_types::UnixMs;

/// The address of a live entry. Whoever holds one (a table's word) must know that the entry still lives; the unsafe
/// functions that take it say so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct EntryPtr(NonNull<u8>);

impl EntryPtr {
    /// The address; its low three bits are zero, and it fits 48 bits on the platforms we know.
    #[inline]
    pub(crate) fn addr(self) -> u64 {
        self.0.as_ptr().expose_provenance() as u64
    }

    /// Back from [`EntryPtr::addr`]; `None` for zero.
    #[inline]
    pub(crate) fn from_addr(addr: u64) -> Option<EntryPtr> {
        NonNull::new(std::ptr::with_exposed_provenance_mut(addr as usize)).map(EntryPtr)
    }

    /// # Safety
    /// The entry lives, and is not changed other than by [`Entry::set_access`], during `'a`.
    #[inline]
    pub(crate) unsafe fn view<'a>(self) -> Entry<'a> {
        Entry { ptr: self.0, lives: PhantomData }
    }

    /// # Safety
    /// The entry lives, and nothing else refers to it, while the result is used.
    #[inline]
    pub(crate) unsafe fn borrow_mut(self) -> ManuallyDrop<OwnedEntry> {
        ManuallyDrop::new(OwnedEntry { ptr: self.0 })
    }

    /// # Safety
    /// The caller gives up the entry: no other copy of the address is used afterwards.
    #[inline]
    pub(crate) unsafe fn into_owned(self) -> OwnedEntry {
        OwnedEntry { ptr: self.0 }
    }
}

/// One key with its value.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    ptr: NonNull<u8>,
    lives: PhantomData<&'a OwnedEntry>,
}

impl std::fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("key", &self.key().escape_ascii().to_string())
            .field("value", &self.value())
            .field("expiry", &self.expiry())
            .finish()
    }
}

impl<'a> Entry<'a> {
    #[inline]
    pub(super) fn header(&self) -> &'a AtomicU32 {
        // SAFETY: the first four bytes of a live entry, aligned to 8, are its header; shared accesses are all atomic.
        unsafe { self.ptr.cast::<AtomicU32>().as_ref() }
    }

    #[inline]
    pub(super) fn kind(&self) -> u8 {
        self.header().load(Ordering::Relaxed) as u8
    }

    /// Reads a `T` at `offset`.
    ///
    /// # Safety
    /// The layout for the entry's kind has a `T` there.
    #[inline]
    pub(super) unsafe fn field<T: Copy>(&self, offset: usize) -> T {
        // SAFETY: by the caller's word the field is there; it need not be aligned.
        unsafe { self.ptr.add(offset).cast::<T>().read_unaligned() }
    }

    #[inline]
    pub(super) fn key_len(&self, kind: u8) -> usize {
        // SAFETY: every layout has the key's length at 4, of the width that the kind tells.
        unsafe {
            if kind & WIDE != 0 { self.field::<u32>(4) as usize } else { usize::from(self.field::<u8>(4)) }
        }
    }

    #[inline]
    pub(super) fn short_len(&self, kind: u8) -> usize {
        match kind & REPR {
            // SAFETY: these representations have the length there.
            EMBSTR | SHORT => usize::from(unsafe { self.field::<u16>(field_at(kind)) }),
            _ => 0,
        }
    }

    /// The size by the layout, of which the allocation is the class.
    #[inline]
    pub(super) fn size(&self) -> usize {
        let kind = self.kind();
        usize::from(KEY_AT[usize::from(kind) % KINDS]) + self.key_len(kind) + self.short_len(kind)
    }

    /// The address, for the tables.
    #[inline]
    pub(crate) fn ptr(&self) -> EntryPtr {
        EntryPtr(self.ptr)
    }

    /// The key.
    #[inline]
    #[must_use]
    pub fn key(&self) -> &'a [u8] {
        let kind = self.kind();
        let at = usize::from(KEY_AT[usize::from(kind) % KINDS]);
        // SAFETY: the layout has that many bytes of key there.
        unsafe { std::slice::from_raw_parts(self.ptr.add(at).as_ptr(), self.key_len(kind)) }
    }

    /// Whether the key is this one.
    #[inline]
    pub(crate) fn key_is(&self, key: &[u8]) -> bool {
        same(self.key(), key)
    }

    /// The value.
    #[inline]
    #[must_use]
    pub fn value(&self) -> ValueRef<'a> {
        let kind = self.kind();
        let at = field_at(kind);
        if is_object(kind) {
            return self.collection(kind);
        }
        ValueRef::Str(match kind & REPR {
            // SAFETY: an integer has its eight bytes there.
            INT => StrRef::Int(unsafe { self.field(at) }),
            // SAFETY: a long string has its parts there, and the vector lives as long as the entry is not changed.
            LONG => StrRef::Bytes(unsafe {
                let (data, len, _) = self.field::<(*const u8, usize, usize)>(at);
                std::slice::from_raw_parts(data, len)
            }),
            _ => {
                let from = usize::from(KEY_AT[usize::from(kind) % KINDS]) + self.key_len(kind);
                // SAFETY: the short string follows the key.
                StrRef::Bytes(unsafe {
                    std::slice::from_raw_parts(self.ptr.add(from).as_ptr(), self.short_len(kind))
                })
            }
        })
    }

    #[inline]
    fn collection(&self, kind: u8) -> ValueRef<'a> {
        debug_assert!(is_object(kind) && kind & WIDE != 0);
        let word = self.ptr.map_addr(|addr| addr.saturating_add(field_at(WIDE)));
        // SAFETY: the representation tells the type of the word there, which is aligned to 8 and lives, unchanged, as
        // long as the entry does.
        unsafe {
            match kind & REPR {
                LIST => ValueRef::List(word.cast::<List>().as_ref()),
                SET => ValueRef::Set(word.cast::<Set>().as_ref()),
                HASH => ValueRef::Hash(word.cast::<Hash>().as_ref()),
                SORTED_SET => ValueRef::SortedSet(word.cast::<SortedSet>().as_ref()),
                STREAM => ValueRef::Stream(word.cast::<Stream>().as_ref()),
                _ => unreachable!("no representation has this number"),
            }
        }
    }

    /// How many allocations freeing the entry returns, about.
    #[inline]
    pub(crate) fn effort(&self) -> usize {
        if is_object(self.kind()) {
            with_collection!(self.value(), value => value.effort(), else 1)
        } else {
            1
        }
    }

    /// When the entry expires, if ever. It may lie in the past.
    #[inline]
    #[must_use]
    pub fn expiry(&self) -> Option<UnixMs> {
        let kind = self.kind();
        // SAFETY: the layout has the expiry there when the kind says so.
        (kind & HAS_EXPIRY != 0).then(|| UnixMs(unsafe { self.field(expiry_at(kind)) }))
    }

    /// Whether the value is a hash with fields that expire.
    #[inline]
    pub(crate) fn has_expiring_fields(&self) -> bool {
        self.kind() & REPR == HASH && matches!(self.value(), ValueRef::Hash(hash) if hash.expiring() > 0)
    }

    /// How the value is stored.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        match self.kind() & REPR {
            INT => Encoding::Int,
            EMBSTR => Encoding::Embstr,
            SHORT | LONG => Encoding::Raw,
            _ => with_collection!(self.value(), value => value.encoding(), else Encoding::Raw),
        }
    }

    /// Whether the value has an allocation of its own.
    pub(crate) fn is_long(&self) -> bool {
        self.kind() & REPR == LONG
    }

    /// Bytes that the entry occupies, its share of the tables included (MEMORY USAGE).
    #[must_use]
    pub fn memory_usage(&self) -> usize {
        // A word of a table, at the usual fill.
        const WORD: usize = 10;
        self.allocated() + WORD + if self.expiry().is_some() { WORD } else { 0 }
    }

    /// Bytes taken from the allocator.
    #[inline]
    pub(crate) fn allocated(&self) -> usize {
        class(self.size()) + self.outside()
    }

    /// Bytes that a long string or a collection takes from the allocator; zero for other values.
    #[inline]
    pub(crate) fn outside(&self) -> usize {
        let kind = self.kind();
        if kind & REPR < LONG {
            return 0;
        }
        if is_object(kind) {
            return with_collection!(self.value(), value => value.allocated(), else 0);
        }
        // SAFETY: a long string has its parts there.
        let (_, _, capacity) = unsafe { self.field::<(*const u8, usize, usize)>(field_at(kind)) };
        class(capacity)
    }

    /// The LRU or LFU bits.
    #[inline]
    #[must_use]
    pub fn access(&self) -> Access {
        Access::from_bits(self.header().load(Ordering::Relaxed) >> 8)
    }

    /// Sets the LRU or LFU bits. Needs no exclusive access and changes nothing that a snapshot or replica sees.
    #[inline]
    pub fn set_access(&self, access: Access) {
        let header = self.header();
        let old = header.load(Ordering::Relaxed);
        let new = access.bits() << 8 | old & 0xff;
        // An unchanged clock must not dirty the cache line.
        if new != old {
            header.store(new, Ordering::Relaxed);
        }
    }
}

/// Whether two short byte strings are equal, without a call: most keys have 8 to 32 bytes.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    let len = a.len();
    if len != b.len() {
        return false;
    }
    let pair = |at: usize| match (a[at..].first_chunk::<8>(), b[at..].first_chunk::<8>()) {
        (Some(a), Some(b)) => u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b),
        _ => u64::MAX,
    };
    match len {
        8..=16 => pair(0) | pair(len - 8) == 0,
        17..=32 => pair(0) | pair(8) | pair(len - 16) | pair(len - 8) == 0,
        _ => a == b,
    }
}

#[cfg(test)]
mod tests;
