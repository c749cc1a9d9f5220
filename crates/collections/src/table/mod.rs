//! The table: a set of addresses ordered by hash, in cache-line buckets, that never pauses for long.
//!
//! The leading bits of the hash choose a segment through a [`directory`]; the next 16 bits, the tag, choose the home
//! bucket in it (`tag × buckets / 65536`) and tell most other entries apart without touching them. Because homes ascend
//! with tags, a segment grows and shrinks by about a fifth without touching entries. At 64 to 128 buckets it is split by
//! one more bit, which reads the keys of at most some 1,150 entries: the longest pause there is, tens of microseconds.
//! Hashes are uniform, so that segments are about equally full: each has a largest size of its own, or all of them would
//! have to be split within the same few insertions.
//!
//! The order of the hash is the order of walks. A position is a hash: everything before it has been visited, whatever
//! happened to the table meanwhile. That gives SCAN its guarantee and snapshots their "already emitted".
//!
//! The table knows addresses, not entries: whoever inserts hands in a function from address to hash, for splits.
//!
//! Invariants ([`Table::check`]): a segment's entries share its prefix; a word's tag is that of the entry's hash; an
//! entry is at most [`REACH`](segment) buckets behind its home, and the buckets between are marked as passed over; the
//! slots of a directory that share a segment's prefix name that segment; counts are kept.

mod bucket;
mod directory;
mod segment;

use bucket::{WORDS, Word};
use directory::Directory;
use segment::{Segment, Spot, limit, next_size, roomy_size};

pub(crate) use segment::prefetch;
use tanist_types::Rng;

/// A segment is merged with its sibling when both together have at most this many entries.
const MERGE_AT: usize = 400;
/// Beyond this depth a position would not fit a scan's cursor; four thousand million segments.
const MAX_DEPTH: u8 = 32;

/// See the module's comment.
#[derive(Debug)]
pub struct Table {
    root: Directory,
    len: usize,
    bytes: usize,
}

/// Where an address was found; valid until the table changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    spot: Spot,
    /// The address.
    pub address: u64,
}

impl Default for Table {
    fn default() -> Table {
        Table::new()
    }
}

impl Table {
    /// An empty table.
    pub fn new() -> Table {
        let segment = Segment::empty(0, 1);
        let root = Directory::new(0, segment);
        Table { bytes: segment.bytes() + root.bytes(), root, len: 0 }
    }

    /// Whether there are no addresses.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of addresses.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The bytes that the table itself occupies.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Brings the home bucket of a hash into the cache.
    // In a loop for many hashes, whatever lies between two fetches keeps the second one back.
    #[inline(always)]
    pub fn prefetch(&self, hash: u64) {
        self.root.segment(hash).prefetch(hash);
    }

    /// Brings what the home bucket of a hash most likely points to into the cache.
    #[inline]
    pub fn prefetch_entry(&self, hash: u64) {
        self.root.segment(hash).prefetch_entry(hash);
    }

    /// The address with this hash for which `is` holds.
    #[inline]
    pub fn find(&self, hash: u64, is: impl FnMut(u64) -> bool) -> Option<Found> {
        let (spot, address) = self.root.segment(hash).find(hash, is)?;
        Some(Found { spot, address })
    }

    /// Adds an address that is not there.
    #[inline]
    pub fn insert(&mut self, hash: u64, address: u64, hash_of: &dyn Fn(u64) -> u64) {
        assert!(Word::fits(address), "an address of more than 48 bits");
        self.len += 1;
        loop {
            let segment = self.root.lead(hash);
            let word = Word::new(segment.tag(hash), address);
            if usize::from(segment.count) < limit(segment.buckets) && segment.place(word).is_some() {
                segment.count += 1;
                return;
            }
            self.make_room(hash, hash_of);
        }
    }

