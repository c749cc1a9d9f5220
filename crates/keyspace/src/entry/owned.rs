//! Entries outside of tables: making, changing and freeing them. See [`super`] for the layout.

use super::layout::{
    EMBSTR, Form, HAS_EXPIRY, HASH, INT, KEY_AT, KINDS, LIST, LONG, LONGEST_KEY, LONGEST_SHORT, REPR, SET,
    SHORT, SORTED_SET, STREAM, WIDE, expiry_at, field_at, is_object, kind_of, long,
};
use super::{Entry, EntryPtr};
use crate::access::Access;
use crate::object::{Object, Typed, with_collection};
use crate::value::{Encoding, StrRef, ValueRef, of_len};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;
use tanist_collections::class;
use tanist_types::UnixMs;

/// An entry that belongs to its holder: not, or no longer, in a table.
pub struct OwnedEntry {
    pub(super) ptr: NonNull<u8>,
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
        let kind = kind_of(&form)
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
                Form::Object(object) => self.write_object(object),
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

    /// # Safety
    /// The kind is that of the object; what was at its place is not owned any more.
    unsafe fn write_object(&mut self, object: Object) {
        let word = self.word_at();
        // SAFETY: by the caller's word the place is free, and it is aligned (see the layout).
        unsafe {
            match object {
                Object::List(list) => word.cast().write(list),
                Object::Set(set) => word.cast().write(set),
                Object::Hash(hash) => word.cast().write(hash),
                Object::SortedSet(set) => word.cast().write(set),
                Object::Stream(stream) => word.cast().write(stream),
            }
        }
    }

    /// Where an entry with a collection has its word.
    #[inline]
    fn word_at(&self) -> NonNull<u8> {
        // SAFETY: every entry with a wide key length has eight bytes there.
        unsafe { self.ptr.add(field_at(WIDE)) }
    }

    /// Takes the collection out, if there is one; an integer is left in its place.
    pub(crate) fn take_object(&mut self) -> Option<Object> {
        let kind = self.entry().kind();
        if !is_object(kind) {
            return None;
        }
        let word = self.word_at();
        // SAFETY: the representation tells what is there, and it is overwritten right away with the form of the same
        // size that owns nothing.
        unsafe {
            let object = match kind & REPR {
                LIST => Object::List(word.cast().read()),
                SET => Object::Set(word.cast().read()),
                HASH => Object::Hash(word.cast().read()),
                SORTED_SET => Object::SortedSet(word.cast().read()),
                STREAM => Object::Stream(word.cast().read()),
                _ => unreachable!("no representation has this number"),
            };
            let header = self.entry().access().bits() << 8 | u32::from(kind & !REPR | INT);
            self.ptr.cast::<u32>().write(header);
            word.cast::<i64>().write(0);
            Some(object)
        }
    }

    /// The collection to change in place, if it is of this type.
    #[inline]
    pub(crate) fn collection_mut<T: Typed>(&mut self) -> Option<&mut T> {
        // SAFETY: the representation tells that a `T` is there; `self` is borrowed uniquely.
        (self.entry().kind() & REPR == T::REPR).then(|| unsafe { self.word_at().cast::<T>().as_mut() })
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
        if is_object(old) {
            // Its allocation is of another class, or is not worth the trouble: a collection is seldom overwritten.
            return Err(form);
        }
        let kind = kind_of(&form) | old & WIDE | if expiry.is_some() { HAS_EXPIRY } else { 0 };
        let (from, to) =
            (usize::from(KEY_AT[usize::from(old) % KINDS]), usize::from(KEY_AT[usize::from(kind)]));
        let (size, wanted) = (from + key_len + entry.short_len(old), to + key_len + form.short_len());
        if size != wanted && class(size) != class(wanted) || kind & WIDE != old & WIDE {
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
        let repr = if of_len(bytes.len()) == Encoding::Embstr { EMBSTR } else { SHORT };
        // SAFETY: both strings' layout has the header, the length and the bytes there, and the allocation has room for
        // the new ones because its class stays the same.
        unsafe {
            self.ptr.cast::<u32>().write(access.bits() << 8 | u32::from(repr));
            self.ptr.add(field_at(SHORT)).cast::<u16>().write_unaligned(bytes.len() as u16);
            self.ptr.add(value_at).copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len());
        }
        true
    }

    /// Puts another integer in the place of the one that is there; the expiry stays. False, with nothing done, if the
    /// value is none.
    #[inline]
    pub(crate) fn overwrite_int(&mut self, n: i64, access: Access) -> bool {
        let kind = self.entry().kind();
        if kind & REPR != INT {
            return false;
        }
        // SAFETY: an integer has its eight bytes there, and the header is every entry's.
        unsafe {
            self.ptr.cast::<u32>().write(access.bits() << 8 | u32::from(kind));
            self.ptr.add(field_at(kind)).cast::<i64>().write_unaligned(n);
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

    /// What the value owns besides the entry's allocation, moved out; this one is left with an empty value.
    fn take_outside(&mut self) -> Option<Form<'static>> {
        if let Some(object) = self.take_object() {
            return Some(Form::Object(object));
        }
        self.with_long(std::mem::take).map(Form::Long)
    }

    /// The same entry with another expiry; what the value owns moves over, so that this one is left with an empty value.
    pub(crate) fn succeed(&mut self, expiry: Option<UnixMs>) -> OwnedEntry {
        let outside = self.take_outside();
        let entry = self.entry();
        match outside {
            Some(form) => OwnedEntry::new(entry.key(), form, expiry, entry.access()),
            None => entry.copy(entry.key(), expiry),
        }
    }

    /// The same value, expiry and access bits under another key.
    pub(crate) fn with_key(mut self, key: &[u8]) -> OwnedEntry {
        let outside = self.take_outside();
        let entry = self.entry();
        match outside {
            Some(form) => OwnedEntry::new(key, form, entry.expiry(), entry.access()),
            None => entry.copy(key, entry.expiry()),
        }
    }
}

impl Entry<'_> {
    /// A copy under another key, with another expiry.
    pub(crate) fn copy(&self, key: &[u8], expiry: Option<UnixMs>) -> OwnedEntry {
        let form = match self.value() {
            ValueRef::Str(StrRef::Int(n)) => Form::Int(n),
            ValueRef::Str(StrRef::Bytes(bytes)) if self.encoding() == Encoding::Embstr => Form::Whole(bytes),
            ValueRef::Str(StrRef::Bytes(bytes)) => Form::Modified(bytes),
            collection => {
                with_collection!(collection, value => Form::Object(value.clone().into()), else Form::Int(0))
            }
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
        // Taking a collection out leaves a form of the same size.
        let layout = layout(self.entry().size());
        // SAFETY: the entry is freed right away, with the layout that it was allocated with (see the invariant).
        unsafe {
            drop(self.take_outside());
            dealloc(self.ptr.as_ptr(), layout);
        }
    }
}

#[inline]
fn layout(size: usize) -> Layout {
    // SAFETY: 8 is a power of two, and sizes are bounded by the longest key plus a little over two thousand bytes,
    // which is far below `isize::MAX`.
    unsafe { Layout::from_size_align_unchecked(class(size), 8) }
}
