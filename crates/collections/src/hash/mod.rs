//! Hashes: a listpack of fields and values in turn, or a table of fields.
//!
//! A hash goes from a listpack to a table as Redis and Valkey do it, and never back. Fields that expire are only in
//! tables. Expiry is data here, as in the keyspace: a field past its time is there until somebody removes it, but whoever
//! reads or writes tells the time and does not see it; [`NEVER`] sees all.

mod iter;

use crate::ahead::Ahead;
use crate::class::class;
use crate::collection::{Collection, Encoding};
use crate::member::{Element, Field, Members, Parts, Selection, Tracked};
use crate::pack::{Pack, Value};
use crate::policy::Policy;
use crate::set::Duplicate;
use crate::word::{Kind, Word};
use tanist_types::{Rng, UnixMs};

pub use iter::HashIter;

/// A moment before all others, at which no field is past its time.
pub const NEVER: UnixMs = UnixMs(i64::MIN);

/// A hash.
#[derive(Clone, Debug)]
pub struct Hash(Word<Pack, Members<Field>>);

/// How the fields of a hash are stored.
#[derive(Debug)]
pub enum HashForm<'a> {
    /// In a listpack, each followed by its value.
    Pack(&'a Pack),
    /// In a table; [`Hash::iter`] walks it.
    Table,
}

/// A field with its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pair<'a> {
    /// The field's name.
    pub field: Value<'a>,
    /// Its value.
    pub value: Value<'a>,
    /// When it expires, if it does. That may lie in the past.
    pub expiry: Option<UnixMs>,
}

/// What becomes of the expiry of a field that is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldExpiry {
    /// There is none afterwards.
    Clear,
    /// It stays what it is.
    Keep,
    /// It is this one.
    At(UnixMs),
}

/// What was in the place of a field that was set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Was {
    /// Nothing.
    New,
    /// Another value.
    Old,
    /// A field past its time, which counts as nothing.
    Expired,
}

impl<'a> Pair<'a> {
    /// Whether it is not past its time.
    #[inline]
    #[must_use]
    pub fn is_live(&self, now: UnixMs) -> bool {
        self.expiry.is_none_or(|at| at > now)
    }

    #[inline]
    fn of(element: Element<'a, Field>) -> Pair<'a> {
        Pair {
            field: Value::Str(element.name()),
            value: Value::Str(element.value()),
            expiry: element.expiry(),
        }
    }

    #[inline]
    fn packed((field, value): (Value<'a>, Value<'a>)) -> Pair<'a> {
        Pair { field, value, expiry: None }
    }
}

impl Hash {
    /// The table, if there is one, to be shown as it is now while it changes.
    #[inline]
    #[must_use]
    pub fn tracked(&self) -> Option<&dyn Tracked> {
        self.0.large_ref().map(|members| members as &dyn Tracked)
    }

    /// [`Hash::tracked`], to change what is remembered.
    pub fn tracked_mut(&mut self) -> Option<&mut dyn Tracked> {
        self.0.large_mut().map(|members| members as &mut dyn Tracked)
    }

