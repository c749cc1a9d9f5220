//! One key with its value: the smallest allocation that holds both.
//!
//! ```text
//! offset 0   kind, 1 byte: representation (3 bits), has expiry, wide key length; the rest is spare
//!        1   access bits (LRU clock or LFU counter), 3 bytes
//!        4   key length: 1 byte, or 4 when wide
//!            integer: 8 bytes │ short string: its length, 2 bytes │ long string: pointer, length, capacity
//!            expiry, 8 bytes, if there is one
//!            key
//!            short string
//! ```
//! Strings over [`LONGEST_SHORT`] bytes have an allocation of their own. Lists, sets, hashes, sorted sets and streams
//! will be further representations (a pointer in the place of the long string's).
//!
//! Invariant: the allocation is `class(size)` bytes for the size that the layout above gives, aligned to 8. So an
//! entry can be overwritten in place exactly if the new form falls into the same class, and no capacity is stored.
//!
//! Source of the idea: Redis' `kvobj` and Valkey's embedded keys; the layout is our own.
#![allow(unsafe_code)]

use crate::access::Access;
use crate::class::class;
use crate::value::{Encoding, StrRef, StrValue, ValueRef};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use tanist_types::UnixMs;

/// The longest string kept in the entry's own allocation.
pub(crate) const LONGEST_SHORT: usize = 2048;
/// The longest key: the wire's limit on an argument is far below.
const LONGEST_KEY: usize = u32::MAX as usize;

const REPR: u8 = 0b0_0111;
const INT: u8 = 0;
const EMBSTR: u8 = 1;
const SHORT: u8 = 2;
const LONG: u8 = 3;
const HAS_EXPIRY: u8 = 0b0_1000;
const WIDE: u8 = 0b1_0000;
const KINDS: usize = 32;

/// Where the key begins, by kind.
const KEY_AT: [u8; KINDS] = key_offsets();

const fn key_offsets() -> [u8; KINDS] {
    let mut at = [0; KINDS];
    let mut kind = 0;
    while kind < KINDS {
        at[kind] = expiry_at(kind as u8) as u8 + if kind as u8 & HAS_EXPIRY != 0 { 8 } else { 0 };
        kind += 1;
    }
    at
}

const fn field_at(kind: u8) -> usize {
    if kind & WIDE != 0 { 8 } else { 5 }
}

const fn expiry_at(kind: u8) -> usize {
    field_at(kind)
        + match kind & REPR {
            INT => 8,
            EMBSTR | SHORT => 2,
            _ => 24,
        }
}