    /// Exchanges a found address for another one of the same hash.
    #[inline]
    pub fn replace(&mut self, hash: u64, found: Found, address: u64) {
        self.root.lead(hash).set_address(found.spot, address);
    }

    /// Removes a found address.
    pub fn remove(&mut self, hash: u64, found: Found) {
        let segment = self.root.lead(hash);
        segment.clear(found.spot);
        segment.count -= 1;
        self.len -= 1;
        // Entries that are left close together, as by removals in the order of the hash, may find no place in a smaller
        // segment: so it is tried now and then, not at every removal.
        let pause = (segment.buckets / 2).max(1);
        if usize::from(segment.count) * 2 < usize::from(segment.buckets) * WORDS
            && segment.count.is_multiple_of(pause)
        {
            self.make_smaller(hash);
        }
    }

    #[cold]
    fn make_room(&mut self, hash: u64, hash_of: &dyn Fn(u64) -> u64) {
        let old = *self.root.lead(hash);
        if old.buckets < old.most_buckets(hash) || old.depth == MAX_DEPTH {
            self.rebuild(hash, old, next_size(old.buckets));
        } else {
            self.split(hash, old, hash_of);
        }
    }

    fn rebuild(&mut self, hash: u64, old: Segment, buckets: u16) {
        self.rebuilt(hash, old, Segment::build(old.depth, buckets, old.words()));
    }

    /// Puts a segment in the place of that with the same entries.
    fn rebuilt(&mut self, hash: u64, old: Segment, new: Segment) {
        self.root.rebuilt(hash, new);
        self.exchange(&[old], &[new]);
    }

    fn split(&mut self, hash: u64, old: Segment, hash_of: &dyn Fn(u64) -> u64) {
        // Far enough ahead for memory to answer, near enough not to be evicted again.
        const AHEAD: usize = 24;
        let words: Vec<Word> = old.words().collect();
        let mut halves = [Vec::with_capacity(words.len()), Vec::with_capacity(words.len())];
        let depth = old.depth + 1;
        for (at, word) in words.iter().enumerate() {
            if let Some(later) = words.get(at + AHEAD) {
                prefetch(std::ptr::without_provenance(later.address() as usize));
            }
            let h = hash_of(word.address());
            halves[usize::from(word.tag() >> 15)]
                .push(Word::new(((h << depth) >> 48) as u16, word.address()));
        }
        let new = halves.map(|words| Segment::build(depth, roomy_size(words.len()), words.iter().copied()));
        self.bytes += self.root.split(hash, new);
        self.exchange(&[old], &new);
    }

    #[cold]
    fn make_smaller(&mut self, hash: u64) {
        while self.merge(hash) {}
        let old = *self.root.lead(hash);
        // What lies close together may need as much room as there is.
        let least = roomy_size(usize::from(old.count));
        if let Some(new) = Segment::build_within(old.depth, least, old.buckets, old.words()) {
            self.rebuilt(hash, old, new);
        }
    }

    /// Merges the segment of `hash` with its sibling if both are small, and if one segment has a place for all: what
    /// removals in the order of the hash leave lies in an ever smaller part of the union, level by level.
    fn merge(&mut self, hash: u64) -> bool {
        let one = *self.root.lead(hash);
        if one.depth == 0 {
            return false;
        }
        let bit = 1 << (64 - one.depth);
        let left = *self.root.lead(hash & !bit);
        let right = *self.root.lead(hash | bit);
        let count = usize::from(left.count) + usize::from(right.count);
        if left.depth != right.depth || count > MERGE_AT {
            return false;
        }
        let up = |half: u16| move |word: Word| Word::new(half << 15 | word.tag() >> 1, word.address());
        let words = left.words().map(up(0)).chain(right.words().map(up(1)));
        let end = Segment::MAX_BUCKETS + 1;
        let Some(union) = Segment::build_within(one.depth - 1, roomy_size(count), end, words) else {
            return false;
        };
        self.bytes -= self.root.merge(hash, union);
        self.exchange(&[left, right], &[union]);
        true
    }

