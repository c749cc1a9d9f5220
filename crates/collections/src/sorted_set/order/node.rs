//! The nodes of the tree, and what changes them.

use super::{Item, Search, of_score};
use crate::table::prefetch;
use arrayvec::ArrayVec;

/// Bytes of a cache line.
const LINE: usize = 64;

/// Brings all lines of a value into the cache.
#[inline]
fn fetch<T>(value: &T) {
    let start: *const u8 = std::ptr::from_ref(value).cast();
    for line in 0..size_of::<T>().div_ceil(LINE) {
        prefetch(start.wrapping_add(line * LINE));
    }
}

/// Items of a leaf: with the length, 512 bytes.
const LEAF: usize = 31;
/// Children of an inner node.
const INNER: usize = if cfg!(test) { 5 } else { 30 };

/// Up to `N` items, scores and members apart.
#[derive(Clone, Debug)]
pub(super) struct Items<const N: usize> {
    scores: [f64; N],
    members: [u64; N],
}

impl<const N: usize> Items<N> {
    const NONE: Items<N> = Items { scores: [0.0; N], members: [0; N] };

    #[inline]
    pub(super) fn get(&self, at: usize) -> Item {
        Item { score: self.scores[at], member: self.members[at] }
    }

    #[inline]
    fn set(&mut self, at: usize, item: Item) {
        self.scores[at] = item.score;
        self.members[at] = item.member;
    }

    /// Makes room at `at` among the first `len`.
    fn open(&mut self, at: usize, len: usize) {
        self.scores.copy_within(at..len, at + 1);
        self.members.copy_within(at..len, at + 1);
    }

    /// Closes the gap that `at` leaves among the first `len`.
    fn close(&mut self, at: usize, len: usize) {
        self.scores.copy_within(at + 1..len, at);
        self.members.copy_within(at + 1..len, at);
    }

    #[inline]
    pub(super) fn position(&self, len: usize, search: &mut impl Search, inclusive: bool) -> usize {
        search.position(&self.scores[..len], &self.members[..len], inclusive)
    }
}

#[derive(Clone, Debug)]
#[repr(C)]
pub(super) struct Leaf {
    pub(super) len: usize,
    pub(super) items: Items<LEAF>,
}

#[derive(Clone, Debug)]
#[repr(C)]
pub(super) struct Inner {
    /// In the node itself: an allocation of their own would be one more cache miss on every level.
    pub(super) children: ArrayVec<Node, INNER>,
    pub(super) firsts: Items<INNER>,
    pub(super) counts: [usize; INNER],
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Leaf(Box<Leaf>),
    Inner(Box<Inner>),
}

impl Leaf {
    pub(super) fn new(items: impl Iterator<Item = Item>) -> Box<Leaf> {
        let mut leaf = Box::new(Leaf { len: 0, items: Items::NONE });
        for item in items {
            leaf.items.set(leaf.len, item);
            leaf.len += 1;
        }
        leaf
    }

    fn items(&self) -> impl DoubleEndedIterator<Item = Item> + ExactSizeIterator {
        (0..self.len).map(|at| self.items.get(at))
    }

    /// Brings the members that have this score into the cache.
    pub(super) fn fetch_members(&self, score: f64) {
        for &member in &self.items.members[of_score(&self.items.scores[..self.len], score)] {
            prefetch(std::ptr::without_provenance(member as usize));
        }
    }

    fn insert(&mut self, at: usize, item: Item) {
        self.items.open(at, self.len);
        self.items.set(at, item);
        self.len += 1;
    }

    fn remove(&mut self, at: usize) -> Item {
        let item = self.items.get(at);
        self.items.close(at, self.len);
        self.len -= 1;
        item
    }
}

impl Inner {
    pub(super) fn new(children: impl IntoIterator<Item = Node>) -> Box<Inner> {
        let mut inner =
            Box::new(Inner { firsts: Items::NONE, counts: [0; INNER], children: ArrayVec::new() });
        inner.children.extend(children);
        for at in 0..inner.children.len() {
            inner.note(at);
        }
        inner
    }

    /// Brings what is known of a child up to date.
    fn note(&mut self, at: usize) {
        self.firsts.set(at, self.children[at].first());
        self.counts[at] = self.children[at].count();
    }

    /// The child to descend into for a place; none if the place is before the first item.
    #[inline]
    pub(super) fn child_before(&self, search: &mut impl Search, inclusive: bool) -> Option<usize> {
        let at = self.firsts.position(self.children.len(), search, inclusive).checked_sub(1);
        if let child @ Node::Leaf(_) = &self.children[at.unwrap_or(0)] {
            child.fetch();
        }
        at
    }

