//! A set of hashes that a walk in their order is to pass over.

use crate::seed::KeyHash;
use hashbrown::HashTable;

/// A set of hashes in many small sets, one per stretch of positions: none is ever large enough to grow slowly, and those
/// behind the cursor are freed.
#[derive(Debug)]
pub struct Hashes {
    stretches: Vec<HashTable<u64>>,
    /// Stretches before this one are behind the cursor.
    first: usize,
    bits: u32,
    len: usize,
}

impl Hashes {
    /// An empty one, fit for a table of `len` elements.
    #[must_use]
    pub fn for_len(len: usize) -> Hashes {
        const MOST_BITS: u32 = 14;
        let bits = (len / 1024).next_power_of_two().ilog2().min(MOST_BITS);
        Hashes { stretches: Vec::new(), first: 0, bits, len: 0 }
    }

    /// Whether there are none.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    fn stretch(&self, h: u64) -> usize {
        (h >> 1 >> (63 - self.bits)) as usize
    }

    /// The leading bits are the same for a whole stretch, and the table wants them to differ.
    #[inline]
    fn spread(h: u64) -> u64 {
        h.rotate_left(32)
    }

    /// Whether this is one of them.
    #[inline]
    #[must_use]
    pub fn contains(&self, h: KeyHash) -> bool {
        self.len > 0
            && self
                .stretches
                .get(self.stretch(h.0))
                .is_some_and(|set| set.find(Hashes::spread(h.0), |&other| other == h.0).is_some())
    }

    /// Adds a hash, if it is not there yet.
    pub fn insert(&mut self, h: KeyHash) {
        if self.stretches.is_empty() {
            self.stretches.resize_with(1 << self.bits, HashTable::new);
        }
        let stretch = self.stretch(h.0);
        let set = &mut self.stretches[stretch];
        if set.find(Hashes::spread(h.0), |&other| other == h.0).is_none() {
            set.insert_unique(Hashes::spread(h.0), h.0, |&other| Hashes::spread(other));
            self.len += 1;
        }
    }

    /// Frees the stretches that a walk has left behind: what is in them is forgotten.
    pub fn forget_before(&mut self, position: u64) {
        let now = self.stretch(position);
        while self.first < now {
            if let Some(set) = self.stretches.get_mut(self.first) {
                self.len -= set.len();
                *set = HashTable::new();
            }
            self.first += 1;
        }
    }

    /// Bytes taken from the allocator, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.stretches.len() * size_of::<HashTable<u64>>() + self.len * 14
    }
}
