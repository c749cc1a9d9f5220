//! Nodes in a row.
//!
//! Invariants: no node is empty; `len` is the sum of the nodes' counts and `bytes` that of what they have taken from the
//! allocator.
//!
//! A list is frozen by lending its nodes: the frozen one has the same, and whoever changes one of them in the list takes
//! it back first, which copies it as long as the frozen one is there. So freezing takes some 40 ns for each node, and
//! a change during it at most one copy of one node.

use super::End;
use super::iter::Elements;
use super::limit::Limit;
use super::node::{ListNode, Node};
use crate::class::class;
use crate::pack::{Pack, Side, TooLarge, Value};
use crate::row::make_room;
use std::collections::VecDeque;

/// Bytes that a node may have to take a further element at its front, where all that is there must be moved: as many as
/// are moved at once without delay. Such nodes cost a list that is only ever pushed to at its front some percent.
const FRONT: usize = 2048;

/// A list of nodes.
#[derive(Clone)]
pub(super) struct Large {
    nodes: VecDeque<Node>,
    len: usize,
    bytes: usize,
}

impl Large {
    /// The elements of one pack.
    pub(super) fn new(pack: Pack) -> Large {
        let mut large = Large { nodes: VecDeque::new(), len: 0, bytes: 0 };
        if !pack.is_empty() {
            large.push_node(End::Back, Node::packed(pack));
        }
        large
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The number of nodes.
    pub(super) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn node(&self, at: usize) -> &Node {
        &self.nodes[at]
    }

    pub(super) fn allocated(&self) -> usize {
        class(size_of::<Large>()) + self.bytes + self.row_bytes()
    }

    /// The node that the element of this index is in, and its index there.
    pub(super) fn find(&self, index: usize) -> Option<(usize, usize)> {
        if index >= self.len {
            return None;
        }
        if index < self.len / 2 {
            let mut before = 0;
            for (at, node) in self.nodes.iter().enumerate() {
                if index < before + node.count() {
                    return Some((at, index - before));
                }
                before += node.count();
            }
        } else {
            let mut before = self.len;
            for (at, node) in self.nodes.iter().enumerate().rev() {
                before -= node.count();
                if index >= before {
                    return Some((at, index - before));
                }
            }
        }
        None
    }

    /// The elements from an index on.
    pub(super) fn iter_from(&self, index: usize) -> Elements<'_> {
        match self.find(index) {
            Some((at, within)) => Elements::of_nodes(self.nodes.range(at..), within),
            None => Elements::none(),
        }
    }

    /// Its pack, if that is the only node and `wanted`.
    pub(super) fn take_only_pack(&mut self, wanted: impl FnOnce(&Pack) -> bool) -> Option<Pack> {
        if self.nodes.len() != 1 || !self.nodes[0].pack().is_some_and(wanted) {
            return None;
        }
        self.remove_node(0).into_pack()
    }

    /// The list as it is now, whatever becomes of this one; see the module's comment.
    pub(super) fn freeze(&mut self) -> Large {
        let mut frozen = VecDeque::with_capacity(self.nodes.len());
        let lend = |node: Node| {
            self.bytes += node.loan();
            let node = node.into_lent();
            frozen.push_back(node.clone());
            node
        };
        self.nodes = std::mem::take(&mut self.nodes).into_iter().map(lend).collect();
        Large { nodes: frozen, len: self.len, bytes: self.bytes }
    }

    /// Bytes taken by the row of nodes alone.
    pub(super) fn row_bytes(&self) -> usize {
        let row = self.nodes.capacity() * size_of::<Node>();
        if row > 0 { class(row) } else { 0 }
    }

    pub(super) fn insert_node(&mut self, at: usize, node: Node) {
        self.len += node.count();
        self.bytes += node.allocated();
        make_room(&mut self.nodes);
        self.nodes.insert(at, node);
    }

    pub(super) fn push_node(&mut self, end: End, node: Node) {
        match end {
            End::Front => self.insert_node(0, node),
            End::Back => self.insert_node(self.nodes.len(), node),
        }
    }

    pub(super) fn remove_node(&mut self, at: usize) -> Node {
        let node = self.nodes.remove(at).expect("the caller has found it");
        self.len -= node.count();
        self.bytes -= node.allocated();
        // A list that was long once does not keep the room for that.
        if self.nodes.capacity() > 8 && self.nodes.len() < self.nodes.capacity() / 4 {
            self.nodes.shrink_to(self.nodes.len() * 2);
        }
        node
    }

