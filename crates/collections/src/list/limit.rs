//! How much goes into one node (`list-max-listpack-size`), by the rules of Redis' quicklist.

use crate::pack::Pack;
use crate::policy::Policy;
use std::ops::{AddAssign, SubAssign};

/// The bytes that the largest node of each negative setting has, from -1 on.
const SIZES: [usize; 5] = [4096, 8192, 16384, 32768, 65536];
/// The bytes that no node is to have when elements are counted.
const SAFE: usize = 8192;
/// What an element may take beyond its text, roughly.
const OVERHEAD: usize = 8;
/// What two packs have twice and one pack of both has once: the frame.
const JOINT: usize = 7;

/// What is in a node, or in a part of one.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Size {
    /// Bytes of the pack, or those that a part adds to it.
    bytes: u32,
    /// How many elements there are.
    elements: u32,
}

impl Size {
    pub(super) fn of(pack: &Pack) -> Size {
        Size { bytes: pack.bytes() as u32, elements: pack.len() as u32 }
    }

    /// What this pack adds to one that it is joined to.
    pub(super) fn added_by(pack: &Pack) -> Size {
        Size { bytes: (pack.bytes() - JOINT) as u32, elements: pack.len() as u32 }
    }
}

impl AddAssign for Size {
    fn add_assign(&mut self, other: Size) {
        self.bytes += other.bytes;
        self.elements += other.elements;
    }
}

impl SubAssign for Size {
    fn sub_assign(&mut self, other: Size) {
        self.bytes -= other.bytes;
        self.elements -= other.elements;
    }
}

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

    /// Whether a node has room for one more element of this length.
    pub(super) fn allows(self, node: Size, element: usize) -> bool {
        let (bytes, elements) = (node.bytes as usize, node.elements as usize);
        !self.is_large(element) && !self.exceeded(bytes + element + OVERHEAD, elements + 1)
    }

    /// Whether two neighbours may become one node.
    pub(super) fn allows_both(self, a: &Pack, b: &Pack) -> bool {
        !self.exceeded(a.bytes() + b.bytes() - JOINT, a.len() + b.len())
    }

    /// Whether a list of this one node is a listpack.
    pub(super) fn holds(self, node: Size) -> bool {
        self.holds_in(node, 1)
    }

    /// Whether a list of this one node becomes a listpack again when elements are removed: only at half the limit, lest
    /// lists at the limit change back and forth.
    pub(super) fn half_holds(self, node: Size) -> bool {
        self.holds_in(node, 2)
    }

    fn holds_in(self, node: Size, part: usize) -> bool {
        match self {
            Limit::Bytes(most) => node.bytes as usize <= most / part,
            Limit::Elements(most) => node.elements as usize <= most / part,
        }
    }
}
