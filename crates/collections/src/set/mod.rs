//! Sets: sorted integers, a listpack, or a table of members.
//!
//! A set goes from integers to a listpack or a table, and from a listpack to a table, as Redis and Valkey do it, and
//! never back but when it is made anew ([`Set::keep`], [`Set::shrink_to_ints`]).

mod iter;

use crate::ahead::Ahead;
use crate::class::class;
use crate::collection::{Collection, Encoding};
use crate::intset::IntSet;
use crate::member::{Members, Parts, Plain, Selection, Tracked};
use crate::pack::{Pack, Value};
use crate::parse_int;
use crate::policy::Policy;
use crate::word::{Guard, Kind, Word};
use std::ops::Deref;
use tanist_types::Rng;

pub use iter::SetIter;

/// The most integers of an intset, whatever the limit says.
const MOST_INTS: usize = 1 << 30;

/// A set.
#[derive(Clone, Debug)]
pub struct Set(Word<Pack, Members<Plain>, IntSet>);

/// How the members of a set are stored.
#[derive(Debug)]
pub enum SetForm<'a> {
    /// As sorted integers.
    Ints(Ints<'a>),
    /// In a listpack.
    Pack(&'a Pack),
    /// In a table; [`Set::iter`] walks it.
    Table,
}

/// The integers of a set, borrowed from it.
pub struct Ints<'a>(Guard<'a, IntSet>);

impl Deref for Ints<'_> {
    type Target = IntSet;

    fn deref(&self) -> &IntSet {
        &self.0
    }
}

impl std::fmt::Debug for Ints<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A member is there twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an element is there twice")]
pub struct Duplicate;

fn plain(name: &[u8]) -> Parts<'_> {
    Parts { name, ..Parts::default() }
}

fn ints_limit(policy: &Policy) -> usize {
    policy.intset_entries.min(MOST_INTS)
}

impl Set {
    /// The table, if there is one, to be shown as it is now while it changes.
    #[inline]
    #[must_use]
    pub fn tracked(&self) -> Option<&dyn Tracked> {
        self.0.large_ref().map(|members| members as &dyn Tracked)
    }

    /// [`Set::tracked`], to change what is remembered.
    pub fn tracked_mut(&mut self) -> Option<&mut dyn Tracked> {
        self.0.large_mut().map(|members| members as &mut dyn Tracked)
    }