    /// The child where items of this score are, or the last of them.
    #[inline]
    pub(super) fn child_of_score(&self, score: f64) -> &Node {
        let firsts = &self.firsts.scores[..self.children.len()];
        &self.children[of_score(firsts, score).end.saturating_sub(1)]
    }

    fn insert(&mut self, at: usize, child: Node) {
        let len = self.children.len();
        self.firsts.open(at, len);
        self.counts.copy_within(at..len, at + 1);
        self.children.insert(at, child);
        self.note(at);
    }

    pub(super) fn remove(&mut self, at: usize) -> Node {
        let len = self.children.len();
        self.firsts.close(at, len);
        self.counts.copy_within(at + 1..len, at);
        self.children.remove(at)
    }

    /// The child that has the rank, and the rank in it; the last one for a rank at the end.
    fn child_of(&self, mut rank: usize) -> (usize, usize) {
        let last = self.children.len() - 1;
        for at in 0..last {
            if rank < self.counts[at] {
                return (at, rank);
            }
            rank -= self.counts[at];
        }
        (last, rank)
    }
}

impl Node {
    /// Brings into the cache what a search looks at first: of a leaf all lines at once, not one after the other as they
    /// turn out to be needed.
    #[inline]
    pub(super) fn fetch(&self) {
        match self {
            Node::Leaf(leaf) => fetch(&**leaf),
            Node::Inner(inner) => {
                prefetch(std::ptr::from_ref(&**inner).cast());
                fetch(&inner.firsts.scores);
            }
        }
    }

    pub(super) fn first(&self) -> Item {
        match self {
            Node::Leaf(leaf) => leaf.items.get(0),
            Node::Inner(inner) => inner.firsts.get(0),
        }
    }

    pub(super) fn count(&self) -> usize {
        match self {
            Node::Leaf(leaf) => leaf.len,
            Node::Inner(inner) => inner.counts[..inner.children.len()].iter().sum(),
        }
    }

    /// The number of items or children.
    pub(super) fn width(&self) -> usize {
        match self {
            Node::Leaf(leaf) => leaf.len,
            Node::Inner(inner) => inner.children.len(),
        }
    }

    fn most(&self) -> usize {
        match self {
            Node::Leaf(_) => LEAF,
            Node::Inner(_) => INNER,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Node::Leaf(_) => crate::class(size_of::<Leaf>()),
            Node::Inner(_) => crate::class(size_of::<Inner>()),
        }
    }

    /// Cuts off everything from `at` on.
    fn split_off(&mut self, at: usize) -> Node {
        match self {
            Node::Leaf(leaf) => {
                let right = Leaf::new(leaf.items().skip(at));
                leaf.len = at;
                Node::Leaf(right)
            }
            Node::Inner(inner) => Node::Inner(Inner::new(inner.children.drain(at..))),
        }
    }

    /// Appends all of `right`, which is of the same kind and for which there is room.
    fn append(&mut self, right: Node) {
        match (self, right) {
            (Node::Leaf(leaf), Node::Leaf(right)) => {
                for item in right.items() {
                    leaf.items.set(leaf.len, item);
                    leaf.len += 1;
                }
            }
            (Node::Inner(inner), Node::Inner(right)) => {
                for child in right.children {
                    let at = inner.children.len();
                    inner.children.push(child);
                    inner.note(at);
                }
            }
            _ => unreachable!("neighbours are of the same kind"),
        }
    }

    /// Puts an item at its place; returns what had to be cut off at the right. `bytes` follows.
    pub(super) fn insert(&mut self, item: Item, search: &mut impl Search, bytes: &mut usize) -> Option<Node> {
        match self {
            Node::Leaf(leaf) => {
                let at = leaf.items.position(leaf.len, search, false);
                if leaf.len < LEAF {
                    leaf.insert(at, item);
                    return None;
                }
                // At the very end the left one stays full: items that come in order make full leaves.
                let mut right = self.split_off(if at == LEAF { LEAF } else { LEAF / 2 });
                let (Node::Leaf(left), Node::Leaf(new)) = (&mut *self, &mut right) else {
                    unreachable!("a leaf is split into leaves")
                };
                if at <= left.len && at < LEAF {
                    left.insert(at, item)
                } else {
                    new.insert(at - left.len, item)
                }
                *bytes += right.bytes();
                Some(right)
            }
            Node::Inner(inner) => {
                let before = inner.child_before(search, false);
                let at = before.unwrap_or(0);
                let Some(cut) = inner.children[at].insert(item, search, bytes) else {
                    inner.counts[at] += 1;
                    if before.is_none() {
                        inner.firsts.set(at, item);
                    }
                    return None;
                };
                inner.note(at);
                if inner.children.len() < INNER {
                    inner.insert(at + 1, cut);
                    return None;
                }
                let middle = if at + 1 == INNER { INNER - 1 } else { INNER / 2 };
                let mut right = self.split_off(middle);
                let (Node::Inner(left), Node::Inner(new)) = (&mut *self, &mut right) else {
                    unreachable!("an inner node is split into inner nodes")
                };
                if at < middle {
                    left.insert(at + 1, cut);
                } else {
                    new.insert(at + 1 - left.children.len(), cut);
                }
                *bytes += right.bytes();
                Some(right)
            }
        }
    }

