//! Changing a list.

use super::large::Large;
use super::limit::Limit;
use super::{End, List};
use crate::collection::Collection;
use crate::pack::{Pack, Side, Value};
use crate::parse_int;
use crate::policy::Policy;
use crate::word::Kind;

/// A text that elements are compared with.
#[derive(Clone, Copy)]
struct Wanted<'t> {
    text: &'t [u8],
    number: Option<i64>,
}

impl<'t> Wanted<'t> {
    fn new(text: &'t [u8]) -> Wanted<'t> {
        Wanted { text, number: parse_int(text) }
    }

    #[inline]
    fn is(&self, element: Value<'_>) -> bool {
        match element {
            Value::Int(n) => Some(n) == self.number,
            Value::Str(bytes) => bytes == self.text,
        }
    }
}

impl List {
    /// Adds elements, one after the other, at an end.
    #[inline]
    pub fn push<'e>(
        &mut self,
        end: End,
        elements: impl ExactSizeIterator<Item = &'e [u8]> + Clone,
        policy: &Policy,
    ) {
        let limit = Limit::of(policy);
        let bytes = elements.clone().map(<[u8]>::len).fold(0, usize::saturating_add);
        self.grow(elements.len(), bytes, limit);
        for element in elements {
            match self.0.get_mut() {
                Kind::Compact(pack) => {
                    let pushed = match end {
                        End::Front => pack.push_front(element),
                        End::Back => pack.push_back(element),
                    };
                    pushed.expect("within the limit of a node");
                }
                Kind::Large(large) => large.push(end, element, limit),
                Kind::Other(_) => {}
            }
        }
    }

    /// Hands the element at an end to `take` and removes it; says whether there was one.
    #[inline]
    pub fn pop(&mut self, end: End, policy: &Policy, take: impl FnOnce(Value<'_>)) -> bool {
        let popped = self.take_end(end, take);
        self.shrink(Limit::of(policy));
        popped
    }

    /// [`List::pop`] that does not look at the encoding yet.
    #[inline]
    fn take_end(&mut self, end: End, take: impl FnOnce(Value<'_>)) -> bool {
        match self.0.get_mut() {
            Kind::Compact(pack) => {
                let pos = match end {
                    End::Front => pack.first(),
                    End::Back => pack.last(),
                };
                let Some(pos) = pos else { return false };
                take(pack.get(pos));
                pack.remove(pos);
                true
            }
            Kind::Large(large) => large.pop(end, take),
            Kind::Other(_) => false,
        }
    }

    /// Moves the element at one end to one end, maybe the same, and gives it; `None` if the list is empty.
    pub fn rotate(&mut self, from: End, to: End, policy: &Policy) -> Option<Vec<u8>> {
        let mut element = Vec::new();
        if !self.take_end(from, |popped| popped.write_to(&mut element)) {
            return None;
        }
        self.push(to, std::iter::once(element.as_slice()), policy);
        self.shrink(Limit::of(policy));
        Some(element)
    }

    /// Hands up to `count` elements, from an end on, to `take` and removes them; how many they were.
    pub fn pop_many(
        &mut self,
        end: End,
        count: usize,
        policy: &Policy,
        mut take: impl FnMut(Value<'_>),
    ) -> usize {
        let count = count.min(self.len());
        let from = match end {
            End::Front => {
                self.iter().take(count).for_each(&mut take);
                0
            }
            End::Back => {
                self.iter().rev().take(count).for_each(&mut take);
                self.len() - count
            }
        };
        self.remove_range(from, count);
        // As in Redis, nothing removed is no occasion to look at the encoding.
        if count > 0 {
            self.shrink(Limit::of(policy));
        }
        count
    }

    fn remove_range(&mut self, from: usize, count: usize) {
        match self.0.get_mut() {
            Kind::Compact(pack) => {
                if let Some(pos) = pack.seek(from as isize).filter(|_| count > 0) {
                    pack.remove_range(pos, count);
                }
            }
            Kind::Large(large) => large.remove_range(from, count),
            Kind::Other(_) => {}
        }
    }

    /// Removes all elements but those from index `from` to `to`, the latter excluded; both count from the front. How many
    /// are removed.
    pub fn keep(&mut self, from: usize, to: usize, policy: &Policy) -> usize {
        let len = self.len();
        let to = to.min(len);
        let from = from.min(to);
        self.remove_range(to, len - to);
        self.remove_range(0, from);
        self.shrink(Limit::of(policy));
        len - to + from
    }

    /// Puts an element in the place of the one at this index, which may count from the last (-1); says whether there is
    /// one.
    pub fn set(&mut self, index: i64, element: &[u8], policy: &Policy) -> bool {
        let limit = Limit::of(policy);
        // As in Redis, before it is known whether there is such an index.
        self.grow(1, element.len(), limit);
        let Some(place) = self.place(index) else { return false };
        match self.0.get_mut() {
            Kind::Compact(pack) => {
                let Some(pos) = pack.seek(place as isize) else { return false };
                pack.replace(pos, element).expect("within the limit of a node");
            }
            Kind::Large(large) => {
                let Some((at, within)) = large.find(place) else { return false };
                large.replace(at, within, element, limit);
            }
            Kind::Other(_) => return false,
        }
        self.shrink(limit);
        true
    }

    /// Puts an element beside the first one that is `pivot`; says whether there is one.
    pub fn insert(&mut self, pivot: &[u8], side: Side, element: &[u8], policy: &Policy) -> bool {
        let limit = Limit::of(policy);
        // As in Redis, before it is known whether there is a pivot.
        self.grow(1, element.len(), limit);
        match self.0.get_mut() {
            Kind::Compact(pack) => {
                let Some(pos) = pack.find(pivot, 0) else { return false };
                pack.insert(pos, side, element).expect("within the limit of a node");
                true
            }
            Kind::Large(large) => {
                let Some((at, within)) = find_in_nodes(large, Wanted::new(pivot)) else { return false };
                large.insert(at, within, side, element, limit);
                true
            }
            Kind::Other(_) => false,
        }
    }

    /// Removes the elements that are `text`, at most so many: the first ones, or the last ones if `count` is negative; all
    /// if it is zero. How many they were.
    pub fn remove(&mut self, text: &[u8], count: i64, policy: &Policy) -> usize {
        let wanted = Wanted::new(text);
        let most = match count {
            0 => usize::MAX,
            count => usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX),
        };
        let removed = match self.0.get_mut() {
            Kind::Compact(pack) => remove_in(pack, wanted, most, count < 0),
            Kind::Large(large) if count < 0 => {
                remove_in_nodes(large, (0..large.row()).rev(), wanted, most, true)
            }
            Kind::Large(large) => remove_in_nodes(large, 0..large.row(), wanted, most, false),
            Kind::Other(_) => 0,
        };
        if removed > 0 {
            self.shrink(Limit::of(policy));
        }
        removed
    }

    /// The indexes, from the front, of the elements that are `text`, among the first `among` ones, or among the last ones
    /// and from there on if `backwards`.
    pub fn positions<'l>(
        &'l self,
        text: &'l [u8],
        backwards: bool,
        among: usize,
    ) -> impl Iterator<Item = usize> + 'l {
        let wanted = Wanted::new(text);
        let len = self.len();
        let mut elements = self.iter();
        (0..among.min(len)).filter_map(move |steps| {
            let (element, index) = match backwards {
                false => (elements.next()?, steps),
                true => (elements.next_back()?, len - 1 - steps),
            };
            wanted.is(element).then_some(index)
        })
    }
}