    /// Lets `f` change the pack of a node and keeps the sums right; a node that is left empty is removed.
    pub(super) fn change<R>(&mut self, at: usize, f: impl FnOnce(&mut Pack) -> R) -> R {
        let node = &mut self.nodes[at];
        let (elements, bytes) = (node.count(), node.allocated());
        if matches!(node, Node::Lent { .. }) {
            node.reclaim();
        }
        let Node::Packed { pack, count } = node else {
            unreachable!("the caller has seen that it is no large element");
        };
        let result = f(pack);
        *count = pack.len() as u32;
        self.len = self.len - elements + *count as usize;
        self.bytes = self.bytes - bytes + pack.allocated();
        if *count == 0 {
            self.remove_node(at);
        }
        result
    }

    /// Adds an element at an end.
    pub(super) fn push(&mut self, end: End, element: &[u8], limit: Limit) {
        let at = match end {
            End::Front => 0,
            End::Back => self.nodes.len().saturating_sub(1),
        };
        let is_light =
            |node: &Node| end == End::Back || node.pack().is_some_and(|pack| pack.allocated() < FRONT);
        if self.nodes.get(at).is_some_and(is_light) && self.allows(Some(at), element.len(), limit) {
            self.push_into(at, end, element).expect("within the limit of a node");
        } else {
            self.push_node(end, single(element, limit));
        }
    }

    /// Adds an element at an end of a node of elements.
    fn push_into(&mut self, at: usize, end: End, element: &[u8]) -> Result<(), TooLarge> {
        self.change(at, |pack| match end {
            End::Front => pack.push_front(element),
            End::Back => pack.push_back(element),
        })
    }

    /// Whether a node, if there is such, has room for one more element of this length.
    fn allows(&self, at: Option<usize>, element: usize, limit: Limit) -> bool {
        let node = at.and_then(|at| self.nodes.get(at));
        node.and_then(Node::pack).is_some_and(|pack| limit.allows(pack, element))
    }