    /// Frees segments that no slot names any more, and accounts for those that came in their place.
    fn exchange(&mut self, old: &[Segment], new: &[Segment]) {
        for segment in old {
            self.bytes -= segment.bytes();
            segment.free();
        }
        self.bytes += new.iter().map(Segment::bytes).sum::<usize>();
    }

    /// Visits the addresses of one home bucket: those whose hash is at or behind `from` and before the position
    /// returned, where the next one begins. `None` is the end.
    pub fn visit(&self, from: u64, hash_of: &dyn Fn(u64) -> u64, see: &mut dyn FnMut(u64)) -> Option<u64> {
        let segment = self.root.segment(from);
        let tag = segment.tag(from);
        let home = segment.home(tag);
        segment.prefetch_entries(home + 1);
        // A position of finer resolution than tags cuts through the entries of its tag.
        let cuts = from << segment.depth << 16 != 0;
        for word in segment.words_of(home) {
            if word.tag() > tag || word.tag() == tag && !(cuts && hash_of(word.address()) < from) {
                see(word.address());
            }
        }
        let start = from & !segment.rest();
        let end = segment.tags_end(home);
        if end == 1 << 16 {
            start.checked_add(segment.rest())?.checked_add(1)
        } else {
            Some(start + (end << (48 - segment.depth)))
        }
    }

    /// A random address, each about as likely; `None` if there are none.
    pub fn random(&self, rng: &mut Rng) -> Option<u64> {
        // A table is seldom less than a third full, and never less than an eighth unless it has a single bucket.
        const TRIES: usize = 64;
        if self.len == 0 {
            return None;
        }
        for _ in 0..TRIES {
            let bits = rng.next_u64();
            let segment = self.root.segment(bits);
            let slot = rng.below(u64::from(segment.buckets) * WORDS as u64) as usize;
            let address = segment.all()[slot / WORDS].word(slot % WORDS).address();
            if address != 0 {
                return Some(address);
            }
        }
        let start = rng.next_u64();
        self.first_from(start).or_else(|| self.first_from(0))
    }

    /// The first address at or behind a position, roughly.
    fn first_from(&self, from: u64) -> Option<u64> {
        let mut at = Some(from);
        while let Some(from) = at {
            let mut first = None;
            at = self.visit(from, &|_| u64::MAX, &mut |address| first = first.or(Some(address)));
            if first.is_some() {
                return first;
            }
        }
        None
    }

    /// Calls `see` with every address.
    pub fn for_each(&self, see: &mut dyn FnMut(u64)) {
        self.for_each_segment(&mut |_, segment| {
            for home in 0..usize::from(segment.buckets) {
                segment.prefetch_entries(home + 2);
                segment.all()[home].words().for_each(|word| see(word.address()));
            }
        });
    }

    fn for_each_segment(&self, see: &mut dyn FnMut(u64, &Segment)) {
        let mut at = Some(0u64);
        while let Some(prefix) = at {
            let segment = self.root.segment(prefix);
            see(prefix, segment);
            at = prefix.checked_add(segment.rest()).and_then(|last| last.checked_add(1));
        }
    }

    /// Panics unless the invariants hold.
    pub fn check(&self, hash_of: &dyn Fn(u64) -> u64) {
        self.root.check();
        let (mut len, mut bytes) = (0, self.root.all_bytes());
        self.for_each_segment(&mut |prefix, segment| {
            segment.check(prefix, hash_of);
            len += usize::from(segment.count);
            bytes += segment.bytes();
        });
        assert_eq!(len, self.len);
        assert_eq!(bytes, self.bytes, "the memory of the table is accounted for");
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        let mut segments = Vec::new();
        self.for_each_segment(&mut |_, segment| segments.push(*segment));
        for segment in segments {
            segment.free();
        }
    }
}

#[cfg(test)]
mod tests;
