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

use crate::table::prefetch;
use arrayvec::ArrayVec;

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

/// Bytes of a cache line.
const LINE: usize = 64;

/// Items of a leaf: with the length, 512 bytes.
const LEAF: usize = 31;
/// Children of an inner node.
const INNER: usize = if cfg!(test) { 5 } else { 30 };

/// Up to `N` items, scores and members apart.
#[derive(Clone, Debug)]
struct Items<const N: usize> {
    scores: [f64; N],
    members: [u64; N],
}

impl<const N: usize> Items<N> {
    const NONE: Items<N> = Items { scores: [0.0; N], members: [0; N] };

    #[inline]
    fn get(&self, at: usize) -> Item {
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
    fn position(&self, len: usize, search: &mut impl Search, inclusive: bool) -> usize {
        search.position(&self.scores[..len], &self.members[..len], inclusive)
    }
}

#[derive(Clone, Debug)]
#[repr(C)]
struct Leaf {
    len: usize,
    items: Items<LEAF>,
}

#[derive(Clone, Debug)]
struct Inner {
    firsts: Items<INNER>,
    counts: [usize; INNER],
    /// In the node itself: an allocation of their own would be one more cache miss on every level.
    children: ArrayVec<Node, INNER>,
}

#[derive(Clone, Debug)]
enum Node {
    Leaf(Box<Leaf>),
    Inner(Box<Inner>),
}

/// See the module's comment.
#[derive(Clone, Debug)]
pub(super) struct Order {
    root: Node,
    len: usize,
    bytes: usize,
}

impl Leaf {
    fn new(items: impl Iterator<Item = Item>) -> Box<Leaf> {
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
    fn new(children: impl IntoIterator<Item = Node>) -> Box<Inner> {
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

    /// The child to descend into for a place.
    #[inline]
    fn child_before(&self, search: &mut impl Search, inclusive: bool) -> usize {
        let at = self.firsts.position(self.children.len(), search, inclusive).saturating_sub(1);
        if let Node::Leaf(leaf) = &self.children[at] {
            // All of its lines at once, not one after the other as they turn out to be needed.
            let start: *const u8 = std::ptr::from_ref(&**leaf).cast();
            for line in 0..size_of::<Leaf>() / LINE {
                prefetch(start.wrapping_add(line * LINE));
            }
        }
        at
    }

    fn insert(&mut self, at: usize, child: Node) {
        let len = self.children.len();
        self.firsts.open(at, len);
        self.counts.copy_within(at..len, at + 1);
        self.children.insert(at, child);
        self.note(at);
    }

    fn remove(&mut self, at: usize) -> Node {
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
    fn first(&self) -> Item {
        match self {
            Node::Leaf(leaf) => leaf.items.get(0),
            Node::Inner(inner) => inner.firsts.get(0),
        }
    }

    fn count(&self) -> usize {
        match self {
            Node::Leaf(leaf) => leaf.len,
            Node::Inner(inner) => inner.counts[..inner.children.len()].iter().sum(),
        }
    }

    /// The number of items or children.
    fn width(&self) -> usize {
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

    fn bytes(&self) -> usize {
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
    fn insert(&mut self, item: Item, search: &mut impl Search, bytes: &mut usize) -> Option<Node> {
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
                let at = inner.child_before(search, false);
                let Some(cut) = inner.children[at].insert(item, search, bytes) else {
                    inner.counts[at] += 1;
                    inner.firsts.set(at, inner.children[at].first());
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
    fn remove(&mut self, rank: usize, bytes: &mut usize) -> Item {
        match self {
            Node::Leaf(leaf) => leaf.remove(rank),
            Node::Inner(inner) => {
                let (at, rank) = inner.child_of(rank);
                let item = inner.children[at].remove(rank, bytes);
                inner.lost_one(at, bytes);
                item
            }
        }
    }

    /// Removes the item at a place, where there is one.
    fn take(&mut self, search: &mut impl Search, bytes: &mut usize) -> Item {
        match self {
            Node::Leaf(leaf) => {
                let at = leaf.items.position(leaf.len, search, false);
                leaf.remove(at)
            }
            Node::Inner(inner) => {
                let at = inner.child_before(search, true);
                let item = inner.children[at].take(search, bytes);
                inner.lost_one(at, bytes);
                item
            }
        }
    }
}

impl Inner {
    /// Takes note that a child has lost an item.
    #[inline]
    fn lost_one(&mut self, at: usize, bytes: &mut usize) {
        let child = &self.children[at];
        if child.width() * 3 < child.most() {
            return self.feed(at, bytes);
        }
        self.firsts.set(at, child.first());
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
                    let at = inner.child_before(&mut search, false);
                    rank += inner.counts[..at].iter().sum::<usize>();
                    node = &inner.children[at];
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

/// Whether the walk is to go on behind this node.
fn walk(node: &Node, from: usize, reverse: bool, see: &mut impl FnMut(Item) -> bool) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The place of an item, by score and then by address.
    struct At(Item);

    impl Search for At {
        fn position(&mut self, scores: &[f64], members: &[u64], inclusive: bool) -> usize {
            let (at, all) =
                ((self.0.score, self.0.member), scores.iter().copied().zip(members.iter().copied()));
            all.take_while(|item| *item < at || inclusive && *item == at).count()
        }
    }

    fn insert(order: &mut Order, model: &mut Vec<Item>, score: f64, member: u64) {
        let item = Item { score, member };
        order.insert(item, At(item));
        let at = model.partition_point(|other| (other.score, other.member) < (score, member));
        model.insert(at, item);
    }

    fn agree(order: &Order, model: &[Item]) {
        order.check();
        let mut all = Vec::new();
        order.walk(0, false, |item| {
            all.push(item);
            true
        });
        assert_eq!(all, model);
    }

    #[test]
    fn items_that_come_in_order_fill_leaves() {
        let mut order = Order::new();
        let mut model = Vec::new();
        for n in 0..2000 {
            insert(&mut order, &mut model, n as f64, n);
        }
        agree(&order, &model);
        assert!(order.bytes() < 2000 * 40, "{}", order.bytes());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_agrees_with_a_sorted_vector(
            steps in prop::collection::vec((any::<bool>(), 0u8..40, any::<u16>()), 1..1500),
            shrink in any::<bool>(),
        ) {
            let (mut order, mut model) = (Order::new(), Vec::new());
            for (n, (add, score, at)) in steps.iter().enumerate() {
                let rank = usize::from(*at);
                if *add || model.is_empty() || (n < steps.len() / 2 && shrink) {
                    insert(&mut order, &mut model, f64::from(*score), n as u64);
                } else {
                    let rank = rank % model.len();
                    let wanted = model.remove(rank);
                    let gone = if *score % 2 == 0 { order.take(At(wanted)) } else { order.remove(rank) };
                    prop_assert_eq!(gone, wanted);
                }
                prop_assert_eq!(order.len(), model.len());
                if n % 16 == 0 {
                    order.check();
                }
            }
            agree(&order, &model);
            for rank in 0..model.len() {
                let item = model[rank];
                let before = |other: &Item| (other.score, other.member) < (item.score, item.member);
                prop_assert_eq!(order.partition(before), rank);
                let mut back = Vec::new();
                order.walk(rank, true, |item| {
                    back.push(item);
                    back.len() < 50
                });
                let wanted: Vec<Item> = model[..=rank].iter().rev().take(50).copied().collect();
                prop_assert_eq!(back, wanted);
            }
            while !model.is_empty() {
                let rank = model.len() / 3;
                prop_assert_eq!(order.remove(rank), model.remove(rank));
                order.check();
            }
            prop_assert_eq!(order.len(), 0);
        }
    }
}
