//! How much goes into one node (`list-max-listpack-size`), by the rules of Redis' quicklist.

use crate::pack::Pack;
use crate::policy::Policy;

/// The bytes that the largest node of each negative setting has, from -1 on.
const SIZES: [usize; 5] = [4096, 8192, 16384, 32768, 65536];
/// The bytes that no node is to have when elements are counted.
const SAFE: usize = 8192;
/// What an element may take beyond its text, roughly.
const OVERHEAD: usize = 8;
/// What two packs have twice and one pack of both has once, roughly.
const JOINT: usize = 7;

/// The limit of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Limit {
    /// So many bytes.
    Bytes(usize),
    /// So many elements, and never more than [`SAFE`] bytes.
    Elements(usize),
}

impl Limit {
    pub(super) fn of(policy: &Policy) -> Limit {
        match policy.list_size {
            size @ 0.. => Limit::Elements((size as usize).max(1)),
            size => Limit::Bytes(SIZES[(size.unsigned_abs() as usize).min(SIZES.len()) - 1]),
        }
    }

    /// Whether so many bytes and elements are too much for a node.
    pub(super) fn exceeded(self, bytes: usize, elements: usize) -> bool {
        match self {
            Limit::Bytes(most) => bytes > most,
            Limit::Elements(most) => bytes > SAFE || elements > most,
        }
    }

    /// Whether an element becomes a node of its own.
    pub(super) fn is_large(self, element: usize) -> bool {
        match self {
            Limit::Bytes(most) => element > most,
            Limit::Elements(_) => element > SAFE,
        }
    }

    /// Whether there is room for one more element of this length.
    pub(super) fn allows(self, pack: &Pack, element: usize) -> bool {
        !self.is_large(element) && !self.exceeded(pack.bytes() + element + OVERHEAD, pack.len() + 1)
    }

    /// Whether two neighbours may become one node.
    pub(super) fn allows_both(self, a: &Pack, b: &Pack) -> bool {
        !self.exceeded(a.bytes() + b.bytes() - JOINT, a.len() + b.len())
    }

    /// Whether a list of this one node is a listpack.
    pub(super) fn holds_pack(self, pack: &Pack) -> bool {
        self.holds(pack, 1)
    }

    /// Whether a list of this one node becomes a listpack again when elements are removed: only at half the limit, lest
    /// lists at the limit change back and forth.
    pub(super) fn half_holds_pack(self, pack: &Pack) -> bool {
        self.holds(pack, 2)
    }

    fn holds(self, pack: &Pack, part: usize) -> bool {
        match self {
            Limit::Bytes(most) => pack.bytes() <= most / part,
            Limit::Elements(most) => pack.len() <= most / part,
        }
    }
}
