//! The nodes of a large list.

use crate::blob::{Blob, Format};
use crate::pack::{Pack, Value};

struct Whole;

const HEADER: usize = 8;

impl Format for Whole {
    const HEADER: usize = HEADER;

    #[inline]
    fn total(header: u64) -> usize {
        header as usize
    }
}

/// One element behind its length.
#[derive(Clone)]
pub(super) struct Plain(Blob<Whole>);

impl Plain {
    fn bytes(&self) -> &[u8] {
        &self.0.bytes()[HEADER..]
    }
}

/// A node: what it holds, and beside it how many elements that are, so that walking over a node does not touch it.
#[derive(Clone)]
pub(super) enum Node {
    /// Elements one after the other.
    Packed {
        /// The elements, of which there is at least one.
        pack: Pack,
        /// How many they are.
        count: u32,
    },
    /// One element that is too large for a pack.
    Plain(Plain),
}

const _: () = assert!(size_of::<Node>() == 16);

/// A node of a list, to read.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ListNode<'a> {
    /// Elements one after the other.
    Packed(&'a Pack),
    /// One large element.
    Plain(&'a [u8]),
}

impl Node {
    pub(super) fn packed(pack: Pack) -> Node {
        let count = pack.len() as u32;
        Node::Packed { pack, count }
    }

    pub(super) fn plain(element: &[u8]) -> Node {
        let header = (element.len() + HEADER) as u64;
        Node::Plain(Plain(Blob::new(&[&header.to_le_bytes(), element])))
    }

    /// The number of elements.
    #[inline]
    pub(super) fn count(&self) -> usize {
        match self {
            Node::Packed { count, .. } => *count as usize,
            Node::Plain(_) => 1,
        }
    }

    /// Bytes taken from the allocator.
    pub(super) fn allocated(&self) -> usize {
        match self {
            Node::Packed { pack, .. } => pack.allocated(),
            Node::Plain(plain) => plain.0.allocated(),
        }
    }

    /// The elements, if it is not a large one.
    pub(super) fn pack(&self) -> Option<&Pack> {
        match self {
            Node::Packed { pack, .. } => Some(pack),
            Node::Plain(_) => None,
        }
    }

    /// The element of an index within the node.
    pub(super) fn get(&self, within: usize) -> Option<Value<'_>> {
        match self {
            Node::Packed { pack, .. } => pack.seek(within as isize).map(|pos| pack.get(pos)),
            Node::Plain(plain) => (within == 0).then(|| Value::Str(plain.bytes())),
        }
    }

    pub(super) fn as_ref(&self) -> ListNode<'_> {
        match self {
            Node::Packed { pack, .. } => ListNode::Packed(pack),
            Node::Plain(plain) => ListNode::Plain(plain.bytes()),
        }
    }
}
