//! The nodes of a large list.

use crate::blob::{Blob, Format};
use crate::class::class;
use crate::pack::{Pack, Value};
use std::borrow::Cow;
use std::sync::Arc;

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
    /// A node that a frozen list may have as well, and so is not changed: one of the other two. The list that wants to
    /// change it makes it its own again ([`Node::into_own`]).
    Lent {
        /// The node.
        node: Arc<Node>,
        /// How many elements it has.
        count: u32,
    },
}

/// Bytes that lending a node takes from the allocator: the node itself and two counters.
const LOAN: usize = class(size_of::<Node>() + 2 * size_of::<usize>());

const _: () = assert!(size_of::<Node>() == 16);

/// A node of a list, to read.
#[derive(Clone, PartialEq, Debug)]
pub enum ListNode<'a> {
    /// Elements one after the other.
    Packed(Cow<'a, Pack>),
    /// One large element.
    Plain(&'a [u8]),
}

/// What is in a node of the row.
#[derive(Clone, Copy)]
pub(super) enum Content<'a> {
    Packed(&'a Pack),
    Plain(&'a [u8]),
}

impl<'a> From<Content<'a>> for ListNode<'a> {
    fn from(content: Content<'a>) -> ListNode<'a> {
        match content {
            Content::Packed(pack) => ListNode::Packed(Cow::Borrowed(pack)),
            Content::Plain(element) => ListNode::Plain(element),
        }
    }
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

    /// Bytes that lending it will take from the allocator.
    pub(super) fn loan(&self) -> usize {
        if matches!(self, Node::Lent { .. }) { 0 } else { LOAN }
    }

    /// The same node, from now on for several lists.
    pub(super) fn into_lent(self) -> Node {
        match self {
            Node::Lent { .. } => self,
            own => {
                let count = own.count() as u32;
                Node::Lent { node: Arc::new(own), count }
            }
        }
    }

    /// The same node for one list alone; copied if another one still has it.
    pub(super) fn into_own(self) -> Node {
        match self {
            Node::Lent { node, .. } => Arc::unwrap_or_clone(node),
            own => own,
        }
    }

    /// Makes a lent node one of this list alone.
    #[cold]
    pub(super) fn reclaim(&mut self) {
        let lent = std::mem::replace(self, Node::packed(Pack::new()));
        *self = lent.into_own();
    }

    /// The node itself, lent or not.
    #[inline]
    fn inner(&self) -> &Node {
        match self {
            Node::Lent { node, .. } => node,
            own => own,
        }
    }

    /// The number of elements.
    #[inline]
    pub(super) fn count(&self) -> usize {
        match self {
            Node::Packed { count, .. } | Node::Lent { count, .. } => *count as usize,
            Node::Plain(_) => 1,
        }
    }

    /// Bytes taken from the allocator.
    pub(super) fn allocated(&self) -> usize {
        match self {
            Node::Packed { pack, .. } => pack.allocated(),
            Node::Plain(plain) => plain.0.allocated(),
            Node::Lent { node, .. } => LOAN + node.allocated(),
        }
    }

    /// The elements, if it is not a large one.
    pub(super) fn pack(&self) -> Option<&Pack> {
        match self.inner() {
            Node::Packed { pack, .. } => Some(pack),
            _ => None,
        }
    }

    /// The elements, if it is not a large one, for this list alone.
    pub(super) fn into_pack(self) -> Option<Pack> {
        match self.into_own() {
            Node::Packed { pack, .. } => Some(pack),
            _ => None,
        }
    }

    /// The element of an index within the node.
    pub(super) fn get(&self, within: usize) -> Option<Value<'_>> {
        match self.content() {
            Content::Packed(pack) => pack.seek(within as isize).map(|pos| pack.get(pos)),
            Content::Plain(element) => (within == 0).then_some(Value::Str(element)),
        }
    }

    /// What is in it.
    pub(super) fn content(&self) -> Content<'_> {
        match self.inner() {
            Node::Packed { pack, .. } => Content::Packed(pack),
            Node::Plain(plain) => Content::Plain(plain.bytes()),
            Node::Lent { .. } => unreachable!("a node is lent once"),
        }
    }
}
