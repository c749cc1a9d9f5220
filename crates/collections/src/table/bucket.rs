//! A bucket: one cache line of eight words.
//!
//! ```text
//! word      [tag:16][address:45][spare:3]        zero address: empty
//! word 0                         bit 0: passed over
//! ```
//! The tag is the 16 bits of the hash after the segment's prefix. Occupied words come first. A bucket is *passed over*
//! if an entry that belongs here or before had to be placed behind it; a search goes on only past such buckets.

pub(super) const WORDS: usize = 8;
const TAG_SHIFT: u32 = 48;
const ADDRESS: u64 = ((1 << TAG_SHIFT) - 1) & !7;
const PASSED: u64 = 1;

/// See the module's comment.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Bucket([u64; WORDS]);

/// A tag with an address, without flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Word(u64);

impl Word {
    /// Whether an address can be in a word: within 48 bits, a multiple of 8, and not zero.
    #[inline]
    pub(super) fn fits(address: u64) -> bool {
        address != 0 && address & !ADDRESS == 0
    }

    #[inline]
    pub(super) fn new(tag: u16, address: u64) -> Word {
        debug_assert!(Word::fits(address), "address {address:#x}");
        Word(u64::from(tag) << TAG_SHIFT | address)
    }

    #[inline]
    pub(super) fn tag(self) -> u16 {
        (self.0 >> TAG_SHIFT) as u16
    }

    #[inline]
    pub(super) fn address(self) -> u64 {
        self.0 & ADDRESS
    }
}

impl Bucket {
    pub(super) const EMPTY: Bucket = Bucket([0; WORDS]);

    /// The slots whose tag is `tag`, as a set of bits. For tag zero, empty slots are in it too.
    #[inline]
    pub(super) fn matches(&self, tag: u16) -> u32 {
        #[cfg(target_arch = "x86_64")]
        {
            simd::matches(&self.0, tag)
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            let mut set = 0;
            for (i, word) in self.0.iter().enumerate() {
                set |= u32::from((word >> TAG_SHIFT) as u16 == tag) << i;
            }
            set
        }
    }

    #[inline]
    pub(super) fn passed(&self) -> bool {
        self.0[0] & PASSED != 0
    }

    pub(super) fn set_passed(&mut self, passed: bool) {
        self.0[0] = self.0[0] & !PASSED | u64::from(passed);
    }

    /// The word in a slot; its address is zero if the slot is empty.
    #[inline]
    pub(super) fn word(&self, slot: usize) -> Word {
        Word(self.0[slot] & !7)
    }

    /// The occupied words.
    #[inline]
    pub(super) fn words(&self) -> impl Iterator<Item = Word> + '_ {
        self.0[..self.len()].iter().map(|word| Word(word & !7))
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        // Occupied words come first: a search by halves, which compiles to conditional moves.
        let occupied = |slot: usize| usize::from(self.0[slot] & ADDRESS != 0);
        let mut len = occupied(3) * 4;
        len += occupied(len + 1) * 2;
        len += occupied(len);
        len + (len / 7) * occupied(7)
    }

    /// Writes a word into an empty slot, when the caller keeps count of the occupied ones.
    #[inline]
    pub(super) fn put(&mut self, slot: usize, word: Word) {
        self.0[slot] |= word.0;
    }

    /// Adds a word; false if there is no room.
    #[inline]
    pub(super) fn push(&mut self, word: Word) -> bool {
        let slot = self.len();
        let Some(place) = self.0.get_mut(slot) else { return false };
        *place = word.0 | *place & PASSED;
        true
    }

    /// Exchanges the address in an occupied slot.
    pub(super) fn set_address(&mut self, slot: usize, address: u64) {
        self.0[slot] = self.0[slot] & !ADDRESS | address;
    }

    /// Empties an occupied slot; the last word takes its place.
    pub(super) fn remove(&mut self, slot: usize) {
        let last = self.len() - 1;
        let word = self.word(last);
        self.0[slot] = word.0 | self.0[slot] & PASSED;
        self.0[last] &= if last == 0 { PASSED } else { 0 };
    }
}

#[cfg(target_arch = "x86_64")]
mod simd {
    #![allow(unsafe_code)]
    use super::WORDS;
    use std::arch::x86_64::{
        __m128i, _mm_castps_si128, _mm_castsi128_ps, _mm_cmpeq_epi16, _mm_load_si128, _mm_movemask_epi8,
        _mm_packs_epi16, _mm_packs_epi32, _mm_set1_epi16, _mm_setzero_si128, _mm_shuffle_ps, _mm_srai_epi32,
    };

    /// The upper 16 bits of each word, compared with `tag` at once. SSE2 is part of every x86-64.
    #[inline]
    pub(super) fn matches(words: &[u64; WORDS], tag: u16) -> u32 {
        let at = words.as_ptr().cast::<__m128i>();
        // SAFETY: eight words are four vectors; a bucket is aligned to 64 bytes.
        let [a, b, c, d] = unsafe {
            [
                _mm_load_si128(at),
                _mm_load_si128(at.add(1)),
                _mm_load_si128(at.add(2)),
                _mm_load_si128(at.add(3)),
            ]
        };
        // SAFETY: SSE2 is statically there.
        unsafe {
            // The upper half of each word, then its upper half, sign-extended so that the saturating pack is exact.
            let upper = |x: __m128i, y: __m128i| {
                let halves = _mm_shuffle_ps::<0b11_01_11_01>(_mm_castsi128_ps(x), _mm_castsi128_ps(y));
                _mm_srai_epi32::<16>(_mm_castps_si128(halves))
            };
            let tags = _mm_packs_epi32(upper(a, b), upper(c, d));
            let equal = _mm_cmpeq_epi16(tags, _mm_set1_epi16(tag as i16));
            _mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())) as u32
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fill_match_and_remove() {
        let mut bucket = Bucket::EMPTY;
        bucket.set_passed(true);
        for i in 0..WORDS as u64 {
            assert!(bucket.len() < WORDS);
            assert!(bucket.push(Word::new(0xfff0 + (i as u16 & 3), 8 + 8 * i)));
        }
        assert!(bucket.len() == WORDS && !bucket.push(Word::new(1, 8)));
        assert_eq!(bucket.matches(0xfff1), 0b0010_0010);
        assert_eq!(bucket.matches(0x7ff1), 0);
        bucket.set_address(0, 800);
        assert_eq!(bucket.word(0), Word::new(0xfff0, 800));
        for left in (0..WORDS).rev() {
            bucket.remove(left / 2);
            assert_eq!(bucket.len(), left);
            assert!(bucket.passed());
        }
        bucket.set_passed(false);
        assert_eq!(bucket.0, [0; WORDS]);
    }
}
