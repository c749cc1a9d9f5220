//! From the leading bits of a hash to its segment: extendible hashing (Fagin, Nievergelt, Pippenger, Strong, 1979).
//!
//! A directory of `2^bits` slots; a segment of depth `d` is named by all `2^(above + bits - d)` slots of its prefix. The
//! root stops at [`ROOT_BITS`] bits: a segment that must be split there becomes a directory of its own, so that no
//! directory is copied that is long: at ten million keys a directory below the root has four to eight slots.

use super::segment::Segment;

/// The most bits that the root resolves: 4096 slots, 64 KiB. Few in unit tests, so that they reach what is below.
pub(super) const ROOT_BITS: u8 = if cfg!(test) { 3 } else { 12 };

/// See the module's comment.
#[derive(Debug)]
pub(super) struct Directory {
    /// Hash bits resolved before this directory.
    above: u8,
    /// Hash bits resolved by it.
    bits: u8,
    /// The number of segments (and directories) that only one slot names.
    deepest: usize,
    slots: Vec<Slot>,
}

#[derive(Debug)]
enum Slot {
    Segment(Segment),
    Sub(Box<Directory>),
}

impl Directory {
    /// A directory with one segment.
    pub(super) fn new(above: u8, segment: Segment) -> Directory {
        Directory { above, bits: 0, deepest: 1, slots: vec![Slot::Segment(segment)] }
    }

    #[inline]
    fn index(&self, hash: u64) -> usize {
        // In two steps, because a shift by 64 is not defined.
        ((hash << self.above) >> 1 >> (63 - self.bits)) as usize
    }

    /// The segment that a hash belongs to. Its count may be out of date.
    #[inline(always)]
    pub(super) fn segment(&self, hash: u64) -> &Segment {
        match &self.slots[self.index(hash)] {
            Slot::Segment(segment) => segment,
            Slot::Sub(sub) => match &sub.slots[sub.index(hash)] {
                Slot::Segment(segment) => segment,
                Slot::Sub(_) => unreachable!("directories are two deep"),
            },
        }
    }

    /// The directory that names the segment of a hash.
    #[inline]
    fn owner(&mut self, hash: u64) -> &mut Directory {
        let index = self.index(hash);
        if matches!(self.slots[index], Slot::Sub(_)) {
            let Slot::Sub(sub) = &mut self.slots[index] else { unreachable!("seen above") };
            return sub;
        }
        self
    }

    /// The segment that a hash belongs to, with its count.
    #[inline]
    pub(super) fn lead(&mut self, hash: u64) -> &mut Segment {
        self.owner(hash).own_lead(hash)
    }

    #[inline]
    fn own_lead(&mut self, hash: u64) -> &mut Segment {
        let index = self.index(hash);
        let first = match &self.slots[index] {
            Slot::Segment(segment) => index & !(self.names(segment.depth) - 1),
            Slot::Sub(_) => index,
        };
        match &mut self.slots[first] {
            Slot::Segment(segment) => segment,
            Slot::Sub(_) => unreachable!("asked of the owner"),
        }
    }

    /// How many slots name a segment of this depth.
    #[inline]
    fn names(&self, depth: u8) -> usize {
        1 << (self.above + self.bits - depth)
    }

    /// Names `segment` instead of whatever is there for its prefix of `hash`.
    fn set(&mut self, hash: u64, segment: Segment) {
        let names = self.names(segment.depth);
        let first = self.index(hash) & !(names - 1);
        for slot in &mut self.slots[first..first + names] {
            *slot = Slot::Segment(segment);
        }
    }

    /// Puts a rebuilt segment in the place of the old one of the same depth.
    pub(super) fn rebuilt(&mut self, hash: u64, segment: Segment) {
        self.owner(hash).set(hash, segment);
    }

