//! Lists: a listpack while small, otherwise nodes in a row, each of them a listpack or one element that is too large for
//! it.
//!
//! What goes into which node, when a list becomes one of nodes and when it goes back, are Redis' rules (quicklist), so
//! that `OBJECT ENCODING` agrees with it. One thing is otherwise: the limit is always that of now, while a quicklist keeps
//! to the one that it was made with.

mod edit;
mod iter;
mod large;
mod limit;
mod node;

use crate::collection::{Collection, Encoding};
use crate::pack::{Pack, Value};
use crate::policy::Policy;
use crate::word::{Kind, Word};
use large::Large;
use limit::{Limit, Size};
use node::Node;
use std::borrow::Cow;

pub use iter::Elements;
pub use node::ListNode;

/// An end of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Where index 0 is (`LEFT`).
    Front,
    /// Where index -1 is (`RIGHT`).
    Back,
}

/// A list.
#[derive(Clone)]
pub struct List(Word<Pack, Large>);

impl Default for List {
    fn default() -> List {
        List(Word::compact(Pack::new()))
    }
}

impl List {
    /// The element of this index; negative ones count from the last, which is -1.
    #[must_use]
    pub fn get(&self, index: i64) -> Option<Value<'_>> {
        match self.0.get() {
            Kind::Compact(pack) => pack.seek(isize::try_from(index).ok()?).map(|pos| pack.get(pos)),
            Kind::Large(large) => {
                let (node, within) = large.find(self.place(index)?)?;
                large.node(node).get(within)
            }
            Kind::Other(_) => None,
        }
    }

    /// The index from the front that this one means, if there is such an element.
    #[must_use]
    pub fn place(&self, index: i64) -> Option<usize> {
        let len = self.len();
        let place = if index < 0 { index.checked_add(i64::try_from(len).ok()?)? } else { index };
        usize::try_from(place).ok().filter(|&place| place < len)
    }

    /// The elements; from the last with [`Iterator::rev`].
    #[inline]
    #[must_use]
    pub fn iter(&self) -> Elements<'_> {
        match self.0.get() {
            Kind::Compact(pack) => Elements::of_pack(pack.iter()),
            Kind::Large(large) => large.iter_from(0),
            Kind::Other(_) => Elements::none(),
        }
    }

    /// The elements from this index on, which counts from the front.
    #[must_use]
    pub fn iter_from(&self, from: usize) -> Elements<'_> {
        match self.0.get() {
            Kind::Compact(pack) => match isize::try_from(from).ok().and_then(|from| pack.seek(from)) {
                Some(pos) => Elements::of_pack(pack.iter_from(pos)),
                None => Elements::none(),
            },
            Kind::Large(large) => large.iter_from(from),
            Kind::Other(_) => Elements::none(),
        }
    }

    /// The list as it is now, whatever becomes of this one. A list of nodes shares them, however many there are; a node
    /// is copied when it is changed.
    #[must_use]
    pub fn freeze(&mut self) -> List {
        match self.0.get_mut() {
            Kind::Compact(pack) => List(Word::compact(pack.clone())),
            Kind::Large(large) => List(Word::large(Box::new(large.freeze()))),
            Kind::Other(_) => List::default(),
        }
    }

    /// Bytes that a frozen list takes besides the nodes that it shares.
    #[must_use]
    pub fn frozen_bytes(&self) -> usize {
        match self.0.get() {
            Kind::Large(large) => crate::class(size_of::<Large>()) + large.row_bytes(),
            Kind::Compact(_) | Kind::Other(_) => self.allocated(),
        }
    }

    /// The nodes, in order; a small list is one.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = ListNode<'_>> {
        self.nodes_from(0)
    }

    /// The nodes from an index on.
    pub fn nodes_from(&self, from: usize) -> impl ExactSizeIterator<Item = ListNode<'_>> {
        let (pack, large) = match self.0.get() {
            Kind::Compact(pack) => (Some(pack), None),
            Kind::Large(large) => (None, Some(large)),
            Kind::Other(_) => (None, None),
        };
        let count = large.map_or(usize::from(pack.is_some()), Large::whole_nodes);
        (from.min(count)..count).map(move |at| match (pack, large) {
            (_, Some(large)) => large.whole_node(at),
            (Some(pack), None) => ListNode::Packed(Cow::Borrowed(pack)),
            (None, None) => unreachable!("there are no nodes then"),
        })
    }

    /// Adds a node of elements at the back, as a snapshot has it.
    pub fn append_pack(&mut self, pack: Pack, policy: &Policy) {
        if pack.is_empty() {
            return;
        }
        if self.is_empty() && Limit::of(policy).holds(Size::of(&pack)) {
            self.0 = Word::compact(pack);
        } else {
            self.make_large().push_node(End::Back, Node::packed(pack));
        }
    }

    /// Adds an element at the back, to what will be one of nodes in the end or none.
    pub fn append(&mut self, element: &[u8], policy: &Policy) {
        let limit = Limit::of(policy);
        let pushed = match self.0.get_mut() {
            Kind::Compact(pack) => {
                limit.allows(Size::of(pack), element.len()) && pack.push_back(element).is_ok()
            }
            Kind::Large(_) | Kind::Other(_) => false,
        };
        if !pushed {
            self.make_large().push(End::Back, element, limit);
        }
    }

    /// Adds a large element at the back as a node of its own, as a snapshot has it.
    pub fn append_plain(&mut self, element: &[u8]) {
        self.make_large().push_node(End::Back, Node::plain(element));
    }

    /// The list as one of nodes.
    fn make_large(&mut self) -> &mut Large {
        let pack = match self.0.get_mut() {
            Kind::Compact(pack) => Some(std::mem::take(pack)),
            Kind::Large(_) | Kind::Other(_) => None,
        };
        if let Some(pack) = pack {
            self.0 = Word::large(Box::new(Large::new(pack)));
        }
        match self.0.get_mut() {
            Kind::Large(large) => large,
            Kind::Compact(_) | Kind::Other(_) => unreachable!("made large just now"),
        }
    }

    /// Before elements are added: whether they would take a listpack beyond its limit, and if so, makes it one of nodes.
    fn grow(&mut self, elements: usize, bytes: usize, limit: Limit) {
        let outgrown = match self.0.get() {
            Kind::Compact(pack) => limit.exceeded(pack.bytes().saturating_add(bytes), pack.len() + elements),
            Kind::Large(_) | Kind::Other(_) => false,
        };
        if outgrown {
            self.make_large();
        }
    }

    /// After elements were removed: makes one node that is well below the limit a listpack again.
    fn shrink(&mut self, limit: Limit) {
        let pack = match self.0.get_mut() {
            Kind::Large(large) => large.take_only_pack(limit),
            Kind::Compact(_) | Kind::Other(_) => None,
        };
        if let Some(pack) = pack {
            self.0 = Word::compact(pack);
        }
    }
}

impl From<Pack> for List {
    fn from(pack: Pack) -> Self {
        List(Word::compact(pack))
    }
}

impl PartialEq for List {
    fn eq(&self, other: &List) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl std::fmt::Debug for List {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Collection for List {
    #[inline]
    fn len(&self) -> usize {
        match self.0.get() {
            Kind::Compact(pack) => pack.len(),
            Kind::Large(large) => large.len(),
            Kind::Other(_) => 0,
        }
    }

    fn encoding(&self) -> Encoding {
        match self.0.get() {
            Kind::Compact(_) => Encoding::Listpack,
            Kind::Large(_) | Kind::Other(_) => Encoding::Quicklist,
        }
    }

    fn allocated(&self) -> usize {
        match self.0.get() {
            Kind::Compact(pack) => pack.allocated(),
            Kind::Large(large) => large.allocated(),
            Kind::Other(_) => 0,
        }
    }

    fn effort(&self) -> usize {
        match self.0.get() {
            Kind::Large(large) => large.row() + 2,
            Kind::Compact(_) | Kind::Other(_) => 1,
        }
    }
}

#[cfg(test)]
mod tests;
