//! Sorted sets: members with scores, in the order of scores and then of bytes.
//!
//! A small one is a listpack of members and scores in that order, as Redis stores it. A large one is a table of members
//! and a counted tree, so that a rank is found in logarithmic time.
//!
//! No score is NaN; callers refuse it.

mod large;
mod order;

use crate::ahead::Ahead;
use crate::collection::{Collection, Encoding};
use crate::member::{Element, Scored, Tracked};
use crate::pack::{Pack, Pos, Side, Value};
use crate::policy::Policy;
use crate::word::{Kind, Word};
use large::Large;
pub(crate) use order::Order;
use std::cmp::Ordering;
use std::fmt;
use tanist_text::double;
use tanist_types::Rng;

/// A sorted set.
#[derive(Clone)]
pub struct SortedSet(Word<Pack, Large>);

/// A member, borrowed from its set. Looking at its bytes may cost a cache miss.
#[derive(Clone, Copy)]
pub struct Member<'a>(Place<'a>);

/// Where a member is.
#[derive(Clone, Copy)]
enum Place<'a> {
    Packed(Value<'a>),
    Large(Element<'a, Scored>),
}

impl<'a> Member<'a> {
    /// Its bytes, or the integer whose text they are.
    #[inline]
    #[must_use]
    pub fn value(self) -> Value<'a> {
        match self.0 {
            Place::Packed(value) => value,
            Place::Large(element) => Value::Str(element.name()),
        }
    }

    /// How its bytes compare with others.
    #[inline]
    #[must_use]
    pub fn cmp_bytes(self, other: &[u8]) -> Ordering {
        self.value().as_bytes(&mut itoa::Buffer::new()).cmp(other)
    }
}

impl fmt::Debug for Member<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

impl Default for SortedSet {
    fn default() -> SortedSet {
        SortedSet(Word::compact(Pack::new()))
    }
}

impl From<Pack> for SortedSet {
    /// The pairs must be in order, and the members unique: see [`SortedSet::from_foreign`] for what comes from elsewhere.
    fn from(pack: Pack) -> SortedSet {
        SortedSet(Word::compact(pack))
    }
}

impl SortedSet {
    /// The table, if there is one, to be shown as it is now while it changes.
    #[must_use]
    pub fn tracked(&self) -> Option<&dyn Tracked> {
        self.0.large_ref().map(Large::tracked)
    }

    /// [`SortedSet::tracked`], to change what is remembered.
    pub fn tracked_mut(&mut self) -> Option<&mut dyn Tracked> {
        self.0.large_mut().map(Large::tracked_mut)
    }