    /// Puts the two halves in the place of the segment of `hash`. Returns by how many bytes the directory grew.
    pub(super) fn split(&mut self, hash: u64, halves: [Segment; 2]) -> usize {
        let depth = halves[0].depth - 1;
        let mut grown = 0;
        let index = self.index(hash);
        if let Slot::Segment(old) = self.slots[index]
            && (self.bits, depth) == (ROOT_BITS, ROOT_BITS)
        {
            let sub = Box::new(Directory::new(ROOT_BITS, old));
            grown += size_of::<Directory>() + sub.bytes();
            self.slots[index] = Slot::Sub(sub);
        }
        let owner = self.owner(hash);
        if depth == owner.above + owner.bits {
            grown += owner.bytes();
            owner.double();
            owner.deepest = 0;
        }
        if depth + 1 == owner.above + owner.bits {
            owner.deepest += 2;
        }
        let bit = 1 << (63 - depth);
        owner.set(hash & !bit, halves[0]);
        owner.set(hash | bit, halves[1]);
        grown
    }

    fn double(&mut self) {
        let copy = |slot: &Slot| match slot {
            Slot::Segment(segment) => *segment,
            Slot::Sub(_) => unreachable!("a root of full size is not doubled"),
        };
        let mut slots = Vec::with_capacity(self.slots.len() * 2);
        for slot in self.slots.drain(..) {
            let second = copy(&slot);
            slots.push(slot);
            slots.push(Slot::Segment(second));
        }
        self.slots = slots;
        self.bits += 1;
    }

    /// Puts the union in the place of the segment of `hash` and its sibling. Returns by how many bytes it shrank.
    pub(super) fn merge(&mut self, hash: u64, union: Segment) -> usize {
        let owner = self.owner(hash);
        let before = owner.bytes();
        if union.depth + 1 == owner.above + owner.bits {
            owner.deepest -= 2;
        }
        owner.set(hash, union);
        while owner.deepest == 0 {
            owner.halve();
        }
        let mut freed = before - owner.bytes();
        if owner.above > 0 && owner.bits == 0 {
            freed += size_of::<Directory>() + owner.bytes();
            let index = self.index(hash);
            self.slots[index] = Slot::Segment(union);
        }
        freed
    }

    fn halve(&mut self) {
        let mut index = 0;
        self.slots.retain(|_| {
            index += 1;
            index % 2 == 1
        });
        self.slots.shrink_to_fit();
        self.bits -= 1;
        let full = self.above + self.bits;
        self.deepest = self.slots.iter().filter(|slot| slot.depth() == full).count();
    }

    /// The bytes of its slots.
    pub(super) fn bytes(&self) -> usize {
        self.slots.len() * size_of::<Slot>()
    }

    /// The bytes of its slots and of the directories in them.
    pub(super) fn all_bytes(&self) -> usize {
        let below = |slot: &Slot| match slot {
            Slot::Segment(_) => 0,
            Slot::Sub(sub) => size_of::<Directory>() + sub.bytes(),
        };
        self.bytes() + self.slots.iter().map(below).sum::<usize>()
    }

    /// Panics unless the slots agree with each other.
    pub(super) fn check(&self) {
        assert_eq!(self.slots.len(), 1 << self.bits);
        let full = self.above + self.bits;
        let mut deepest = 0;
        for (index, slot) in self.slots.iter().enumerate() {
            deepest += usize::from(slot.depth() == full);
            match slot {
                Slot::Sub(sub) => {
                    assert!(
                        self.above == 0 && self.bits == ROOT_BITS && sub.above == ROOT_BITS && sub.bits > 0
                    );
                    sub.check();
                }
                Slot::Segment(segment) => {
                    let first = index & !(self.names(segment.depth) - 1);
                    let Slot::Segment(lead) = &self.slots[first] else {
                        panic!("a segment's slots name it alone")
                    };
                    assert_eq!(lead.all().as_ptr(), segment.all().as_ptr(), "copies name the same memory");
                    assert_eq!((lead.depth, lead.buckets), (segment.depth, segment.buckets));
                }
            }
        }
        assert_eq!(deepest, self.deepest);
        assert!(deepest > 0, "a directory is no longer than it must be");
    }
}

impl Slot {
    fn depth(&self) -> u8 {
        match self {
            Slot::Segment(segment) => segment.depth,
            Slot::Sub(_) => ROOT_BITS,
        }
    }
}

const _: () = assert!(size_of::<Slot>() == 16);
