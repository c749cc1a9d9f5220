//! The memory of segments: arrays of buckets that several slots of a directory may name.
#![allow(unsafe_code)]

use super::bucket::{Bucket, WORDS, Word};
use std::ptr::NonNull;

/// How far behind its home an entry may be placed, in buckets.
const REACH: usize = 16;
/// The numbers of buckets that a segment has: each a size class of the allocator, each about a fifth more.
const SIZES: [u16; 24] =
    [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128];

/// Names a segment: where its buckets are, and which hashes belong to it. Copies name the same memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    base: NonNull<Bucket>,
    /// The number of buckets.
    pub(super) buckets: u16,
    /// The number of entries; kept only in the first slot of those that name the segment.
    pub(super) count: u16,
    /// The number of leading hash bits that all entries share.
    pub(super) depth: u8,
}

/// Where a word is: the bucket's number and the slot in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Spot {
    pub(super) bucket: usize,
    pub(super) slot: usize,
}

#[cfg(test)]
thread_local! {
    /// How many words this thread has put into new segments.
    pub(super) static MOVED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl Segment {
    /// The largest number of buckets of any segment that may be split.
    pub(super) const MAX_BUCKETS: u16 = SIZES[SIZES.len() - 1];

    /// How large the segment of `hash` becomes before it is split: one of the last sizes, chosen by its prefix.
    pub(super) fn most_buckets(&self, hash: u64) -> u16 {
        const CHOICES: u64 = 5;
        let prefix = (hash & !self.rest()).rotate_left(self.depth.into());
        let mixed = ((prefix << 8) | u64::from(self.depth)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        SIZES[SIZES.len() - 1 - (((mixed >> 32) * CHOICES) >> 32) as usize]
    }

    /// A new segment with all of `words`, of at least `buckets` buckets. It may have more than
    /// [`Segment::MAX_BUCKETS`] if many words lie close together.
    pub(super) fn build(depth: u8, mut buckets: u16, words: impl Iterator<Item = Word> + Clone) -> Segment {
        loop {
            // Too many entries close together: seldom, and ever more seldom in a larger segment.
            match Segment::try_build(depth, buckets, words.clone()) {
                Some(segment) => return segment,
                None => buckets = next_size(buckets),
            }
        }
    }

    /// A new segment of at least `least` and fewer than `end` buckets with all of `words`, if they have a place there.
    pub(super) fn build_within(
        depth: u8,
        least: u16,
        end: u16,
        words: impl Iterator<Item = Word> + Clone,
    ) -> Option<Segment> {
        let crowd = Crowd::of(words.clone());
        let sizes =
            std::iter::successors(Some(least), |&size| Some(next_size(size))).take_while(|&size| size < end);
        // Only what has a chance is tried: a try that fails late costs as much as one that succeeds.
        let mut spacious = sizes.filter(|&size| crowd.may_fit(size));
        spacious.find_map(|size| Segment::try_build(depth, size, words.clone()))
    }

    fn try_build(depth: u8, buckets: u16, words: impl Iterator<Item = Word> + Clone) -> Option<Segment> {
        #[cfg(test)]
        MOVED.set(MOVED.get() + words.clone().count());
        let mut segment = Segment::empty(depth, buckets);
        if segment.fill(words) {
            return Some(segment);
        }
        segment.free();
        None
    }

    /// Puts `words` into an empty segment; false if some have no place within reach.
    fn fill(&mut self, words: impl Iterator<Item = Word>) -> bool {
        // How full each bucket is, so that none is read.
        let mut lens = [0u8; 2 * Segment::MAX_BUCKETS as usize];
        for word in words {
            self.count += 1;
            let home = self.home(word.tag());
            match lens.get_mut(home) {
                Some(len) if usize::from(*len) < WORDS => {
                    self.all_mut()[home].put(usize::from(*len), word);
                    *len += 1;
                }
                _ => {
                    let Some(spot) = self.place(word) else { return false };
                    if let Some(len) = lens.get_mut(spot) {
                        *len += 1;
                    }
                }
            }
        }
        true
    }

    /// A new segment without entries.
    pub(super) fn empty(depth: u8, buckets: u16) -> Segment {
        let memory = vec![Bucket::EMPTY; usize::from(buckets)].into_boxed_slice();
        let base = NonNull::from(Box::leak(memory)).cast();
        Segment { base, buckets, count: 0, depth }
    }

    /// Frees the buckets; the table calls it once, when it forgets the last name of the segment.
    pub(super) fn free(self) {
        // SAFETY: the slice was leaked by `empty` with this length; the table frees a segment only once.
        drop(unsafe {
            Box::from_raw(NonNull::slice_from_raw_parts(self.base, usize::from(self.buckets)).as_ptr())
        });
    }

    /// The bytes of its memory.
    pub(super) fn bytes(&self) -> usize {
        usize::from(self.buckets) * size_of::<Bucket>()
    }

    #[inline]
    pub(super) fn all(&self) -> &[Bucket] {
        // SAFETY: a segment named by the table lives, and `&self` borrows from the table, so nobody writes to it.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), usize::from(self.buckets)) }
    }

    #[inline]
    pub(super) fn all_mut(&mut self) -> &mut [Bucket] {
        // SAFETY: a segment named by the table lives; the table hands out one `&mut Segment` at a time, from its own
        // unique borrow.
        unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr(), usize::from(self.buckets)) }
    }

    /// The tag of a hash in this segment.
    #[inline]
    pub(super) fn tag(&self, hash: u64) -> u16 {
        ((hash << self.depth) >> 48) as u16
    }

    /// The bucket that a tag belongs to.
    #[inline]
    pub(super) fn home(&self, tag: u16) -> usize {
        home(tag, self.buckets)
    }

    /// The first tag beyond those of a home bucket; 65536 for the last bucket.
    pub(super) fn tags_end(&self, home: usize) -> u64 {
        ((home as u64 + 1) << 16).div_ceil(u64::from(self.buckets))
    }

    #[inline]
    pub(super) fn prefetch(&self, hash: u64) {
        prefetch(self.base.as_ptr().wrapping_add(self.home(self.tag(hash))).cast());
    }

    /// Brings what a bucket points to into the cache, if there is such a bucket.
    #[inline]
    pub(super) fn prefetch_entries(&self, bucket: usize) {
        if let Some(bucket) = self.all().get(bucket) {
            bucket.words().for_each(|word| prefetch(std::ptr::without_provenance(word.address() as usize)));
        }
    }

    /// The buckets in which an entry with this home may be: up to the first that was not passed over.
    #[inline]
    fn chain(&self, home: usize) -> impl Iterator<Item = (usize, &Bucket)> {
        let all = self.all();
        let mut at = home;
        let mut left = REACH.min(all.len());
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let (here, bucket) = (at, &all[at]);
            at = if at + 1 == all.len() { 0 } else { at + 1 };
            if !bucket.passed() {
                left = 0;
            }
            Some((here, bucket))
        })
    }

    /// The spot and address of the entry with this hash for which `is` holds of its address.
    #[inline]
    pub(super) fn find(&self, hash: u64, mut is: impl FnMut(u64) -> bool) -> Option<(Spot, u64)> {
        let tag = self.tag(hash);
        let all = self.all();
        let mut number = self.home(tag);
        let mut left = REACH.min(all.len());
        loop {
            let bucket = &all[number];
            let mut set = bucket.matches(tag);
            while set != 0 {
                let slot = set.trailing_zeros() as usize;
                let address = bucket.word(slot).address();
                if address != 0 && is(address) {
                    return Some((Spot { bucket: number, slot }, address));
                }
                set &= set - 1;
            }
            left -= 1;
            if left == 0 || !bucket.passed() {
                return None;
            }
            number = if number + 1 == all.len() { 0 } else { number + 1 };
        }
    }

    /// Brings what the home bucket of a hash most likely points to into the cache, or the next bucket.
    #[inline]
    pub(super) fn prefetch_entry(&self, hash: u64) {
        let tag = self.tag(hash);
        let home = self.home(tag);
        let bucket = &self.all()[home];
        let set = bucket.matches(tag);
        if set != 0 {
            let address = bucket.word(set.trailing_zeros() as usize).address() as usize;
            prefetch(std::ptr::without_provenance(address));
            prefetch(std::ptr::without_provenance(address + 64));
        } else if bucket.passed() {
            prefetch(self.base.as_ptr().wrapping_add(home + 1).cast());
        }
    }

    /// The words that belong to a home bucket, wherever they are.
    pub(super) fn words_of(&self, home: usize) -> impl Iterator<Item = Word> {
        self.chain(home)
            .flat_map(|(_, bucket)| bucket.words())
            .filter(move |word| self.home(word.tag()) == home)
    }

    /// Puts a word into the first bucket with room from its home on and returns its number; `None` if there is none
    /// within reach.
    #[inline]
    pub(super) fn place(&mut self, word: Word) -> Option<usize> {
        let home = self.home(word.tag());
        if self.all_mut()[home].push(word) { Some(home) } else { self.place_behind(home, word) }
    }

    fn place_behind(&mut self, home: usize, word: Word) -> Option<usize> {
        let all = self.all_mut();
        let mut at = home;
        for step in 1..REACH.min(all.len()) {
            at = if at + 1 == all.len() { 0 } else { at + 1 };
            if all[at].push(word) {
                let count = all.len();
                (home..home + step).for_each(|passed| all[passed % count].set_passed(true));
                return Some(at);
            }
        }
        None
    }

    /// Empties a spot and pulls entries that had passed over its bucket back, so that searches stay short.
    pub(super) fn clear(&mut self, spot: Spot) {
        let mut gap = spot.bucket;
        self.all_mut()[gap].remove(spot.slot);
        while self.all()[gap].passed() {
            let Some((behind, word)) = self.passer(gap) else {
                self.all_mut()[gap].set_passed(false);
                return;
            };
            let all = self.all_mut();
            all[behind.bucket].remove(behind.slot);
            all[gap].push(word);
            gap = behind.bucket;
        }
    }

    /// An entry behind bucket `at` that belongs to it or before.
    fn passer(&self, at: usize) -> Option<(Spot, Word)> {
        let all = self.all();
        let mut bucket = at;
        for step in 1..REACH.min(all.len()) {
            bucket = (bucket + 1) % all.len();
            for (slot, word) in all[bucket].words().enumerate() {
                if self.displacement(bucket, word) >= step {
                    return Some((Spot { bucket, slot }, word));
                }
            }
            if !all[bucket].passed() {
                return None;
            }
        }
        None
    }

    /// How many buckets behind its home a word in bucket `at` is.
    fn displacement(&self, at: usize, word: Word) -> usize {
        let home = self.home(word.tag());
        if at >= home { at - home } else { at + usize::from(self.buckets) - home }
    }

    /// Exchanges the address in a spot.
    pub(super) fn set_address(&mut self, spot: Spot, address: u64) {
        self.all_mut()[spot.bucket].set_address(spot.slot, address);
    }

    /// All words, in the order of their buckets.
    pub(super) fn words(&self) -> impl Iterator<Item = Word> + Clone {
        self.all().iter().flat_map(|bucket| (0..bucket.len()).map(|slot| bucket.word(slot)))
    }

    /// Panics unless what the module promises holds; `hash` gives the hash of an address.
    pub(super) fn check(&self, prefix: u64, hash: &dyn Fn(u64) -> u64) {
        let all = self.all();
        let mut count = 0;
        for (number, bucket) in all.iter().enumerate() {
            for word in bucket.words() {
                let h = hash(word.address());
                count += 1;
                assert_eq!(self.tag(h), word.tag(), "a tag is that of the entry's hash");
                assert_eq!(h & !self.rest(), prefix, "an entry is in its segment");
                let displacement = self.displacement(number, word);
                assert!(displacement < REACH.min(all.len()), "an entry is within reach");
                for step in 1..=displacement {
                    assert!(
                        all[(number + all.len() - step) % all.len()].passed(),
                        "passed buckets are marked"
                    );
                }
                assert!(self.find(h, |address| address == word.address()).is_some());
            }
            assert_eq!(bucket.len(), (0..WORDS).filter(|&slot| bucket.word(slot).address() != 0).count());
        }
        assert_eq!(count, usize::from(self.count), "the count of a segment is kept");
    }

    /// The hash bits beyond the segment's prefix.
    #[inline]
    pub(super) fn rest(&self) -> u64 {
        u64::MAX >> self.depth
    }
}