    /// Removes the item at a rank.
    pub(super) fn remove(&mut self, rank: usize, bytes: &mut usize) -> Item {
        match self {
            Node::Leaf(leaf) => leaf.remove(rank),
            Node::Inner(inner) => {
                let (at, rank) = inner.child_of(rank);
                let item = inner.children[at].remove(rank, bytes);
                inner.lost(at, item, bytes);
                item
            }
        }
    }

    /// Removes the item at a place, where there is one.
    pub(super) fn take(&mut self, search: &mut impl Search, bytes: &mut usize) -> Item {
        match self {
            Node::Leaf(leaf) => {
                let at = leaf.items.position(leaf.len, search, false);
                leaf.remove(at)
            }
            Node::Inner(inner) => {
                let at = inner.child_before(search, true).unwrap_or(0);
                let item = inner.children[at].take(search, bytes);
                inner.lost(at, item, bytes);
                item
            }
        }
    }
}

impl Inner {
    /// Takes note that a child has lost an item.
    #[inline]
    fn lost(&mut self, at: usize, item: Item, bytes: &mut usize) {
        let child = &self.children[at];
        if child.width() * 3 < child.most() {
            return self.feed(at, bytes);
        }
        // Scores first: they are in the cache already.
        if self.firsts.scores[at] == item.score && self.firsts.members[at] == item.member {
            self.firsts.set(at, child.first());
        }
        self.counts[at] -= 1;
    }

    /// Merges a child that has too little with a neighbour, or takes from it.
    fn feed(&mut self, at: usize, bytes: &mut usize) {
        if self.children.len() == 1 {
            return self.note(at);
        }
        let left = if at + 1 < self.children.len() { at } else { at - 1 };
        let right = self.remove(left + 1);
        let both = self.children[left].width() + right.width();
        *bytes -= right.bytes();
        if right.width() == 0 {
            return self.note(left);
        }
        if both <= self.children[left].most() {
            self.children[left].append(right);
            return self.note(left);
        }
        // Both keep about half.
        let right = match (&mut self.children[left], right) {
            (Node::Leaf(one), Node::Leaf(two)) => {
                let all = || one.items().chain(two.items());
                let (first, second) = (Leaf::new(all().take(both / 2)), Leaf::new(all().skip(both / 2)));
                *one = first;
                Node::Leaf(second)
            }
            (Node::Inner(one), Node::Inner(two)) => {
                let mut all: Vec<Node> = one.children.drain(..).collect();
                all.extend(two.children);
                let second = all.split_off(both / 2);
                *one = Inner::new(all);
                Node::Inner(Inner::new(second))
            }
            _ => unreachable!("neighbours are of the same kind"),
        };
        *bytes += right.bytes();
        self.note(left);
        self.insert(left + 1, right);
    }
}

/// Whether the walk is to go on behind this node.
pub(super) fn walk(node: &Node, from: usize, reverse: bool, see: &mut impl FnMut(Item) -> bool) -> bool {
    match node {
        Node::Leaf(leaf) if reverse => leaf.items().take(from.saturating_add(1)).rev().all(see),
        Node::Leaf(leaf) => leaf.items().skip(from).all(see),
        Node::Inner(inner) => {
            let (at, in_child) = inner.child_of(from);
            if !walk(&inner.children[at], in_child, reverse, see) {
                return false;
            }
            if reverse {
                inner.children[..at].iter().rev().all(|child| walk(child, usize::MAX, true, see))
            } else {
                inner.children[at + 1..].iter().all(|child| walk(child, 0, false, see))
            }
        }
    }
}
