//! An intset: a set of integers, sorted, each in as many bytes as the widest needs.
//!
//! ```text
//! bytes of an integer (2, 4, 8), 4 bytes │ integers, 4 bytes │ integers in ascending order
//! ```
//! in little-endian order, the very bytes that Redis and Valkey hold and write into snapshots. The width grows when it
//! has to and never shrinks.

use crate::blob::{Blob, Format};
use std::ptr::NonNull;

const HEADER: usize = 8;

struct Intset;

impl Format for Intset {
    const HEADER: usize = HEADER;

    #[inline]
    fn total(header: u64) -> usize {
        HEADER + (header as u32 as usize) * (header >> 32) as usize
    }
}

/// A sorted set of integers in one run of bytes; one word.
///
/// Finding an integer takes logarithmic time, adding and removing one time in proportion to the length.
#[derive(Clone)]
#[repr(transparent)]
pub struct IntSet {
    blob: Blob<Intset>,
}

const _: () = assert!(size_of::<Option<IntSet>>() == 8);

/// Why bytes are no intset.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IntSetError {
    /// Shorter than an empty one, or not as long as width and number say.
    #[error("an intset of {0} bytes, which its header contradicts")]
    Length(usize),
    /// Integers of no known width.
    #[error("an intset of integers of {0} bytes")]
    Width(u32),
    /// An integer is not greater than the one before.
    #[error("an intset whose integer {0} is out of order")]
    Order(usize),
}

/// Bytes that the integer needs.
#[inline]
fn width_of(n: i64) -> usize {
    if i16::try_from(n).is_ok() {
        2
    } else if i32::try_from(n).is_ok() {
        4
    } else {
        8
    }
}

/// The integer of `width` bytes with this index.
#[inline]
fn read(integers: &[u8], width: usize, index: usize) -> Option<i64> {
    let bytes = integers.get(index * width..)?;
    match width {
        2 => bytes.first_chunk().map(|b| i64::from(i16::from_le_bytes(*b))),
        4 => bytes.first_chunk().map(|b| i64::from(i32::from_le_bytes(*b))),
        _ => bytes.first_chunk().map(|b| i64::from_le_bytes(*b)),
    }
}

fn header(width: usize, len: usize) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&(width as u32).to_le_bytes());
    header[4..].copy_from_slice(&(len as u32).to_le_bytes());
    header
}

impl IntSet {
    /// An empty one.
    #[must_use]
    pub fn new() -> IntSet {
        IntSet { blob: Blob::new(&[&header(2, 0)]) }
    }

    /// A set of foreign bytes, every one of which is checked.
    pub fn from_bytes(bytes: &[u8]) -> Result<IntSet, IntSetError> {
        let wrong = IntSetError::Length(bytes.len());
        let (header, integers) = bytes.split_first_chunk::<HEADER>().ok_or(wrong)?;
        let header = u64::from_le_bytes(*header);
        let (width, len) = (header as u32, (header >> 32) as usize);
        if !matches!(width, 2 | 4 | 8) {
            return Err(IntSetError::Width(width));
        }
        let width = width as usize;
        if integers.len() != len * width {
            return Err(wrong);
        }
        let mut last = None;
        for index in 0..len {
            let n = read(integers, width, index);
            if n <= last {
                return Err(IntSetError::Order(index));
            }
            last = n;
        }
        Ok(IntSet { blob: Blob::new(&[bytes]) })
    }

