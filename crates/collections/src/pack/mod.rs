//! A listpack: a few strings and integers in one run of bytes.
//!
//! ```text
//! total length, 4 bytes │ elements, 2 bytes │ elements, see `code` │ 0xff
//! ```
//! in little-endian order, the very bytes that Redis and Valkey hold and write into snapshots. A count of 65535 means
//! "count them". Invariant: the bytes are valid by [`Pack::from_bytes`], so that reading them needs no errors.
//!
//! Source: <https://github.com/antirez/listpack/blob/master/listpack.md>.

mod code;
mod edit;
mod iter;
mod value;

use crate::blob::{Blob, Format};
use std::ptr::NonNull;

pub use iter::{Iter, Pairs};
pub use value::Value;

const HEADER: usize = 6;
const END: u8 = 0xff;
/// The count that says nothing.
const UNCOUNTED: u16 = u16::MAX;
/// The longest pack: Redis' limit, half of what it could address with a sign.
const LONGEST: usize = if cfg!(test) { TESTED } else { 1 << 30 };
/// What tests can reach without filling the machine's memory.
const TESTED: usize = 1 << 20;

struct Listpack;

impl Format for Listpack {
    const HEADER: usize = HEADER;

    #[inline]
    fn total(header: u64) -> usize {
        header as u32 as usize
    }
}

/// A few strings and integers in one run of bytes; one word.
///
/// Finding an element takes time in proportion to the length in bytes, and so does an edit. Edits keep the count in
/// the header as Redis does: up to 65534.
#[derive(Clone)]
#[repr(transparent)]
pub struct Pack {
    blob: Blob<Listpack>,
}

const _: () = assert!(size_of::<Option<Pack>>() == 8);

/// Where an element of a pack begins. An edit before it makes it stale; a stale or foreign position gives a wrong
/// element or a panic, never more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pos(usize);

/// On which side of an element another one goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// Before it.
    Before,
    /// After it.
    After,
}

/// The pack would be longer than 1 GiB. It is as it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a listpack takes at most 1 GiB")]
pub struct TooLarge;

/// Why bytes are no pack.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PackError {
    /// Shorter than an empty one, or longer than 1 GiB.
    #[error("a listpack of {0} bytes")]
    Size(usize),
    /// The header tells another length.
    #[error("a listpack of {found} bytes that tells {told}")]
    Length {
        /// What the header tells.
        told: usize,
        /// How many bytes there are.
        found: usize,
    },
    /// No element, or a part of one.
    #[error("no whole element at byte {at} of a listpack")]
    Element {
        /// Where it should begin.
        at: usize,
    },
    /// The length at an element's end is not its length.
    #[error("the element at byte {at} of a listpack ends with another length")]
    Back {
        /// Where the element begins.
        at: usize,
    },
    /// The header tells another number of elements.
    #[error("a listpack of {found} elements that tells {told}")]
    Count {
        /// What the header tells.
        told: usize,
        /// How many elements there are.
        found: usize,
    },
    /// The last byte is not the mark of the end.
    #[error("a listpack without an end")]
    End,
}

impl Pack {
    /// An empty one.
    #[must_use]
    pub fn new() -> Pack {
        Pack { blob: Blob::new(&[&[HEADER as u8 + 1, 0, 0, 0, 0, 0, END]]) }
    }

    /// A pack of foreign bytes, every one of which is checked.
    ///
    /// Elements may be encoded in more bytes than they need, as Redis takes them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Pack, PackError> {
        let size = bytes.len();
        if size <= HEADER || size > LONGEST {
            return Err(PackError::Size(size));
        }
        let told = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        if told != size {
            return Err(PackError::Length { told, found: size });
        }
        if bytes[size - 1] != END {
            return Err(PackError::End);
        }
        let elements = &bytes[..size - 1];
        let (mut at, mut found) = (HEADER, 0);
        while at < elements.len() {
            at = code::check(elements, at)?;
            found += 1;
        }
        let told = u16::from_le_bytes([bytes[4], bytes[5]]);
        if told != UNCOUNTED && usize::from(told) != found {
            return Err(PackError::Count { told: usize::from(told), found });
        }
        let mut pack = Pack { blob: Blob::new(&[bytes]) };
        pack.set_count(found);
        Ok(pack)
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