    /// To fetch members before they are looked for; `None` if they are not in a table.
    #[inline]
    #[must_use]
    pub fn ahead(&self) -> Option<Ahead<'_>> {
        self.0.large_ref().map(Members::ahead)
    }

    /// An empty set of integers.
    #[must_use]
    pub fn ints() -> Set {
        Set(Word::other(IntSet::new()))
    }

    /// An empty set for some of the members of this one: of integers if this one is, else in a listpack.
    #[must_use]
    pub fn for_some(&self) -> Set {
        match self.0.get() {
            Kind::Other(_) => Set::ints(),
            Kind::Compact(_) | Kind::Large(_) => Set::default(),
        }
    }

    fn table(policy: &Policy) -> Set {
        Set(Word::large(Box::new(Members::new(policy.seed))))
    }

    /// A set of foreign integers.
    #[must_use]
    pub fn from_ints(ints: IntSet, policy: &Policy) -> Set {
        let mut set = Set(Word::other(ints));
        set.leave_ints_if_many(policy);
        set
    }

    /// A set of a foreign listpack's elements.
    ///
    /// # Errors
    /// When an element is there twice.
    pub fn from_pack(pack: Pack, policy: &Policy) -> Result<Set, Duplicate> {
        if crate::member::repeats(policy.seed, pack.iter()) {
            return Err(Duplicate);
        }
        let fits = pack.len() <= policy.set.entries && pack.iter().all(|v| v.len() <= policy.set.value);
        let mut set = Set(Word::compact(pack));
        if !fits {
            set.make_table(policy);
        }
        Ok(set)
    }

    /// How the members are stored.
    #[must_use]
    pub fn form(&self) -> SetForm<'_> {
        match self.0.get() {
            Kind::Other(ints) => SetForm::Ints(Ints(ints)),
            Kind::Compact(pack) => SetForm::Pack(pack),
            Kind::Large(_) => SetForm::Table,
        }
    }

    /// Chooses how the set is stored before `count` members, of which this is the first, are added: an empty one is
    /// made for them, another one becomes a table if they may be too many.
    #[inline]
    pub fn expect(&mut self, first: &[u8], count: usize, policy: &Policy) {
        if self.is_empty() {
            self.begin(first, count, policy);
        } else {
            let limit = match self.0.get() {
                Kind::Large(_) => return,
                Kind::Compact(_) => policy.set.entries,
                Kind::Other(_) => policy.intset_entries,
            };
            if count > limit {
                self.make_table(policy);
            }
        }
    }

    #[cold]
    fn begin(&mut self, first: &[u8], count: usize, policy: &Policy) {
        *self = if count <= policy.intset_entries && parse_int(first).is_some() {
            Set::ints()
        } else if count <= policy.set.entries {
            Set::default()
        } else {
            Set::table(policy)
        };
    }

    /// Adds a member; false if it was there.
    #[inline]
    pub fn insert(&mut self, member: &[u8], policy: &Policy) -> bool {
        if let Some(members) = self.0.large_mut() {
            return members.insert(&plain(member));
        }
        match self.0.get() {
            Kind::Compact(_) => self.insert_packed(member, policy),
            _ => self.insert_int(member, policy),
        }
    }

    fn insert_packed(&mut self, member: &[u8], policy: &Policy) -> bool {
        let Kind::Compact(pack) = self.0.get_mut() else { unreachable!("seen by the caller") };
        if pack.find(member, 0).is_some() {
            return false;
        }
        let fits = pack.len() < policy.set.entries && member.len() <= policy.set.value;
        if fits && pack.push_back(member).is_ok() {
            return true;
        }
        self.make_table(policy).insert(&plain(member))
    }

    fn insert_int(&mut self, member: &[u8], policy: &Policy) -> bool {
        let Kind::Other(mut ints) = self.0.get_mut() else { unreachable!("seen by the caller") };
        if let Some(n) = parse_int(member) {
            let new = ints.insert(n);
            drop(ints);
            if new {
                self.leave_ints_if_many(policy);
            }
            return new;
        }
        let digits = |n: Option<i64>| n.map_or(0, |n| Value::Int(n).len());
        let longest = digits(ints.min()).max(digits(ints.max())).max(member.len());
        let fits = ints.len() < policy.set.entries && longest <= policy.set.value;
        drop(ints);
        if fits && self.make_pack() {
            return self.insert_packed(member, policy);
        }
        self.make_table(policy).insert(&plain(member))
    }

    fn leave_ints_if_many(&mut self, policy: &Policy) {
        if self.len() > ints_limit(policy) {
            self.make_table(policy);
        }
    }

    /// Turns integers into a listpack; false if that would be too large.
    fn make_pack(&mut self) -> bool {
        let Kind::Other(ints) = self.0.get() else { return false };
        let mut pack = Pack::new();
        let fits = ints.iter().all(|n| pack.push_back_int(n).is_ok());
        if fits {
            self.0 = Word::compact(pack);
        }
        fits
    }

    /// Makes a table of the set, which is none.
    fn make_table(&mut self, policy: &Policy) -> &mut Members<Plain> {
        let mut members = Members::new(policy.seed);
        let mut digits = itoa::Buffer::new();
        for member in self.iter() {
            members.insert(&plain(member.as_bytes(&mut digits)));
        }
        self.0 = Word::large(Box::new(members));
        self.0.large_mut().unwrap_or_else(|| unreachable!("made above"))
    }

    /// Makes an intset of a set whose members are all integers, unless they are too many for one.
    pub fn shrink_to_ints(&mut self, policy: &Policy) {
        if matches!(self.0.get(), Kind::Other(_)) || self.len() > ints_limit(policy) {
            return;
        }
        let mut ints = IntSet::new();
        for member in self.iter() {
            let Some(n) = member.to_int() else { return };
            ints.insert(n);
        }
        self.0 = Word::other(ints);
    }

    /// Makes the set anew of some of its members, as the first of them tells: of integers or in a listpack, as long as
    /// that holds them. One that is tracked stays a table.
    pub fn keep<'m>(&mut self, members: impl Iterator<Item = &'m [u8]>, policy: &Policy) {
        if self.is_tracked() {
            self.clear();
            members.for_each(|member| _ = self.insert(member, policy));
            return;
        }
        let was_packed = matches!(self.0.get(), Kind::Compact(_));
        let mut kept = None;
        for member in members {
            let set = kept.get_or_insert_with(|| {
                if parse_int(member).is_some() && !was_packed { Set::ints() } else { Set::default() }
            });
            set.insert(member, policy);
        }
        *self = kept.unwrap_or_default();
    }

    /// Removes all members.
    pub fn clear(&mut self) {
        if !self.is_tracked() {
            *self = Set::default();
            return;
        }
        // What is remembered is with the table: that is emptied where it is.
        let all: Vec<Vec<u8>> =
            self.iter().map(|member| member.as_bytes(&mut itoa::Buffer::new()).to_vec()).collect();
        all.iter().for_each(|member| _ = self.remove(member));
    }

    fn is_tracked(&self) -> bool {
        self.tracked().is_some_and(|members| members.tracker().is_some())
    }

    /// Removes a member; false if it was not there.
    #[inline]
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self.0.get_mut() {
            Kind::Large(members) => members.remove(member),
            Kind::Compact(pack) => match pack.find(member, 0) {
                Some(pos) => {
                    pack.remove(pos);
                    true
                }
                None => false,
            },
            Kind::Other(mut ints) => parse_int(member).is_some_and(|n| ints.remove(n)),
        }
    }

    /// Whether this is a member.
    #[inline]
    #[must_use]
    pub fn contains(&self, member: &[u8]) -> bool {
        match self.0.get() {
            Kind::Large(members) => members.get(member).is_some(),
            Kind::Compact(pack) => pack.find(member, 0).is_some(),
            Kind::Other(ints) => parse_int(member).is_some_and(|n| ints.contains(n)),
        }
    }

    /// [`Set::contains`] for a member of another set.
    #[inline]
    #[must_use]
    pub fn contains_value(&self, member: Value<'_>) -> bool {
        match (self.0.get(), member) {
            (Kind::Other(ints), Value::Int(n)) => ints.contains(n),
            _ => self.contains(member.as_bytes(&mut itoa::Buffer::new())),
        }
    }

    /// The members: integers in ascending order, those of a listpack in the order they came, those of a table in the
    /// order of scans.
    #[must_use]
    pub fn iter(&self) -> SetIter<'_> {
        SetIter::new(self.0.get())
    }

    /// Calls `see` with every member, in no order if there is a table.
    pub fn for_each(&self, see: &mut dyn FnMut(Value<'_>)) {
        match self.0.get() {
            Kind::Large(members) => members.for_each(&mut |member| see(Value::Str(member.name()))),
            _ => self.iter().for_each(see),
        }
    }

    /// A random member, each about as likely; `None` if there are none.
    #[must_use]
    pub fn random(&self, rng: &mut Rng) -> Option<Value<'_>> {
        let index = |len: usize, rng: &mut Rng| rng.below(len as u64) as usize;
        match self.0.get() {
            Kind::Large(members) => members.random(rng).map(|member| Value::Str(member.name())),
            Kind::Compact(pack) => pack.seek(index(pack.len(), rng) as isize).map(|pos| pack.get(pos)),
            Kind::Other(ints) => ints.get(index(ints.len(), rng)).map(Value::Int),
        }
    }

    /// Calls `see` with up to `count` different random members; all sets of them are about as likely.
    pub fn sample(&self, count: usize, rng: &mut Rng, see: &mut dyn FnMut(Value<'_>)) {
        if let Kind::Large(members) = self.0.get() {
            return members.sample(count, rng, &mut |member| see(Value::Str(member.name())));
        }
        let mut selection = Selection::new(self.len(), count);
        self.iter().filter(|_| selection.takes(rng)).for_each(see);
    }

    /// Visits about `count` members from `cursor` on and returns where to go on; zero is the start and the end. All of a
    /// set without a table.
    ///
    /// A member that is there during a whole scan is visited at least once, however the set changes meanwhile.
    pub fn scan(&self, cursor: u64, count: usize, see: &mut dyn FnMut(Value<'_>)) -> u64 {
        match self.0.get() {
            Kind::Large(members) => members.scan(cursor, count, &mut |member| see(Value::Str(member.name()))),
            _ => {
                self.iter().for_each(see);
                0
            }
        }
    }
}

impl Default for Set {
    fn default() -> Set {
        Set(Word::compact(Pack::new()))
    }
}

impl PartialEq for Set {
    fn eq(&self, other: &Set) -> bool {
        self.len() == other.len() && self.iter().all(|member| other.contains_value(member))
    }
}

impl Collection for Set {
    #[inline]
    fn len(&self) -> usize {
        match self.0.get() {
            Kind::Large(members) => members.len(),
            Kind::Compact(pack) => pack.len(),
            Kind::Other(ints) => ints.len(),
        }
    }

    fn encoding(&self) -> Encoding {
        match self.0.get() {
            Kind::Large(_) => Encoding::Hashtable,
            Kind::Compact(_) => Encoding::Listpack,
            Kind::Other(_) => Encoding::Intset,
        }
    }

    #[inline]
    fn allocated(&self) -> usize {
        match self.0.get() {
            Kind::Large(members) => class(size_of::<Members<Plain>>()) + members.allocated(),
            Kind::Compact(pack) => pack.allocated(),
            Kind::Other(ints) => ints.allocated(),
        }
    }

    fn effort(&self) -> usize {
        match self.0.get() {
            Kind::Large(members) => members.len() + 2,
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests;