    /// Hands the element at an end to `take` and removes it.
    pub(super) fn pop(&mut self, end: End, take: impl FnOnce(Value<'_>)) -> bool {
        let at = match end {
            End::Front => 0,
            End::Back => self.nodes.len().wrapping_sub(1),
        };
        let Some(node) = self.nodes.get(at) else { return false };
        if node.pack().is_none() {
            let node = self.remove_node(at);
            if let Some(element) = node.get(0) {
                take(element);
            }
            return true;
        }
        self.change(at, |pack| {
            let pos = match end {
                End::Front => pack.first(),
                End::Back => pack.last(),
            };
            let Some(pos) = pos else { unreachable!("no node is empty") };
            take(pack.get(pos));
            pack.remove(pos);
        });
        true
    }

    /// Removes `count` elements from index `from` on; they are there.
    pub(super) fn remove_range(&mut self, from: usize, count: usize) {
        let mut left = count;
        let Some((mut at, mut within)) = self.find(from) else { return };
        while left > 0 && at < self.nodes.len() {
            let there = self.nodes[at].count();
            let taken = left.min(there - within);
            if taken == there {
                self.remove_node(at);
            } else {
                self.change(at, |pack| {
                    if let Some(pos) = pack.seek(within as isize) {
                        pack.remove_range(pos, taken);
                    }
                });
                at += 1;
            }
            within = 0;
            left -= taken;
        }
    }

    /// Puts an element beside the one at `within` of node `at`.
    pub(super) fn insert(&mut self, at: usize, within: usize, side: Side, element: &[u8], limit: Limit) {
        let count = self.nodes[at].count();
        let (outer, beyond, near) = match side {
            Side::After => (within + 1 == count, Some(at + 1), End::Front),
            Side::Before => (within == 0, at.checked_sub(1), End::Back),
        };
        // Where a node of its own goes if it is beside this one.
        let beside = if side == Side::After { at + 1 } else { at };
        if self.allows(Some(at), element.len(), limit) {
            let inserted = self.change(at, |pack| {
                let pos = pack.seek(within as isize).expect("the caller has found it");
                pack.insert(pos, side, element)
            });
            inserted.expect("within the limit of a node");
        } else if let Some(beyond) = beyond.filter(|_| outer)
            && self.allows(Some(beyond), element.len(), limit)
        {
            self.push_into(beyond, near, element).expect("within the limit of a node");
        } else if outer || self.nodes[at].pack().is_none() {
            self.insert_node(beside, single(element, limit));
        } else {
            self.split(at, within + usize::from(side == Side::After));
            if limit.is_large(element.len()) {
                self.insert_node(at + 1, Node::plain(element));
                return;
            }
            // The half that the named element is not in takes the new one.
            let (named, other, near) = match side {
                Side::After => (at, at + 1, End::Front),
                Side::Before => (at + 1, at, End::Back),
            };
            match self.push_into(other, near, element) {
                Ok(()) => self.merge_around(named, limit),
                // Half a node of the utmost length, as a snapshot may have had it.
                Err(TooLarge) => self.insert_node(at + 1, single(element, limit)),
            }
        }
    }

    /// Puts an element in the place of the one at `within` of node `at`.
    pub(super) fn replace(&mut self, at: usize, within: usize, element: &[u8], limit: Limit) {
        let large = limit.is_large(element.len());
        match &self.nodes[at].as_ref() {
            ListNode::Plain(_) if large => {
                self.remove_node(at);
                self.insert_node(at, Node::plain(element));
            }
            ListNode::Plain(_) => {
                self.insert(at, 0, Side::After, element, limit);
                self.remove_node(at);
            }
            ListNode::Packed(_) => {
                let fits = !large && self.change(at, |pack| replace_in(pack, within, element)).is_ok();
                if !fits {
                    self.replace_apart(at, within, element, limit);
                }
            }
        }
    }

    /// [`Large::replace`] by a node of its own.
    fn replace_apart(&mut self, at: usize, within: usize, element: &[u8], limit: Limit) {
        let count = self.nodes[at].count();
        if within + 1 < count {
            self.split(at, within + 1);
        }
        self.insert_node(at + 1, single(element, limit));
        if within == 0 {
            self.remove_node(at);
            return;
        }
        self.change(at, |pack| {
            if let Some(last) = pack.last() {
                pack.remove(last);
            }
        });
        self.merge_around(at + 1, limit);
    }

    /// Makes the elements of node `at` from index `within` on a node of their own behind it.
    fn split(&mut self, at: usize, within: usize) {
        let tail = self.change(at, |pack| {
            let pos = pack.seek(within as isize).expect("the caller keeps elements on both sides");
            pack.split_at(pos)
        });
        self.insert_node(at + 1, Node::packed(tail));
    }

    /// After a split: joins neighbours around node `at` that together are within the limit, those farther away first.
    fn merge_around(&mut self, at: usize, limit: Limit) {
        let mut at = at;
        if at >= 2 && self.merge(at - 2, limit) {
            at -= 1;
        }
        self.merge(at + 1, limit);
        if at >= 1 && self.merge(at - 1, limit) {
            at -= 1;
        }
        self.merge(at, limit);
    }

    /// Joins a node and the next one if both may be one; says whether.
    fn merge(&mut self, at: usize, limit: Limit) -> bool {
        let pack_of = |at: usize| self.nodes.get(at).and_then(Node::pack);
        let Some((a, b)) = pack_of(at).zip(pack_of(at + 1)) else { return false };
        if !limit.allows_both(a, b) {
            return false;
        }
        let (second, first) = (self.remove_node(at + 1), self.remove_node(at));
        let Some((first, second)) = first.into_pack().zip(second.into_pack()) else {
            unreachable!("seen above");
        };
        match Pack::merge(first, second) {
            Ok(both) => self.insert_node(at, Node::packed(both)),
            Err(_) => unreachable!("both are within the limit of a node"),
        }
        true
    }
}

/// A node of one element.
fn single(element: &[u8], limit: Limit) -> Node {
    if limit.is_large(element.len()) {
        return Node::plain(element);
    }
    let mut pack = Pack::new();
    pack.push_back(element).expect("within the limit of a node");
    Node::packed(pack)
}

fn replace_in(pack: &mut Pack, within: usize, element: &[u8]) -> Result<(), TooLarge> {
    let pos = pack.seek(within as isize).expect("the caller has found it");
    pack.replace(pos, element)
}

#[cfg(test)]
impl Large {
    /// Panics unless the invariants hold.
    pub(super) fn check(&self) {
        assert!(self.nodes.iter().all(|node| node.count() > 0));
        let counts = self.nodes.iter().filter_map(Node::pack).map(Pack::len).sum::<usize>();
        let plain = self.nodes.iter().filter(|node| node.pack().is_none()).count();
        assert_eq!(self.len, counts + plain);
        assert_eq!(self.bytes, self.nodes.iter().map(Node::allocated).sum::<usize>());
    }
}
