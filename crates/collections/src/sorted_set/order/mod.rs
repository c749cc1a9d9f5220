//! Items in order, found by rank and by value in logarithmic time: a counted B+ tree.
//!
//! The tree knows no order of its own: a [`Search`] says how many of the items of a node come *before* the place that is
//! looked for. An item is a score and the address of a member; an inner node keeps, for each child, its first item and how
//! many items it has below. Scores and addresses are apart, so that scores are compared several at a time. Leaves fill a
//! size class of the allocator.
//!
//! Invariants ([`Order::check`]): all leaves are equally deep; a node that loses an item and is then less than a third full
//! is merged with a neighbour or takes from it; first items and counts are those of the children.
//!
//! Source of the idea: Bayer and McCreight, 1972; counted as in S. Tatham's counted B-trees.

mod node;
#[cfg(test)]
mod tests;

use crate::ahead::Sought;
use crate::table::prefetch;
use arrayvec::ArrayVec;
use node::{Inner, Leaf, Node, walk};
use std::ops::Range;

/// A score, and the address of the member that has it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Item {
    pub(super) score: f64,
    pub(super) member: u64,
}

/// Finds a place among items that are in order.
pub(super) trait Search {
    /// How many of these items come before the place; with `inclusive`, also the one that is at it.
    fn position(&mut self, scores: &[f64], members: &[u64], inclusive: bool) -> usize;
}

/// Where the items of a score are, or would go, among scores in order. Counted without a branch: where the score falls is
/// beyond prediction.
#[inline]
pub(super) fn of_score(scores: &[f64], score: f64) -> Range<usize> {
    let below = scores.iter().filter(|&&s| s < score).count();
    let up_to = scores.iter().filter(|&&s| s <= score).count();
    below..up_to
}

/// Items for which it holds come before the place; nothing is at the place itself.
impl<F: FnMut(&Item) -> bool> Search for F {
    fn position(&mut self, scores: &[f64], members: &[u64], _: bool) -> usize {
        let (mut low, mut high) = (0, scores.len());
        while low < high {
            let middle = (low + high) / 2;
            if self(&Item { score: scores[middle], member: members[middle] }) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// See the module's comment.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    root: Node,
    len: usize,
    bytes: usize,
}

impl Order {
    pub(super) fn new() -> Order {
        let root = Node::Leaf(Leaf::new(std::iter::empty()));
        Order { len: 0, bytes: root.bytes(), root }
    }

    /// The number of items.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bytes taken from the allocator.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many items come before the place.
    pub(super) fn partition(&self, mut search: impl Search) -> usize {
        let (mut node, mut rank) = (&self.root, 0);
        loop {
            match node {
                Node::Leaf(leaf) => return rank + leaf.items.position(leaf.len, &mut search, false),
                Node::Inner(inner) => {
                    let at = inner.child_before(&mut search, false).unwrap_or(0);
                    rank += inner.counts[..at].iter().sum::<usize>();
                    node = &inner.children[at];
                }
            }
        }
    }

    /// Brings the leaves of these places into the cache. All descend together, so that what they miss on one level
    /// overlaps.
    pub(crate) fn fetch(&self, sought: &[Sought]) {
        const TOGETHER: usize = 32;
        for sought in sought.chunks(TOGETHER) {
            let mut paths: ArrayVec<(&Node, Sought), TOGETHER> =
                sought.iter().map(|&sought| (&self.root, sought)).collect();
            // All leaves are equally deep.
            while let Some((Node::Inner(_), _)) = paths.first() {
                for (node, sought) in &mut paths {
                    if let Node::Inner(inner) = *node {
                        *node = inner.child_of_score(sought.score);
                        prefetch(std::ptr::from_ref(*node).cast());
                    }
                }
                for (node, _) in &paths {
                    node.fetch();
                }
            }
            for (node, sought) in paths.iter().filter(|(_, sought)| sought.is_new) {
                if let Node::Leaf(leaf) = node {
                    leaf.fetch_members(sought.score);
                }
            }
        }
    }

    /// Puts an item at its place.
    pub(super) fn insert(&mut self, item: Item, mut search: impl Search) {
        self.len += 1;
        if let Some(right) = self.root.insert(item, &mut search, &mut self.bytes) {
            let left = std::mem::replace(&mut self.root, Node::Leaf(Leaf::new(std::iter::empty())));
            self.root = Node::Inner(Inner::new([left, right]));
            self.bytes += self.root.bytes();
        }
    }

    /// Removes the item at a rank, which must be less than the length.
    pub(super) fn remove(&mut self, rank: usize) -> Item {
        assert!(rank < self.len, "a rank of {rank} among {}", self.len);
        self.len -= 1;
        let item = self.root.remove(rank, &mut self.bytes);
        self.lower();
        item
    }

    /// Removes the item at a place, where there must be one.
    pub(super) fn take(&mut self, mut search: impl Search) -> Item {
        self.len -= 1;
        let item = self.root.take(&mut search, &mut self.bytes);
        self.lower();
        item
    }

    /// Gives up roots with a single child.
    #[inline]
    fn lower(&mut self) {
        while let Node::Inner(inner) = &mut self.root
            && inner.children.len() == 1
        {
            let only = inner.remove(0);
            self.bytes -= self.root.bytes();
            self.root = only;
        }
    }

    /// Calls `see` with the items from a rank on, upwards or downwards, until it says to stop.
    pub(super) fn walk(&self, from: usize, reverse: bool, mut see: impl FnMut(Item) -> bool) {
        if from < self.len {
            walk(&self.root, from, reverse, &mut see);
        }
    }

    /// Panics unless the invariants hold.
    #[cfg(test)]
    fn check(&self) {
        fn depth(node: &Node) -> usize {
            match node {
                Node::Leaf(_) => 0,
                Node::Inner(inner) => {
                    let depths: Vec<usize> = inner.children.iter().map(depth).collect();
                    assert!(depths.windows(2).all(|pair| pair[0] == pair[1]), "leaves are equally deep");
                    for (at, child) in inner.children.iter().enumerate() {
                        assert_eq!((inner.firsts.get(at), inner.counts[at]), (child.first(), child.count()));
                        assert!(child.width() > 0);
                    }
                    depths[0] + 1
                }
            }
        }
        fn bytes(node: &Node) -> usize {
            node.bytes()
                + match node {
                    Node::Leaf(_) => 0,
                    Node::Inner(inner) => inner.children.iter().map(bytes).sum(),
                }
        }
        depth(&self.root);
        assert_eq!((self.root.count(), bytes(&self.root)), (self.len, self.bytes));
    }
}