    /// The bytes: what a snapshot holds.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.blob.bytes()
    }

    /// How long the bytes are.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.blob.total()
    }

    /// Bytes taken from the allocator.
    #[inline]
    #[must_use]
    pub fn allocated(&self) -> usize {
        self.blob.allocated()
    }

    #[inline]
    fn width(&self) -> usize {
        self.blob.header() as u32 as usize
    }

    /// How many integers there are.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        (self.blob.header() >> 32) as usize
    }

    /// Whether there are none.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The integer with this index, in ascending order.
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> Option<i64> {
        if index < self.len() { read(&self.as_bytes()[HEADER..], self.width(), index) } else { None }
    }

    /// The least integer.
    #[must_use]
    pub fn min(&self) -> Option<i64> {
        self.get(0)
    }

    /// The greatest integer.
    #[must_use]
    pub fn max(&self) -> Option<i64> {
        self.get(self.len().checked_sub(1)?)
    }

    /// Where the integer is, or else where it would go.
    fn search(&self, n: i64) -> Result<usize, usize> {
        let (width, integers) = (self.width(), &self.as_bytes()[HEADER..]);
        // Integers often come in ascending order.
        if self.max().is_none_or(|max| n > max) {
            return Err(self.len());
        }
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if read(integers, width, middle) < Some(n) { low = middle + 1 } else { high = middle }
        }
        if read(integers, width, low) == Some(n) { Ok(low) } else { Err(low) }
    }

    /// The index of the integer.
    #[inline]
    #[must_use]
    pub fn position(&self, n: i64) -> Option<usize> {
        if width_of(n) > self.width() { None } else { self.search(n).ok() }
    }

    /// Whether the integer is there.
    #[inline]
    #[must_use]
    pub fn contains(&self, n: i64) -> bool {
        self.position(n).is_some()
    }

    /// Adds the integer; false if it was there.
    ///
    /// # Panics
    /// If there are 2³² - 1 integers, which is far beyond any threshold.
    pub fn insert(&mut self, n: i64) -> bool {
        assert!(self.len() < u32::MAX as usize);
        if width_of(n) > self.width() {
            self.widen_with(n);
            return true;
        }
        let Err(index) = self.search(n) else { return false };
        let width = self.width();
        let bytes = n.to_le_bytes();
        self.blob.splice(HEADER + index * width, 0, &[&bytes[..width]], &header(width, self.len() + 1));
        true
    }

    /// Adds an integer that needs more bytes than the others: it is less or greater than all of them.
    fn widen_with(&mut self, n: i64) {
        let (width, len) = (width_of(n), self.len() + 1);
        let before = (n < 0).then_some(n);
        let after = (n >= 0).then_some(n);
        let integers = before.into_iter().chain(self.iter()).chain(after);
        self.blob = Blob::build(&header(width, len), width * len, |body| {
            for (place, n) in body.chunks_exact_mut(width).zip(integers) {
                place.copy_from_slice(&n.to_le_bytes()[..width]);
            }
        });
    }

    /// Removes the integer; false if it was not there.
    pub fn remove(&mut self, n: i64) -> bool {
        let Some(index) = self.position(n) else { return false };
        let width = self.width();
        self.blob.splice(HEADER + index * width, width, &[], &header(width, self.len() - 1));
        true
    }

    /// The integers, in ascending order.
    #[inline]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = i64> + ExactSizeIterator + Clone + '_ {
        let (width, integers) = (self.width(), &self.as_bytes()[HEADER..]);
        integers.chunks_exact(width).map(move |chunk| read(chunk, width, 0).unwrap_or_default())
    }

    /// The address, whose low three bits are zero; whoever takes it owns the set.
    #[inline]
    #[must_use]
    pub fn into_raw(self) -> NonNull<u8> {
        self.blob.into_raw()
    }

    /// Back from [`IntSet::into_raw`].
    ///
    /// # Safety
    /// The address is from there, with the provenance it had, and no other copy of it is used while the result lives.
    #[inline]
    #[must_use]
    #[allow(unsafe_code)]
    pub unsafe fn from_raw(ptr: NonNull<u8>) -> IntSet {
        // SAFETY: by the caller's word.
        IntSet { blob: unsafe { Blob::from_raw(ptr) } }
    }
}

impl Default for IntSet {
    fn default() -> IntSet {
        IntSet::new()
    }
}

impl PartialEq for IntSet {
    fn eq(&self, other: &IntSet) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for IntSet {}

impl std::fmt::Debug for IntSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests;
