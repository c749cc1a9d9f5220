//! Nodes in a row.
//!
//! An element at the front of a node moves all that is there, so a node that grows at its front is made of parts until it
//! is full or something else than adding and removing is done to it: the first nodes of the row are these parts, and
//! together they are the first node of the list, by whose size the limits go.
//!
//! Invariants: no node is empty; `len` is the sum of the nodes' counts and `bytes` that of what they have taken from the
//! allocator; `parts` is 0 or at least 2, none of the parts is a large element, and `behind` is what those after the first
//! add to it.
//!
//! A list is frozen by lending its nodes: the frozen one has the same, and whoever changes one of them in the list takes
//! it back first, which copies it as long as the frozen one is there. So freezing takes some 40 ns for each node, and
//! a change during it at most one copy of one node.

use super::End;
use super::iter::Elements;
use super::limit::{Limit, Size};
use super::node::{Content, ListNode, Node};
use crate::class::class;
use crate::pack::{Pack, Side, TooLarge, Value};
use crate::row::make_room;
use std::borrow::Cow;
use std::collections::VecDeque;

/// Bytes from which on an element at the front of a node begins a further part: fewer are moved without delay.
const PART: usize = 2048;

/// A list of nodes.
#[derive(Clone)]
pub(super) struct Large {
    nodes: VecDeque<Node>,
    len: usize,
    bytes: usize,
    parts: u32,
    behind: Size,
}