/// The form that a value is stored in.
#[derive(Debug)]
pub(crate) enum Form<'a> {
    Int(i64),
    /// A string set as a whole.
    Whole(&'a [u8]),
    /// A string that was modified: `raw` however short.
    Modified(&'a [u8]),
    /// A long string in its own allocation.
    Long(Vec<u8>),
}

impl<'a> Form<'a> {
    /// The form of a value handed in, by Redis' rule.
    #[inline]
    pub(crate) fn of(value: StrValue<'a>) -> Form<'a> {
        match value.encoded() {
            StrValue::Int(n) => Form::Int(n),
            StrValue::Bytes(bytes) | StrValue::Text(bytes) => Form::Whole(bytes),
        }
    }

    #[inline]
    fn repr(&self) -> u8 {
        match self {
            Form::Int(_) => INT,
            Form::Whole(bytes) if bytes.len() > LONGEST_SHORT => LONG,
            Form::Whole(bytes) if Encoding::of_len(bytes.len()) == Encoding::Embstr => EMBSTR,
            Form::Modified(bytes) if bytes.len() > LONGEST_SHORT => LONG,
            Form::Whole(_) | Form::Modified(_) => SHORT,
            Form::Long(_) => LONG,
        }
    }

    #[inline]
    fn short_len(&self) -> usize {
        match self {
            Form::Whole(bytes) | Form::Modified(bytes) if bytes.len() <= LONGEST_SHORT => bytes.len(),
            _ => 0,
        }
    }
}

/// A copy of `bytes` in a vector that fills its size class.
fn long(bytes: &[u8]) -> Vec<u8> {
    let mut vec = Vec::with_capacity(class(bytes.len()));
    vec.extend_from_slice(bytes);
    vec
}

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
    fn header(&self) -> &'a AtomicU32 {
        // SAFETY: the first four bytes of a live entry, aligned to 8, are its header; shared accesses are all atomic.
        unsafe { self.ptr.cast::<AtomicU32>().as_ref() }
    }

    #[inline]
    fn kind(&self) -> u8 {
        self.header().load(Ordering::Relaxed) as u8
    }

    /// Reads a `T` at `offset`.
    ///
    /// # Safety
    /// The layout for the entry's kind has a `T` there.
    #[inline]
    unsafe fn field<T: Copy>(&self, offset: usize) -> T {
        // SAFETY: by the caller's word the field is there; it need not be aligned.
        unsafe { self.ptr.add(offset).cast::<T>().read_unaligned() }
    }

    #[inline]
    fn key_len(&self, kind: u8) -> usize {
        // SAFETY: every layout has the key's length at 4, of the width that the kind tells.
        unsafe {
            if kind & WIDE != 0 { self.field::<u32>(4) as usize } else { usize::from(self.field::<u8>(4)) }
        }
    }

    #[inline]
    fn short_len(&self, kind: u8) -> usize {
        match kind & REPR {
            // SAFETY: these representations have the length there.
            EMBSTR | SHORT => usize::from(unsafe { self.field::<u16>(field_at(kind)) }),
            _ => 0,
        }
    }

    /// The size by the layout, of which the allocation is the class.
    #[inline]
    fn size(&self) -> usize {
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

    /// When the entry expires, if ever. It may lie in the past.
    #[inline]
    #[must_use]
    pub fn expiry(&self) -> Option<UnixMs> {
        let kind = self.kind();
        // SAFETY: the layout has the expiry there when the kind says so.
        (kind & HAS_EXPIRY != 0).then(|| UnixMs(unsafe { self.field(expiry_at(kind)) }))
    }

    /// How the value is stored.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        match self.kind() & REPR {
            INT => Encoding::Int,
            EMBSTR => Encoding::Embstr,
            _ => Encoding::Raw,
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
        class(self.size()) + self.long_bytes()
    }

    /// Bytes that a long string takes from the allocator; zero for other values.
    #[inline]
    pub(crate) fn long_bytes(&self) -> usize {
        let kind = self.kind();
        if kind & REPR != LONG {
            return 0;
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

/// An entry that belongs to its holder: not, or no longer, in a table.
pub struct OwnedEntry {
    ptr: NonNull<u8>,
}

// SAFETY: the entry is plain memory that the holder owns.
unsafe impl Send for OwnedEntry {}
// SAFETY: shared access reads plain memory, except for the header, which is accessed atomically.
unsafe impl Sync for OwnedEntry {}

impl std::fmt::Debug for OwnedEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.entry().fmt(f)
    }
}

impl OwnedEntry {
    /// A new entry.
    #[inline]
    pub(crate) fn new(key: &[u8], form: Form<'_>, expiry: Option<UnixMs>, access: Access) -> OwnedEntry {
        assert!(key.len() <= LONGEST_KEY, "a key of {} bytes", key.len());
        let kind = form.repr()
            | if key.len() > 255 { WIDE } else { 0 }
            | if expiry.is_some() { HAS_EXPIRY } else { 0 };
        let at = usize::from(KEY_AT[usize::from(kind)]);
        let layout = layout(at + key.len() + form.short_len());
        // SAFETY: the layout's size is not zero.
        let Some(ptr) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        let mut entry = OwnedEntry { ptr };
        // SAFETY: the allocation has room for the key at `at`, for its length at 4, and for what `fill` writes.
        unsafe {
            ptr.add(at).copy_from_nonoverlapping(NonNull::from(key).cast(), key.len());
            if kind & WIDE != 0 {
                ptr.add(4).cast::<u32>().write_unaligned(key.len() as u32);
            } else {
                ptr.add(4).write(key.len() as u8);
            }
            entry.fill(kind, key.len(), form, expiry, access);
        }
        entry
    }

    /// Writes everything but the key and its length.
    ///
    /// # Safety
    /// The allocation has the size that `kind`, `key_len` and `form` give, and owns no long string any more.
    #[inline]
    unsafe fn fill(
        &mut self,
        kind: u8,
        key_len: usize,
        form: Form<'_>,
        expiry: Option<UnixMs>,
        access: Access,
    ) {
        let field = field_at(kind);
        // SAFETY: each field lies where the layout for this kind has it, within the allocation.
        unsafe {
            self.ptr.cast::<u32>().write(access.bits() << 8 | u32::from(kind));
            if let Some(at) = expiry {
                self.ptr.add(expiry_at(kind)).cast::<i64>().write_unaligned(at.0);
            }
            match form {
                Form::Int(n) => self.ptr.add(field).cast::<i64>().write_unaligned(n),
                Form::Whole(bytes) | Form::Modified(bytes) if kind & REPR != LONG => {
                    self.ptr.add(field).cast::<u16>().write_unaligned(bytes.len() as u16);
                    let at = usize::from(KEY_AT[usize::from(kind)]) + key_len;
                    self.ptr.add(at).copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len());
                }
                Form::Whole(bytes) | Form::Modified(bytes) => self.write_long(field, long(bytes)),
                Form::Long(vec) => self.write_long(field, vec),
            }
        }
    }

    /// # Safety
    /// The kind is that of a long string whose parts are at `field`; what they were is not owned any more.
    unsafe fn write_long(&mut self, field: usize, vec: Vec<u8>) {
        let mut vec = ManuallyDrop::new(vec);
        // The pointer is taken for writing, because the vector will be rebuilt from it.
        let parts = (vec.as_mut_ptr().cast_const(), vec.len(), vec.capacity());
        // SAFETY: by the caller's word the field is there.
        unsafe { self.ptr.add(field).cast::<(*const u8, usize, usize)>().write_unaligned(parts) }
    }

    /// Takes the long string out, if there is one; the parts left behind must not be used again.
    ///
    /// # Safety
    /// The caller overwrites the value or frees the entry without its value.
    unsafe fn take_long(&mut self) -> Option<Vec<u8>> {
        let entry = self.entry();
        let kind = entry.kind();
        (kind & REPR == LONG).then(|| {
            // SAFETY: the parts of a vector that `write_long` took apart; they are used only once.
            unsafe {
                let (data, len, capacity) = entry.field::<(*const u8, usize, usize)>(field_at(kind));
                Vec::from_raw_parts(data.cast_mut(), len, capacity)
            }
        })
    }

    /// A view of the entry.
    #[inline]
    #[must_use]
    pub fn entry(&self) -> Entry<'_> {
        // SAFETY: the entry lives as long as `self`.
        unsafe { EntryPtr(self.ptr).view() }
    }

    /// Gives the entry to a table.
    #[inline]
    pub(crate) fn into_ptr(self) -> EntryPtr {
        EntryPtr(ManuallyDrop::new(self).ptr)
    }

    /// Gives the entry a new form and expiry without moving it; hands the form back if that needs another size class.
    #[inline]
    pub(crate) fn overwrite<'f>(
        &mut self,
        form: Form<'f>,
        expiry: Option<UnixMs>,
        access: Access,
    ) -> Result<(), Form<'f>> {
        if let Form::Whole(bytes) = form
            && self.overwrite_short(bytes, expiry, access)
        {
            return Ok(());
        }
        let entry = self.entry();
        let old = entry.kind();
        let key_len = entry.key_len(old);
        let kind = form.repr() | old & WIDE | if expiry.is_some() { HAS_EXPIRY } else { 0 };
        let (from, to) =
            (usize::from(KEY_AT[usize::from(old) % KINDS]), usize::from(KEY_AT[usize::from(kind)]));
        let (size, wanted) = (from + key_len + entry.short_len(old), to + key_len + form.short_len());
        if size != wanted && class(size) != class(wanted) {
            return Err(form);
        }
        // SAFETY: both layouts fit the allocation, so the key can move within it before the rest is written; the old
        // long string is taken out and then overwritten.
        unsafe {
            if old & REPR == LONG {
                drop(self.take_long());
            }
            if from != to {
                self.ptr.add(from).copy_to(self.ptr.add(to), key_len);
            }
            self.fill(kind, key_len, form, expiry, access);
        }
        Ok(())
    }

    /// The most frequent case of [`OwnedEntry::overwrite`]: a short string without expiry becomes another one of about
    /// the same length, so that the key stays where it is. False, with nothing done, if it is another case.
    #[inline]
    fn overwrite_short(&mut self, bytes: &[u8], expiry: Option<UnixMs>, access: Access) -> bool {
        let entry = self.entry();
        let kind = entry.kind();
        if !matches!(kind, EMBSTR | SHORT) || expiry.is_some() || bytes.len() > LONGEST_SHORT {
            return false;
        }
        let value_at = usize::from(KEY_AT[usize::from(SHORT)]) + entry.key_len(kind);
        let old_len = entry.short_len(kind);
        if old_len != bytes.len() && class(value_at + old_len) != class(value_at + bytes.len()) {
            return false;
        }
        let repr = if Encoding::of_len(bytes.len()) == Encoding::Embstr { EMBSTR } else { SHORT };
        // SAFETY: both strings' layout has the header, the length and the bytes there, and the allocation has room for
        // the new ones because its class stays the same.
        unsafe {
            self.ptr.cast::<u32>().write(access.bits() << 8 | u32::from(repr));
            self.ptr.add(field_at(SHORT)).cast::<u16>().write_unaligned(bytes.len() as u16);
            self.ptr.add(value_at).copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len());
        }
        true
    }

    /// The long string to change in place, if the value is one.
    pub(crate) fn with_long<R>(&mut self, change: impl FnOnce(&mut Vec<u8>) -> R) -> Option<R> {
        // SAFETY: the parts are overwritten right away, with those of an empty vector in case `change` panics.
        let mut vec = unsafe { self.take_long() }?;
        let field = field_at(self.entry().kind());
        // SAFETY: the representation is that of a long string, and its parts were taken out above.
        unsafe { self.write_long(field, Vec::new()) };
        let result = change(&mut vec);
        // SAFETY: as above; the empty vector owns nothing.
        unsafe { self.write_long(field, vec) };
        Some(result)
    }

    /// The short string to change in place without changing its length, if the value is one; it becomes `raw`.
    pub(crate) fn short_mut(&mut self) -> Option<&mut [u8]> {
        let entry = self.entry();
        let kind = entry.kind();
        if !matches!(kind & REPR, EMBSTR | SHORT) {
            return None;
        }
        let at = usize::from(KEY_AT[usize::from(kind) % KINDS]) + entry.key_len(kind);
        let len = entry.short_len(kind);
        let header = entry.header();
        // Embedded and short strings have the same layout, so changing the one into the other is a change of the name.
        header.store(header.load(Ordering::Relaxed) & !u32::from(REPR) | u32::from(SHORT), Ordering::Relaxed);
        // SAFETY: the short string follows the key; `self` is borrowed for as long as the slice.
        Some(unsafe { std::slice::from_raw_parts_mut(self.ptr.add(at).as_ptr(), len) })
    }

    /// Sets or removes the expiry without moving the entry; false if that needs another size class.
    pub(crate) fn overwrite_expiry(&mut self, expiry: Option<UnixMs>) -> bool {
        let entry = self.entry();
        let old = entry.kind();
        let kind = old & !HAS_EXPIRY | if expiry.is_some() { HAS_EXPIRY } else { 0 };
        let (from, to) =
            (usize::from(KEY_AT[usize::from(old) % KINDS]), usize::from(KEY_AT[usize::from(kind)]));
        let tail = entry.size() - from;
        if class(from + tail) != class(to + tail) {
            return false;
        }
        let header = entry.access().bits() << 8 | u32::from(kind);
        // SAFETY: both layouts fit the allocation and differ only in where the key and what follows it are.
        unsafe {
            if from != to {
                self.ptr.add(from).copy_to(self.ptr.add(to), tail);
            }
            self.ptr.cast::<u32>().write(header);
            if let Some(at) = expiry {
                self.ptr.add(expiry_at(kind)).cast::<i64>().write_unaligned(at.0);
            }
        }
        true
    }

    /// The same entry with another expiry; a long string moves over, so that this one is left with an empty value.
    pub(crate) fn succeed(&mut self, expiry: Option<UnixMs>) -> OwnedEntry {
        let long = self.with_long(std::mem::take);
        let entry = self.entry();
        match long {
            Some(vec) => OwnedEntry::new(entry.key(), Form::Long(vec), expiry, entry.access()),
            None => entry.copy(entry.key(), expiry),
        }
    }

    /// The same value, expiry and access bits under another key.
    pub(crate) fn with_key(mut self, key: &[u8]) -> OwnedEntry {
        let long = self.with_long(std::mem::take);
        let entry = self.entry();
        match long {
            Some(vec) => OwnedEntry::new(key, Form::Long(vec), entry.expiry(), entry.access()),
            None => entry.copy(key, entry.expiry()),
        }
    }
}

