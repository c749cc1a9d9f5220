//! Bytes that tell their own length, behind one word.
//!
//! Invariants, on which the unsafe code relies:
//! - The allocation is `class(total)` bytes, aligned to 8, where `total` is what [`Format::total`] reads from the first
//!   eight bytes. So neither length nor capacity is stored beside the bytes, and growing or shrinking moves them
//!   exactly when the class changes.
//! - The first `total` bytes are initialized, and never fewer than eight, so that the header can always be read.
//! - Nothing but [`Blob::splice`] changes the header of a live blob.
#![allow(unsafe_code)]

use crate::class::class;
use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, handle_alloc_error, realloc};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// How the bytes tell their length.
pub(crate) trait Format {
    /// Bytes of the header, at most eight. The total is never below.
    const HEADER: usize;

    /// The total length by the first eight bytes, read in little-endian order; those after the header do not matter.
    fn total(header: u64) -> usize;
}

/// An owned byte string in the format `F`.
#[repr(transparent)]
pub(crate) struct Blob<F: Format> {
    ptr: NonNull<u8>,
    format: PhantomData<F>,
}

// SAFETY: a blob is plain memory that the holder owns.
unsafe impl<F: Format> Send for Blob<F> {}
// SAFETY: shared access only reads.
unsafe impl<F: Format> Sync for Blob<F> {}

impl<F: Format> Blob<F> {
    /// A copy of the parts, one after the other, the first of which begins with the header.
    ///
    /// # Panics
    /// If the header tells another length than that of the parts: a format's own error.
    pub(crate) fn new(parts: &[&[u8]]) -> Blob<F> {
        let total = parts.iter().map(|part| part.len()).sum();
        assert!(total >= F::HEADER && F::HEADER <= 8);
        let layout = layout(total);
        // SAFETY: the layout is not of size zero; a class has at least eight bytes.
        let ptr = NonNull::new(unsafe { alloc(layout) }).unwrap_or_else(|| handle_alloc_error(layout));
        // SAFETY: the allocation has at least eight bytes, and room for all the parts, whose lengths sum up to `total`.
        unsafe {
            ptr.cast::<u64>().write(0);
            put(ptr, parts);
        }
        let blob = Blob { ptr, format: PhantomData };
        blob.checked(total)
    }

    /// Makes a blob of `header` and a body of `body` bytes, which are zero until `fill` has written them.
    ///
    /// # Panics
    /// If the header tells another length: a format's own error.
    pub(crate) fn build(header: &[u8], body: usize, fill: impl FnOnce(&mut [u8])) -> Blob<F> {
        assert!(header.len() == F::HEADER && F::HEADER <= 8);
        let total = F::HEADER + body;
        let layout = layout(total);
        // SAFETY: the layout is not of size zero; a class has at least eight bytes.
        let ptr = NonNull::new(unsafe { alloc_zeroed(layout) }).unwrap_or_else(|| handle_alloc_error(layout));
        // SAFETY: the allocation has `total` bytes, of which the header takes the first.
        unsafe { put(ptr, &[header]) };
        let mut blob = Blob { ptr, format: PhantomData }.checked(total);
        fill(blob.body_mut());
        blob
    }

    /// Makes sure that a blob just made is as long as its header says; one that is not is leaked rather than freed
    /// with a wrong layout.
    fn checked(self, total: usize) -> Blob<F> {
        let blob = ManuallyDrop::new(self);
        assert_eq!(F::total(blob.header()), total, "the header tells the length");
        ManuallyDrop::into_inner(blob)
    }

    /// The first eight bytes.
    #[inline]
    pub(crate) fn header(&self) -> u64 {
        // SAFETY: the first eight bytes are initialized, and the allocation is aligned to 8.
        u64::from_le(unsafe { self.ptr.cast::<u64>().read() })
    }

    #[inline]
    pub(crate) fn total(&self) -> usize {
        F::total(self.header())
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: `total` bytes are initialized, and stay as they are while `self` is borrowed.
        unsafe { std::slice::from_raw_parts(self.ptr.as_ptr(), self.total()) }
    }

    /// What follows the header.
    #[inline]
    pub(crate) fn body_mut(&mut self) -> &mut [u8] {
        let len = self.total() - F::HEADER;
        // SAFETY: those bytes are initialized, they are not the header, and `self` is borrowed for as long.
        unsafe { std::slice::from_raw_parts_mut(self.ptr.add(F::HEADER).as_ptr(), len) }
    }

    /// Bytes taken from the allocator.
    #[inline]
    pub(crate) fn allocated(&self) -> usize {
        class(self.total())
    }