impl Large {
    /// The elements of one pack.
    pub(super) fn new(pack: Pack) -> Large {
        let mut large = Large { nodes: VecDeque::new(), len: 0, bytes: 0, parts: 0, behind: Size::default() };
        if !pack.is_empty() {
            large.push_node(End::Back, Node::packed(pack));
        }
        large
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The number of nodes in the row, parts counted one by one.
    pub(super) fn row(&self) -> usize {
        self.nodes.len()
    }

    /// One of the row.
    pub(super) fn node(&self, at: usize) -> &Node {
        &self.nodes[at]
    }

    /// The number of nodes.
    pub(super) fn whole_nodes(&self) -> usize {
        self.nodes.len() - self.parts.saturating_sub(1) as usize
    }

    /// A node; the parts of the first one are joined in a copy.
    pub(super) fn whole_node(&self, at: usize) -> ListNode<'_> {
        match self.parts {
            0 => self.nodes[at].content().into(),
            _ if at == 0 => ListNode::Packed(Cow::Owned(self.join())),
            parts => self.nodes[at + parts as usize - 1].content().into(),
        }
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

    /// Its pack, if that is the only node and the limit lets it be a list again.
    pub(super) fn take_only_pack(&mut self, limit: Limit) -> Option<Pack> {
        if self.whole_nodes() != 1 || !self.size(0).is_some_and(|node| limit.half_holds(node)) {
            return None;
        }
        self.settle();
        self.remove_node(0).into_pack()
    }

    /// The list as it is now, whatever becomes of this one; see the module's comment.
    pub(super) fn freeze(&mut self) -> Large {
        self.settle();
        let mut frozen = VecDeque::with_capacity(self.nodes.len());
        let lend = |node: Node| {
            self.bytes += node.loan();
            let node = node.into_lent();
            frozen.push_back(node.clone());
            node
        };
        self.nodes = std::mem::take(&mut self.nodes).into_iter().map(lend).collect();
        Large { nodes: frozen, ..*self }
    }

    /// Bytes taken by the row of nodes alone.
    pub(super) fn row_bytes(&self) -> usize {
        let row = self.nodes.capacity() * size_of::<Node>();
        if row > 0 { class(row) } else { 0 }
    }

    /// Puts a node into the row, not among the parts.
    pub(super) fn insert_node(&mut self, at: usize, node: Node) {
        debug_assert!(at >= self.parts as usize);
        self.len += node.count();
        self.bytes += node.allocated();
        make_room(&mut self.nodes);
        self.nodes.insert(at, node);
    }

    pub(super) fn push_node(&mut self, end: End, node: Node) {
        match end {
            End::Front => {
                self.settle();
                self.insert_node(0, node);
            }
            End::Back => self.insert_node(self.nodes.len(), node),
        }
    }

    pub(super) fn remove_node(&mut self, at: usize) -> Node {
        if at < self.parts as usize {
            // What was behind the first part is the first one if that goes.
            self.behind -= self.added_by(at.max(1));
            self.parts = if self.parts == 2 { 0 } else { self.parts - 1 };
        }
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
        let behind = (1..self.parts as usize).contains(&at);
        if behind {
            self.behind -= self.added_by(at);
        }
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
        let empty = *count == 0;
        if behind {
            self.behind += self.added_by(at);
        }
        if empty {
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
        if !self.allows(Some(at), element.len(), limit) {
            self.push_node(end, single(element, limit));
        } else if end == End::Front && self.nodes[at].allocated() >= PART {
            self.push_part(single(element, limit));
        } else {
            self.push_into(at, end, element).expect("within the limit of a node");
        }
    }

    /// Begins a part of the first node in front of what is there of it.
    fn push_part(&mut self, part: Node) {
        let parts = self.parts.max(1);
        self.parts = 0;
        self.insert_node(0, part);
        self.parts = parts + 1;
        self.behind += self.added_by(1);
    }

    /// What a part behind the first one adds to it.
    fn added_by(&self, at: usize) -> Size {
        self.nodes[at].pack().map_or(Size::default(), Size::added_by)
    }

    /// The parts of the first node in one pack.
    fn join(&self) -> Pack {
        let parts: Vec<&Pack> = self.nodes.iter().take(self.parts as usize).filter_map(Node::pack).collect();
        Pack::join(&parts).expect("within the limit of a node")
    }

    /// Makes the first node one of the row, if it is made of parts.
    fn settle(&mut self) {
        if self.parts == 0 {
            return;
        }
        let whole = Node::packed(self.join());
        while self.parts > 0 {
            self.remove_node(0);
        }
        self.remove_node(0);
        self.insert_node(0, whole);
    }

    /// [`Large::settle`], and where an element of the row is then.
    fn settle_around(&mut self, at: usize, within: usize) -> (usize, usize) {
        let parts = self.parts as usize;
        let place = if at < parts {
            (0, within + self.nodes.range(..at).map(Node::count).sum::<usize>())
        } else {
            (at - parts.saturating_sub(1), within)
        };
        self.settle();
        place
    }

    /// Adds an element at an end of a node of elements.
    fn push_into(&mut self, at: usize, end: End, element: &[u8]) -> Result<(), TooLarge> {
        self.change(at, |pack| match end {
            End::Front => pack.push_front(element),
            End::Back => pack.push_back(element),
        })
    }

    /// What is in the node that this one of the row is, or is a part of; `None` for a large element.
    fn size(&self, at: usize) -> Option<Size> {
        if at >= self.parts as usize {
            return self.nodes.get(at)?.pack().map(Size::of);
        }
        let mut size = Size::of(self.nodes[0].pack()?);
        size += self.behind;
        Some(size)
    }

    /// Whether a node, if there is such, has room for one more element of this length.
    fn allows(&self, at: Option<usize>, element: usize, limit: Limit) -> bool {
        at.and_then(|at| self.size(at)).is_some_and(|node| limit.allows(node, element))
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
        let (at, within) = self.settle_around(at, within);
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
        // Elements may grow in their places beyond the limit of a node: of parts they could become too many for a pack.
        let (at, within) = self.settle_around(at, within);
        let large = limit.is_large(element.len());
        match self.nodes[at].content() {
            Content::Plain(_) if large => {
                self.remove_node(at);
                self.insert_node(at, Node::plain(element));
            }
            Content::Plain(_) => {
                self.insert(at, 0, Side::After, element, limit);
                self.remove_node(at);
            }
            Content::Packed(_) => {
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
        assert!(self.parts != 1 && self.parts as usize <= self.nodes.len());
        let mut behind = Size::default();
        (1..self.parts as usize).for_each(|at| behind += self.added_by(at));
        assert_eq!(self.behind, behind);
        assert!(self.nodes.iter().take(self.parts as usize).all(|part| part.pack().is_some()));
    }
}