    /// To fetch fields before they are looked for; `None` if they are not in a table.
    #[inline]
    #[must_use]
    pub fn ahead(&self) -> Option<Ahead<'_>> {
        self.0.large_ref().map(Members::ahead)
    }

    /// A hash of a foreign listpack's elements.
    ///
    /// # Errors
    /// When a field is there twice, or has no value.
    pub fn from_pack(pack: Pack, policy: &Policy) -> Result<Hash, Duplicate> {
        let odd = !pack.len().is_multiple_of(2);
        if odd || crate::member::repeats(policy.seed, pack.pairs().map(|(field, _)| field)) {
            return Err(Duplicate);
        }
        let mut hash = Hash(Word::compact(pack));
        if hash.len() > policy.hash.entries {
            hash.make_table(policy);
        }
        Ok(hash)
    }

    /// How the fields are stored.
    #[must_use]
    pub fn form(&self) -> HashForm<'_> {
        match self.0.get() {
            Kind::Compact(pack) => HashForm::Pack(pack),
            _ => HashForm::Table,
        }
    }

    /// How many fields have an expiry.
    #[inline]
    #[must_use]
    pub fn expiring(&self) -> usize {
        match self.0.get() {
            Kind::Large(members) => members.expiring(),
            _ => 0,
        }
    }

    /// Makes a table of a listpack that is too small for `pairs` more pairs of these fields and values.
    #[inline]
    pub fn expect<'t>(&mut self, pairs: usize, texts: impl Iterator<Item = &'t [u8]>, policy: &Policy) {
        let Kind::Compact(_) = self.0.get() else { return };
        if pairs > policy.hash.entries || { texts }.any(|text| text.len() > policy.hash.value) {
            self.make_table(policy);
        }
    }

    /// Makes a table of the hash, if it is none.
    fn make_table(&mut self, policy: &Policy) -> &mut Members<Field> {
        if let Kind::Compact(pack) = self.0.get() {
            let mut members = Members::new(policy.seed);
            let mut digits = [itoa::Buffer::new(), itoa::Buffer::new()];
            let [of_name, of_value] = &mut digits;
            for (field, value) in pack.pairs() {
                let (name, value) = (field.as_bytes(of_name), value.as_bytes(of_value));
                members.insert(&Parts { name, value, ..Parts::default() });
            }
            self.0 = Word::large(Box::new(members));
        }
        self.0.large_mut().unwrap_or_else(|| unreachable!("made above"))
    }

    /// Sets a field; what was there.
    #[inline]
    pub fn set(
        &mut self,
        name: &[u8],
        value: &[u8],
        expiry: FieldExpiry,
        now: UnixMs,
        policy: &Policy,
    ) -> Was {
        if let Kind::Compact(_) = self.0.get() {
            let longest = name.len().max(value.len());
            if longest <= policy.hash.value
                && !matches!(expiry, FieldExpiry::At(_))
                && let Some(was) = self.set_packed(name, value, policy)
            {
                return was;
            }
        }
        let members = self.make_table(policy);
        let place = members.locate(name);
        let old = members.at(&place).map(|element| element.expiry());
        let was = match old {
            None => Was::New,
            Some(Some(at)) if at <= now => Was::Expired,
            Some(_) => Was::Old,
        };
        let expiry = match expiry {
            FieldExpiry::Clear => None,
            FieldExpiry::At(at) => Some(at),
            FieldExpiry::Keep => old.flatten().filter(|_| was == Was::Old),
        };
        members.put(&place, &Parts { name, value, expiry, ..Parts::default() });
        was
    }

    /// Sets a field of a listpack; `None`, with nothing done, if that would be too large.
    fn set_packed(&mut self, name: &[u8], value: &[u8], policy: &Policy) -> Option<Was> {
        let Kind::Compact(pack) = self.0.get_mut() else { unreachable!("seen by the caller") };
        let was = if let Some(old) = pack.find(name, 1).and_then(|pos| pack.next(pos)) {
            pack.replace(old, value).ok()?;
            Was::Old
        } else {
            pack.push_pair(name, value).ok()?;
            Was::New
        };
        // Also if nothing was added: fewer may be allowed than when the others came.
        if pack.len() > policy.hash.entries.saturating_mul(2) {
            self.make_table(policy);
        }
        Some(was)
    }

    /// The field of this name, unless it is past its time.
    #[inline]
    #[must_use]
    pub fn get(&self, name: &[u8], now: UnixMs) -> Option<Pair<'_>> {
        match self.0.get() {
            Kind::Large(members) => members.get(name).map(Pair::of).filter(|pair| pair.is_live(now)),
            Kind::Compact(pack) => {
                let pos = pack.find(name, 1)?;
                Some(Pair { field: pack.get(pos), value: pack.get(pack.next(pos)?), expiry: None })
            }
            Kind::Other(never) => match *never {},
        }
    }

    /// Removes a field; false if it was not there, or past its time.
    #[inline]
    pub fn remove(&mut self, name: &[u8], now: UnixMs) -> bool {
        match self.0.get_mut() {
            Kind::Large(members) => {
                let place = members.locate(name);
                let live = members.at(&place).is_some_and(|element| Pair::of(element).is_live(now));
                live && members.remove_at(&place)
            }
            Kind::Compact(pack) => {
                let found = pack.find(name, 1);
                found.is_some_and(|pos| pack.remove_range(pos, 2) > 0)
            }
            Kind::Other(never) => match *never {},
        }
    }

    /// Sets or removes the expiry of a field; false if there is no such field.
    pub fn set_expiry(&mut self, name: &[u8], expiry: Option<UnixMs>, policy: &Policy) -> bool {
        if let Kind::Compact(pack) = self.0.get()
            && (expiry.is_none() || pack.find(name, 1).is_none())
        {
            return pack.find(name, 1).is_some();
        }
        let members = self.make_table(policy);
        let place = members.locate(name);
        members.set_expiry(&place, expiry)
    }

    /// Looks at about `budget` of the fields that expire, from position `from` on, and calls `see` with those past their
    /// time; how many it looked at, and where to go on, `None` at the end. A position stays good whatever changes.
    pub fn due(
        &self,
        from: u64,
        now: UnixMs,
        budget: usize,
        see: &mut dyn FnMut(&[u8]),
    ) -> (usize, Option<u64>) {
        match self.0.get() {
            Kind::Large(members) => members.due(from, now, budget, &mut |element| see(element.name())),
            _ => (0, None),
        }
    }

    /// All fields, whatever their expiry: those of a listpack in the order they came, those of a table in the order of
    /// scans.
    #[must_use]
    pub fn iter(&self) -> HashIter<'_> {
        HashIter::new(self.0.get())
    }

    /// Calls `see` with every field, whatever its expiry, in no order if there is a table.
    pub fn for_each(&self, see: &mut dyn FnMut(Pair<'_>)) {
        match self.0.get() {
            Kind::Large(members) => members.for_each(&mut |element| see(Pair::of(element))),
            _ => self.iter().for_each(see),
        }
    }

    /// A random field that is not past its time, each about as likely; `None` if there are none.
    #[must_use]
    pub fn random(&self, now: UnixMs, rng: &mut Rng) -> Option<Pair<'_>> {
        /// Among many fields past their time, one that is not is looked for by picking so often.
        const TRIES: usize = 100;
        match self.0.get() {
            Kind::Large(members) => {
                let picks = std::iter::repeat_with(|| members.random(rng).map(Pair::of)).take(TRIES);
                let picked = picks.map_while(|pair| pair).find(|pair| pair.is_live(now));
                picked.or_else(|| self.iter().find(|pair| pair.is_live(now)))
            }
            Kind::Compact(pack) => {
                let pos = pack.seek(2 * rng.below(self.len() as u64) as isize)?;
                Some(Pair { field: pack.get(pos), value: pack.get(pack.next(pos)?), expiry: None })
            }
            Kind::Other(never) => match *never {},
        }
    }

    /// Calls `see` with up to `count` different random fields that are not past their time; how many they were.
    pub fn sample(&self, count: usize, now: UnixMs, rng: &mut Rng, see: &mut dyn FnMut(Pair<'_>)) -> usize {
        if self.expiring() == 0 {
            match self.0.get() {
                Kind::Large(members) => {
                    members.sample(count, rng, &mut |element| see(Pair::of(element)));
                }
                _ => {
                    let mut selection = Selection::new(self.len(), count);
                    self.iter().filter(|_| selection.takes(rng)).for_each(see);
                }
            }
            return count.min(self.len());
        }
        let live = || self.iter().filter(|pair| pair.is_live(now));
        let all = live().count();
        let mut selection = Selection::new(all, count);
        live().filter(|_| selection.takes(rng)).for_each(see);
        count.min(all)
    }

    /// Visits about `count` fields from `cursor` on, whatever their expiry, and returns where to go on; zero is the start
    /// and the end. All of a hash without a table.
    ///
    /// A field that is there during a whole scan is visited at least once, however the hash changes meanwhile.
    pub fn scan(&self, cursor: u64, count: usize, see: &mut dyn FnMut(Pair<'_>)) -> u64 {
        match self.0.get() {
            Kind::Large(members) => members.scan(cursor, count, &mut |element| see(Pair::of(element))),
            _ => {
                self.iter().for_each(see);
                0
            }
        }
    }
}

impl Default for Hash {
    fn default() -> Hash {
        Hash(Word::compact(Pack::new()))
    }
}

impl PartialEq for Hash {
    fn eq(&self, other: &Hash) -> bool {
        let same = |pair: Pair<'_>| {
            let mut digits = [itoa::Buffer::new(), itoa::Buffer::new()];
            let [of_name, of_value] = &mut digits;
            let found = other.get(pair.field.as_bytes(of_name), NEVER);
            found.is_some_and(|found| {
                found.expiry == pair.expiry && found.value.eq_bytes(pair.value.as_bytes(of_value))
            })
        };
        self.len() == other.len() && self.iter().all(same)
    }
}

impl Collection for Hash {
    #[inline]
    fn len(&self) -> usize {
        match self.0.get() {
            Kind::Large(members) => members.len(),
            Kind::Compact(pack) => pack.len() / 2,
            Kind::Other(never) => match *never {},
        }
    }

    fn encoding(&self) -> Encoding {
        match self.form() {
            HashForm::Table => Encoding::Hashtable,
            HashForm::Pack(_) => Encoding::Listpack,
        }
    }

    #[inline]
    fn allocated(&self) -> usize {
        match self.0.get() {
            Kind::Large(members) => class(size_of::<Members<Field>>()) + members.allocated(),
            Kind::Compact(pack) => pack.allocated(),
            Kind::Other(never) => match *never {},
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
