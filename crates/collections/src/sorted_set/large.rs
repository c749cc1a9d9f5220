//! A large sorted set: a room of members that know their scores, and their order.
//!
//! Invariant ([`Large::check`]): the order has exactly one item for each member, with its score and its address, sorted by
//! score and then by bytes.
#![allow(unsafe_code)]

use super::order::{Item, Order, Search, of_score};
use super::{Member, Place};
use crate::ahead::Ahead;
use crate::member::{Element, Members, Parts, Scored, Tracked};
use crate::seed::Seed;
use tanist_types::Rng;

#[derive(Debug)]
pub(super) struct Large {
    members: Members<Scored>,
    order: Order,
}

impl Large {
    pub(super) fn new(seed: Seed) -> Large {
        Large { members: Members::new(seed), order: Order::new() }
    }

    pub(super) fn tracked(&self) -> &dyn Tracked {
        &self.members
    }

    pub(super) fn tracked_mut(&mut self) -> &mut dyn Tracked {
        &mut self.members
    }

    #[inline]
    pub(super) fn ahead(&self) -> Ahead<'_> {
        self.members.ahead().ordered(&self.order)
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn allocated(&self) -> usize {
        self.members.allocated() + self.order.bytes()
    }

    #[inline]
    pub(super) fn score(&self, name: &[u8]) -> Option<f64> {
        self.members.get(name).map(score_of)
    }

    pub(super) fn rank(&self, name: &[u8]) -> Option<(usize, f64)> {
        let element = self.members.get(name)?;
        let score = score_of(element);
        let rank = self.order.partition(At { score, name, member: Some(element.address()) });
        Some((rank, score))
    }

    /// Gives a member a score; the one it had.
    pub(super) fn set(&mut self, name: &[u8], score: f64) -> Option<f64> {
        let place = self.members.locate(name);
        let Some(element) = self.members.at(&place) else {
            let parts = Parts { prefix: score.to_bits(), name, ..Parts::default() };
            let member = self.members.put(&place, &parts);
            self.order.insert(Item { score, member }, At { score, name, member: None });
            return None;
        };
        let (old, member) = (score_of(element), element.address());
        if old != score {
            self.order.take(At { score: old, name, member: Some(member) });
            self.order.insert(Item { score, member }, At { score, name, member: None });
            self.members.set_prefix(&place, score.to_bits());
        }
        Some(old)
    }

    pub(super) fn remove(&mut self, name: &[u8]) -> Option<f64> {
        let place = self.members.locate(name);
        let element = self.members.at(&place)?;
        let score = score_of(element);
        self.order.take(At { score, name, member: Some(element.address()) });
        self.members.remove_at(&place);
        Some(score)
    }

    /// Removes `count` members from a rank on, each of which is shown first.
    pub(super) fn remove_ranks(&mut self, from: usize, count: usize, see: &mut dyn FnMut(Member<'_>, f64)) {
        for _ in 0..count {
            let item = self.order.remove(from);
            // SAFETY: the member's item was in the order until now, so that it lives.
            let element = unsafe { Element::<Scored>::at(item.member) };
            see(large(element), item.score);
            let place = self.members.locate(element.name());
            self.members.remove_at(&place);
        }
    }

    pub(super) fn partition(&self, before: &mut dyn FnMut(f64, Member<'_>) -> bool) -> usize {
        // SAFETY: the order's items are those of members that live as long as `self` is not changed.
        self.order.partition(|item: &Item| before(item.score, large(unsafe { Element::at(item.member) })))
    }

    pub(super) fn walk<'a>(
        &'a self,
        from: usize,
        reverse: bool,
        see: &mut dyn FnMut(Member<'a>, f64) -> bool,
    ) {
        // SAFETY: as in `partition`; `self` stays borrowed as long as what is shown.
        self.order.walk(from, reverse, |item| see(large(unsafe { Element::at(item.member) }), item.score));
    }

    pub(super) fn scan(&self, cursor: u64, count: usize, see: &mut dyn FnMut(Member<'_>, f64)) -> u64 {
        self.members.scan(cursor, count, &mut |element| see(large(element), score_of(element)))
    }

    pub(super) fn random(&self, rng: &mut Rng) -> Option<(Member<'_>, f64)> {
        self.members.random(rng).map(|element| (large(element), score_of(element)))
    }

    #[cfg(test)]
    pub(super) fn check(&self) {
        self.members.check();
        assert_eq!(self.members.len(), self.order.len());
        let mut last: Option<(f64, Vec<u8>)> = None;
        self.walk(0, false, &mut |member, score| {
            let name = member.value().as_bytes(&mut itoa::Buffer::new()).to_vec();
            assert_eq!(self.score(&name), Some(score));
            if let Some((low, before)) = &last {
                assert!(*low < score || *low == score && *before < name, "members are in order");
            }
            last = Some((score, name));
            true
        });
    }
}

impl Clone for Large {
    fn clone(&self) -> Large {
        let mut copy = Large::new(self.members.seed());
        // In order, so that every leaf of the copy becomes full.
        self.walk(0, false, &mut |member, score| {
            copy.set(member.value().as_bytes(&mut itoa::Buffer::new()), score);
            true
        });
        copy
    }
}

fn large(element: Element<'_, Scored>) -> Member<'_> {
    Member(Place::Large(element))
}

#[inline]
fn score_of(element: Element<'_, Scored>) -> f64 {
    f64::from_bits(element.prefix())
}

/// Where a member of this score and name is, or would go.
#[derive(Clone, Copy)]
struct At<'a> {
    score: f64,
    name: &'a [u8],
    /// Its address if it is in the order with this score: then others of the score need not be looked at, each of which
    /// may cost a cache miss.
    member: Option<u64>,
}

impl Search for At<'_> {
    #[inline]
    fn position(&mut self, scores: &[f64], members: &[u64], inclusive: bool) -> usize {
        let same = of_score(scores, self.score);
        let (below, members) = (same.start, &members[same]);
        if let Some(own) = self.member
            && let Some(at) = members.iter().position(|&member| member == own)
        {
            return below + at + usize::from(inclusive);
        }
        // Members are looked at only where scores do not decide.
        below
            + members.partition_point(|&member| {
                // SAFETY: called for items of an order, whose members live.
                let name = unsafe { Element::<Scored>::at(member) }.name();
                if inclusive { name <= self.name } else { name < self.name }
            })
    }
}