impl Entry<'_> {
    /// A copy under another key, with another expiry.
    pub(crate) fn copy(&self, key: &[u8], expiry: Option<UnixMs>) -> OwnedEntry {
        let ValueRef::Str(value) = self.value();
        let form = match value {
            StrRef::Int(n) => Form::Int(n),
            StrRef::Bytes(bytes) if self.encoding() == Encoding::Embstr => Form::Whole(bytes),
            StrRef::Bytes(bytes) => Form::Modified(bytes),
        };
        OwnedEntry::new(key, form, expiry, self.access())
    }

    /// A copy.
    pub(crate) fn duplicate(&self) -> OwnedEntry {
        self.copy(self.key(), self.expiry())
    }
}

impl Drop for OwnedEntry {
    #[inline]
    fn drop(&mut self) {
        let layout = layout(self.entry().size());
        // SAFETY: the entry is freed right away, with the layout that it was allocated with (see the invariant).
        unsafe {
            drop(self.take_long());
            dealloc(self.ptr.as_ptr(), layout);
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

#[inline]
fn layout(size: usize) -> Layout {
    // SAFETY: 8 is a power of two, and sizes are bounded by the longest key plus a little over two thousand bytes,
    // which is far below `isize::MAX`.
    unsafe { Layout::from_size_align_unchecked(class(size), 8) }
}

const _: () = assert!(usize::BITS == 64, "an entry's address shares a word with a 16-bit tag");
const _: () = assert!(LONGEST_SHORT <= u16::MAX as usize);

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