/// The next larger number of buckets.
pub(super) fn next_size(buckets: u16) -> u16 {
    SIZES.into_iter().find(|&size| size > buckets).unwrap_or(buckets + buckets / 4)
}

/// The bucket among so many that a tag belongs to; homes ascend with tags.
#[inline]
fn home(tag: u16, buckets: u16) -> usize {
    (usize::from(tag) * usize::from(buckets)) >> 16
}

/// What must be known of words to tell where they can have no places.
#[derive(Clone, Copy, Debug)]
struct Crowd {
    count: usize,
    least: u16,
    greatest: u16,
}

impl Crowd {
    /// Of no words there is nothing to know; they fit anywhere.
    fn of(words: impl Iterator<Item = Word>) -> Crowd {
        let none = Crowd { count: 0, least: u16::MAX, greatest: 0 };
        words.fold(none, |crowd, word| Crowd {
            count: crowd.count + 1,
            least: crowd.least.min(word.tag()),
            greatest: crowd.greatest.max(word.tag()),
        })
    }

    /// Whether they find room in the buckets that they belong to or close behind: in a crowd every word is pushed along
    /// by those before it, up to the end of their reach, and most such tries are in vain.
    fn may_fit(&self, buckets: u16) -> bool {
        const BEHIND: usize = 2;
        let homes = home(self.greatest, buckets).saturating_sub(home(self.least, buckets)) + 1;
        self.count <= WORDS * (homes + BEHIND).min(usize::from(buckets))
    }
}

/// How many entries a segment holds before it must grow: fifteen sixteenths of its words.
pub(super) fn limit(buckets: u16) -> usize {
    let words = usize::from(buckets) * WORDS;
    words - words / 16
}

/// The number of buckets for `count` entries, with room to grow: at most 85 % of the words used.
pub(super) fn roomy_size(count: usize) -> u16 {
    SIZES
        .into_iter()
        .find(|&size| count * 20 <= usize::from(size) * WORDS * 17)
        .unwrap_or(Segment::MAX_BUCKETS)
}

/// Asks for the cache line at `address`, which may be anything.
#[inline]
pub(crate) fn prefetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing and never faults.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