/// The node of the first element that is wanted, and its index there.
fn find_in_nodes(large: &Large, wanted: Wanted<'_>) -> Option<(usize, usize)> {
    (0..large.row()).find_map(|at| {
        let node = large.node(at);
        match node.pack() {
            Some(pack) => pack.iter().position(|element| wanted.is(element)).map(|within| (at, within)),
            None => node.get(0).is_some_and(|element| wanted.is(element)).then_some((at, 0)),
        }
    })
}

/// Removes wanted elements of a pack, at most so many, from the front or the back on.
fn remove_in(pack: &mut Pack, wanted: Wanted<'_>, most: usize, backwards: bool) -> usize {
    let mut removed = 0;
    let mut at = if backwards { pack.last() } else { pack.first() };
    while let Some(pos) = at
        && removed < most
    {
        let found = wanted.is(pack.get(pos));
        at = match (backwards, found) {
            (false, false) => pack.next(pos),
            (false, true) => pack.remove(pos),
            (true, _) => pack.prev(pos),
        };
        if found {
            removed += 1;
            if backwards {
                pack.remove(pos);
            }
        }
    }
    removed
}

/// [`remove_in`] one node after the other.
fn remove_in_nodes(
    large: &mut Large,
    order: impl Iterator<Item = usize>,
    wanted: Wanted<'_>,
    most: usize,
    backwards: bool,
) -> usize {
    let (mut removed, mut gone) = (0, 0);
    for at in order {
        if removed >= most {
            break;
        }
        // Nodes that went before this one when going forwards.
        let at = if backwards { at } else { at - gone };
        let before = large.row();
        let node = large.node(at);
        if node.pack().is_some() {
            let left = most - removed;
            removed += large.change(at, |pack| remove_in(pack, wanted, left, backwards));
        } else if node.get(0).is_some_and(|element| wanted.is(element)) {
            large.remove_node(at);
            removed += 1;
        }
        gone += before - large.row();
    }
    removed
}