    /// How many elements there are. From 65535 on they are counted, one by one.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.known_count().unwrap_or_else(|| self.count_from(HEADER))
    }

    /// Whether there are no elements.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blob.total() == HEADER + 1
    }

    /// Whether `extra` further bytes, encoding included, are within the limit.
    #[inline]
    #[must_use]
    pub fn would_fit(&self, extra: usize) -> bool {
        extra <= LONGEST - self.blob.total()
    }

    #[inline]
    fn known_count(&self) -> Option<usize> {
        let count = (self.blob.header() >> 32) as u16;
        (count != UNCOUNTED).then_some(usize::from(count))
    }

    fn count_from(&self, mut at: usize) -> usize {
        let (bytes, end) = (self.blob.bytes(), self.end());
        let mut count = 0;
        while at < end {
            at = code::skip(bytes, at);
            count += 1;
        }
        count
    }

    /// Where the mark of the end is.
    #[inline]
    fn end(&self) -> usize {
        self.blob.total() - 1
    }

    /// The first element.
    #[inline]
    #[must_use]
    pub fn first(&self) -> Option<Pos> {
        (!self.is_empty()).then_some(Pos(HEADER))
    }

    /// The last element.
    #[inline]
    #[must_use]
    pub fn last(&self) -> Option<Pos> {
        self.before(self.end())
    }

    /// The element after this one.
    #[inline]
    #[must_use]
    pub fn next(&self, pos: Pos) -> Option<Pos> {
        let at = code::skip(self.blob.bytes(), pos.0);
        (at < self.end()).then_some(Pos(at))
    }

    /// The element before this one.
    #[inline]
    #[must_use]
    pub fn prev(&self, pos: Pos) -> Option<Pos> {
        self.before(pos.0)
    }

    #[inline]
    fn before(&self, at: usize) -> Option<Pos> {
        (at > HEADER).then(|| Pos(code::skip_back(self.blob.bytes(), at)))
    }

    /// What the element is.
    #[inline]
    #[must_use]
    pub fn get(&self, pos: Pos) -> Value<'_> {
        code::decode(self.blob.bytes(), pos.0).0
    }

    /// The element of this index, from the nearer end; negative ones count from the last, which is -1.
    #[must_use]
    pub fn seek(&self, index: isize) -> Option<Pos> {
        let (mut steps, mut forward) = (index.unsigned_abs(), index >= 0);
        if let Some(count) = self.known_count() {
            let from_first = if forward { steps } else { count.checked_sub(steps)? };
            let from_last = count.checked_sub(from_first).filter(|&n| n > 0)?;
            forward = from_first < from_last;
            steps = if forward { from_first } else { from_last };
        }
        if forward {
            let mut pos = self.first()?;
            for _ in 0..steps {
                pos = self.next(pos)?;
            }
            Some(pos)
        } else {
            let mut pos = self.last()?;
            for _ in 1..steps {
                pos = self.prev(pos)?;
            }
            Some(pos)
        }
    }

    /// The first element, at `from` or behind it, that has this text; after each element looked at, `skip` others are
    /// passed over (one in a hash, whose values are not looked for).
    #[must_use]
    pub fn find_from(&self, from: Pos, text: &[u8], skip: usize) -> Option<Pos> {
        let (bytes, end) = (self.blob.bytes(), self.end());
        let number = crate::parse_int(text);
        let mut at = from.0;
        while at < end {
            let (value, next) = code::decode(bytes, at);
            let same = match value {
                Value::Str(found) => found == text,
                Value::Int(found) => Some(found) == number,
            };
            if same {
                return Some(Pos(at));
            }
            at = next;
            for _ in 0..skip {
                if at >= end {
                    break;
                }
                at = code::skip(bytes, at);
            }
        }
        None
    }

    /// [`Pack::find_from`] the first element.
    #[inline]
    #[must_use]
    pub fn find(&self, text: &[u8], skip: usize) -> Option<Pos> {
        self.find_from(Pos(HEADER), text, skip)
    }

    /// The elements; from the last with [`Iterator::rev`].
    #[inline]
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter::new(self.blob.bytes(), HEADER, self.end())
    }

    /// The elements from this one on.
    #[inline]
    #[must_use]
    pub fn iter_from(&self, pos: Pos) -> Iter<'_> {
        Iter::new(self.blob.bytes(), pos.0, self.end())
    }

    /// The elements, two at a time: a hash's fields with their values, a sorted set's members with their scores. An
    /// odd one at the end is left out.
    #[inline]
    #[must_use]
    pub fn pairs(&self) -> Pairs<'_> {
        Pairs::new(self.iter())
    }

    /// The address, whose low three bits are zero; whoever takes it owns the pack.
    #[inline]
    #[must_use]
    pub fn into_raw(self) -> NonNull<u8> {
        self.blob.into_raw()
    }

    /// Back from [`Pack::into_raw`].
    ///
    /// # Safety
    /// The address is from there, with the provenance it had, and no other copy of it is used while the result lives.
    #[inline]
    #[must_use]
    #[allow(unsafe_code)]
    pub unsafe fn from_raw(ptr: NonNull<u8>) -> Pack {
        // SAFETY: by the caller's word.
        Pack { blob: unsafe { Blob::from_raw(ptr) } }
    }
}

impl Default for Pack {
    fn default() -> Pack {
        Pack::new()
    }
}

impl PartialEq for Pack {
    fn eq(&self, other: &Pack) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Pack {}

impl std::fmt::Debug for Pack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for &'a Pack {
    type Item = Value<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

#[cfg(test)]
mod tests;