    /// To fetch members before they are looked for; `None` if they are not in a table.
    #[inline]
    #[must_use]
    pub fn ahead(&self) -> Option<Ahead<'_>> {
        self.0.large_ref().map(Large::ahead)
    }

    /// The listpack of a small one.
    #[must_use]
    pub fn pack(&self) -> Option<&Pack> {
        match self.0.get() {
            Kind::Compact(pack) => Some(pack),
            _ => None,
        }
    }

    /// The set in a listpack that somebody else has made; `None` if it is not one of a sorted set.
    #[must_use]
    pub fn from_foreign(pack: &Pack, policy: &Policy) -> Option<SortedSet> {
        if !pack.len().is_multiple_of(2) {
            return None;
        }
        let mut set = SortedSet::default();
        let mut digits = itoa::Buffer::new();
        for (member, score) in pack.pairs() {
            let score = score_in(score)?;
            if set.set(member.as_bytes(&mut digits), score, policy).is_some() {
                return None;
            }
        }
        Some(set)
    }

    /// The score of a member.
    #[inline]
    #[must_use]
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match self.0.get() {
            Kind::Compact(pack) => find(pack, member).map(|(_, score)| score),
            Kind::Large(large) => large.score(member),
            Kind::Other(_) => None,
        }
    }

    /// Prepares for `count` members, the longest of which has `longest` bytes: a set that would be large with these alone
    /// becomes so now, be they there already or not.
    pub fn expect(&mut self, count: usize, longest: usize, policy: &Policy) {
        let limit = policy.sorted_set;
        let large = match self.0.get() {
            Kind::Compact(pack) if count > limit.entries || longest > limit.value => grown(pack, policy),
            _ => return,
        };
        self.0 = Word::large(large);
    }

    /// Gives a member a score, and returns the one it had. A score that equals the old one changes nothing.
    pub fn set(&mut self, member: &[u8], score: f64, policy: &Policy) -> Option<f64> {
        debug_assert!(!score.is_nan());
        if let Some(old) = self.set_compact(member, score, policy) {
            return old;
        }
        match self.0.get_mut() {
            Kind::Large(large) => large.set(member, score),
            _ => None,
        }
    }

    /// [`SortedSet::set`] as long as the set is and stays small; `None`, with nothing done but perhaps the set made large,
    /// if not.
    fn set_compact(&mut self, member: &[u8], score: f64, policy: &Policy) -> Option<Option<f64>> {
        let pack = match self.0.get_mut() {
            Kind::Compact(pack) => pack,
            _ => return None,
        };
        let limit = policy.sorted_set;
        // A member that was there keeps the encoding, whatever has been configured since.
        if let Some((pos, old)) = find(pack, member) {
            if old != score {
                let room = pack.would_fit(double::MAX_LEN);
                pack.remove_range(pos, 2);
                if !room || !put(pack, member, score) {
                    let mut large = grown(pack, policy);
                    large.set(member, score);
                    self.0 = Word::large(large);
                }
            }
            return Some(Some(old));
        }
        let fits = pack.len() / 2 < limit.entries && member.len() <= limit.value;
        if fits && pack.would_fit(member.len() + double::MAX_LEN) && put(pack, member, score) {
            return Some(None);
        }
        let large = grown(pack, policy);
        self.0 = Word::large(large);
        None
    }

    /// Removes a member; the score it had.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match self.0.get_mut() {
            Kind::Compact(pack) => {
                let (pos, score) = find(pack, member)?;
                pack.remove_range(pos, 2);
                Some(score)
            }
            Kind::Large(large) => large.remove(member),
            Kind::Other(_) => None,
        }
    }

    /// Removes `count` members from a rank on, or as many as there are; each is shown first.
    pub fn remove_ranks(&mut self, from: usize, count: usize, see: &mut dyn FnMut(Member<'_>, f64)) {
        let count = count.min(self.len().saturating_sub(from));
        if count == 0 {
            return;
        }
        self.show(from, count, see);
        match self.0.get_mut() {
            Kind::Compact(pack) => {
                if let Some(pos) = pack.seek(2 * from as isize) {
                    pack.remove_range(pos, 2 * count);
                }
            }
            Kind::Large(large) => large.remove_ranks(from, count, &mut |_, _| {}),
            Kind::Other(_) => {}
        }
    }

    fn show(&self, from: usize, mut count: usize, see: &mut dyn FnMut(Member<'_>, f64)) {
        self.walk(from, false, &mut |member, score| {
            see(member, score);
            count -= 1;
            count > 0
        });
    }

    /// The rank of a member, counted from zero, and its score.
    #[must_use]
    pub fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        match self.0.get() {
            Kind::Compact(pack) => {
                let mut digits = itoa::Buffer::new();
                let mut pairs = pack.pairs().enumerate();
                let found = pairs.find(|(_, (name, _))| name.as_bytes(&mut digits) == member);
                found.and_then(|(rank, (_, score))| Some((rank, score_in(score)?)))
            }
            Kind::Large(large) => large.rank(member),
            Kind::Other(_) => None,
        }
    }

    /// How many members come before a place: `before` must hold for those and for no others.
    pub fn partition(&self, before: &mut dyn FnMut(f64, Member<'_>) -> bool) -> usize {
        match self.0.get() {
            Kind::Compact(pack) => {
                let pairs = pack.pairs().filter_map(|(name, score)| Some((name, score_in(score)?)));
                pairs.take_while(|(name, score)| before(*score, packed(*name))).count()
            }
            Kind::Large(large) => large.partition(before),
            Kind::Other(_) => 0,
        }
    }

    /// Calls `see` with the members from a rank on, upwards or downwards, until it says to stop.
    pub fn walk<'a>(&'a self, from: usize, reverse: bool, see: &mut dyn FnMut(Member<'a>, f64) -> bool) {
        match self.0.get() {
            Kind::Compact(pack) => {
                let mut at = pack.seek(2 * from as isize);
                while let Some(name) = at {
                    let Some(score) = pack.next(name) else { return };
                    let more = see(packed(pack.get(name)), score_in(pack.get(score)).unwrap_or(0.0));
                    if !more {
                        return;
                    }
                    at = if reverse {
                        pack.prev(name).and_then(|score| pack.prev(score))
                    } else {
                        pack.next(score)
                    };
                }
            }
            Kind::Large(large) => large.walk(from, reverse, see),
            Kind::Other(_) => {}
        }
    }

    /// Visits about `count` members from `cursor` on and returns where to go on; zero is the start and the end. A small
    /// set is visited at once. A member that is there during a whole scan is visited at least once.
    pub fn scan(&self, cursor: u64, count: usize, see: &mut dyn FnMut(Member<'_>, f64)) -> u64 {
        match self.0.get() {
            Kind::Large(large) => large.scan(cursor, count, see),
            _ => {
                self.show(0, self.len(), see);
                0
            }
        }
    }

    /// A random member, each about as likely; `None` if there are none.
    pub fn random(&self, rng: &mut Rng) -> Option<(Member<'_>, f64)> {
        match self.0.get() {
            Kind::Large(large) => large.random(rng),
            _ => {
                let rank = rng.below(self.len().max(1) as u64) as usize;
                let mut found = None;
                self.walk(rank, false, &mut |member, score| {
                    found = Some((member, score));
                    false
                });
                found
            }
        }
    }

    /// Panics unless the invariants hold. Slow: for tests.
    #[cfg(test)]
    fn check(&self) {
        if let Kind::Large(large) = self.0.get() {
            large.check();
        }
    }
}

fn packed(value: Value<'_>) -> Member<'_> {
    Member(Place::Packed(value))
}

/// The table and the tree of what a listpack holds.
fn grown(pack: &Pack, policy: &Policy) -> Box<Large> {
    let mut large = Box::new(Large::new(policy.seed));
    let mut digits = itoa::Buffer::new();
    for (name, score) in pack.pairs() {
        large.set(name.as_bytes(&mut digits), score_in(score).unwrap_or(0.0));
    }
    large
}

/// Where a member is, and its score.
#[inline]
fn find(pack: &Pack, member: &[u8]) -> Option<(Pos, f64)> {
    let pos = pack.find(member, 1)?;
    Some((pos, score_in(pack.get(pack.next(pos)?))?))
}

/// Puts a member that is not there at its place; false if there is no room.
fn put(pack: &mut Pack, member: &[u8], score: f64) -> bool {
    let text;
    let score_value = match integral(score) {
        Some(n) => Value::Int(n),
        None => {
            text = double::format(score);
            // As any text, it is held as a number if it is one.
            Value::from(text.as_bytes())
        }
    };
    let mut digits = itoa::Buffer::new();
    let mut at = pack.first();
    while let Some(name) = at {
        let Some(other) = pack.next(name) else { return false };
        let held = score_in(pack.get(other)).unwrap_or(0.0);
        let ahead = held > score || held == score && pack.get(name).as_bytes(&mut digits) > member;
        if ahead {
            return pack.insert_pair(name, Side::Before, member, score_value).is_ok();
        }
        at = pack.next(other);
    }
    pack.push_pair(member, score_value).is_ok()
}

/// The score as an integer, if that is what it is, within half the range of integers as in Redis' listpacks. Minus zero
/// becomes zero, as there.
fn integral(score: f64) -> Option<i64> {
    const MOST: f64 = (1u64 << 62) as f64;
    (score.abs() <= MOST && score.trunc() == score).then_some(score as i64)
}

/// The score that an element of a listpack stands for.
#[inline]
fn score_in(value: Value<'_>) -> Option<f64> {
    match value {
        Value::Int(n) => Some(n as f64),
        Value::Str(text) => {
            let score: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
            (!score.is_nan()).then_some(score)
        }
    }
}

impl Collection for SortedSet {
    fn len(&self) -> usize {
        match self.0.get() {
            Kind::Compact(pack) => pack.len() / 2,
            Kind::Large(large) => large.len(),
            Kind::Other(_) => 0,
        }
    }

    fn encoding(&self) -> Encoding {
        match self.0.get() {
            Kind::Large(_) => Encoding::Skiplist,
            _ => Encoding::Listpack,
        }
    }

    fn allocated(&self) -> usize {
        match self.0.get() {
            Kind::Compact(pack) => pack.allocated(),
            Kind::Large(large) => crate::class(size_of::<Large>()) + large.allocated(),
            Kind::Other(_) => 0,
        }
    }

    fn effort(&self) -> usize {
        match self.0.get() {
            Kind::Large(large) => large.len(),
            _ => 1,
        }
    }
}

impl PartialEq for SortedSet {
    fn eq(&self, other: &SortedSet) -> bool {
        let mut same = self.len() == other.len();
        self.walk(0, false, &mut |member, score| {
            same = same && other.score(member.value().as_bytes(&mut itoa::Buffer::new())) == Some(score);
            same
        });
        same
    }
}

impl fmt::Debug for SortedSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        self.walk(0, false, &mut |member, score| {
            map.entry(&member, &score);
            true
        });
        map.finish()
    }
}

#[cfg(test)]
mod tests;