    /// Puts `parts`, one after the other, in the place of the `old` bytes at `at`, and `header` in the place of the
    /// header.
    ///
    /// # Panics
    /// If the range is not in the body or the header does not tell the new length: a format's own error. Nothing has
    /// changed then.
    pub(crate) fn splice(&mut self, at: usize, old: usize, parts: &[&[u8]], header: &[u8]) {
        let total = self.total();
        let new = parts.iter().map(|part| part.len()).sum::<usize>();
        assert!(at >= F::HEADER && at <= total && old <= total - at);
        assert!(header.len() == F::HEADER);
        let new_total = total - old + new;
        let mut word = [0; 8];
        word[..F::HEADER].copy_from_slice(header);
        assert_eq!(F::total(u64::from_le_bytes(word)), new_total, "the header tells the length");

        let (held, needed) = (class(total), class(new_total));
        if needed > held {
            self.reallocate(total, new_total);
        }
        // SAFETY: the allocation has room for the longer of the two totals, so for the tail where it is and where it
        // goes, and for the parts before it; the parts are borrowed, so they are not in this allocation.
        unsafe {
            let gap = self.ptr.add(at);
            if old != new {
                gap.add(old).copy_to(gap.add(new), total - at - old);
            }
            put(gap, parts);
        }
        if needed < held {
            self.reallocate(total, new_total);
        }
        // SAFETY: as in `new`.
        unsafe { put(self.ptr, &[header]) };
    }

    /// Makes the allocation, which is that of `from` bytes, one of `to` bytes. The header is the caller's to change.
    fn reallocate(&mut self, from: usize, to: usize) {
        let new = layout(to);
        // SAFETY: the allocation has the layout of `from` bytes, and the new size is neither zero nor too large.
        let ptr = unsafe { realloc(self.ptr.as_ptr(), layout(from), new.size()) };
        self.ptr = NonNull::new(ptr).unwrap_or_else(|| handle_alloc_error(new));
    }

    /// The address, whose low three bits are zero; the caller owns the bytes from now on.
    #[inline]
    pub(crate) fn into_raw(self) -> NonNull<u8> {
        ManuallyDrop::new(self).ptr
    }

    /// # Safety
    /// The address is from [`Blob::into_raw`] of the same format, with the provenance it had, and is given up by the
    /// caller.
    #[inline]
    pub(crate) unsafe fn from_raw(ptr: NonNull<u8>) -> Blob<F> {
        Blob { ptr, format: PhantomData }
    }
}

impl<F: Format> Clone for Blob<F> {
    fn clone(&self) -> Blob<F> {
        Blob::new(&[self.bytes()])
    }
}

impl<F: Format> Drop for Blob<F> {
    #[inline]
    fn drop(&mut self) {
        let layout = layout(self.total());
        // SAFETY: the allocation has the layout of its total.
        unsafe { dealloc(self.ptr.as_ptr(), layout) };
    }
}

/// Writes the parts, one after the other, from `to` on.
///
/// # Safety
/// There is room for them, and none of them is part of it.
#[inline]
unsafe fn put(mut to: NonNull<u8>, parts: &[&[u8]]) {
    for part in parts {
        // SAFETY: by the caller's word.
        unsafe {
            to.as_ptr().copy_from_nonoverlapping(part.as_ptr(), part.len());
            to = to.add(part.len());
        }
    }
}

/// The layout of an allocation for `total` bytes.
///
/// # Panics
/// If there can be no such allocation.
#[inline]
fn layout(total: usize) -> Layout {
    Layout::from_size_align(class(total), 8).expect("a length within the address space")
}

#[cfg(test)]
mod tests {
    use crate::{IntSet, Pack};

    #[test]
    #[allow(unsafe_code)]
    fn a_word_holds_a_blob_and_a_tag() {
        let (mut pack, mut set) = (Pack::new(), IntSet::new());
        for n in 0..1_000 {
            pack.push_back(n).unwrap();
            set.insert(n << 20);
            let word = pack.into_raw().as_ptr().expose_provenance() | 5;
            assert_eq!(word & 7, 5);
            let ptr = std::ptr::NonNull::new(std::ptr::with_exposed_provenance_mut(word & !7)).unwrap();
            // SAFETY: the address is that of the pack given up above, and its provenance was exposed.
            pack = unsafe { Pack::from_raw(ptr) };
            // SAFETY: the address is that of the set just given up.
            set = unsafe { IntSet::from_raw(set.into_raw()) };
        }
        assert_eq!((pack.len(), set.len()), (1_000, 1_000));
        assert!(pack.iter().filter_map(|value| value.to_int()).eq(0..1_000));
        let moved = std::thread::scope(|scope| scope.spawn(move || pack.clone()).join().unwrap());
        assert_eq!(moved.len(), 1_000);
    }
}
