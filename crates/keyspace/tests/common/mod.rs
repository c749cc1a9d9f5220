//! A keyspace and the plain model that it must agree with, driven by the same random operations.
#![allow(dead_code)]

pub(crate) mod plain;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;
use tanist_keyspace::{Change, Encoding, Entry, Expiry, Keyspace, Replaced, StrValue, ValueRef, parse_int};
use tanist_types::{DbIndex, Rng, UnixMs};

/// A value of the model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Item {
    pub(crate) text: Vec<u8>,
    pub(crate) expiry: Option<i64>,
    pub(crate) encoding: Encoding,
}

pub(crate) type Model = Vec<BTreeMap<Vec<u8>, Item>>;

pub(crate) fn item(entry: Entry<'_>) -> Item {
    let ValueRef::Str(value) = entry.value() else { unreachable!("strings only") };
    Item {
        text: value.as_bytes(&mut itoa::Buffer::new()).to_vec(),
        expiry: entry.expiry().map(|at| at.0),
        encoding: entry.encoding(),
    }
}

fn whole(text: &[u8]) -> Encoding {
    match (parse_int(text), text.len()) {
        (Some(_), _) => Encoding::Int,
        (None, ..=44) => Encoding::Embstr,
        _ => Encoding::Raw,
    }
}

pub(crate) struct World {
    pub(crate) keys: Keyspace,
    pub(crate) model: Model,
    pub(crate) rng: Rng,
    /// Keys are drawn from this many.
    pub(crate) span: u64,
    /// The share of removals, in percent.
    pub(crate) removals: u64,
}

impl World {
    pub(crate) fn new(seed: u64, databases: u16, span: u64) -> World {
        let mut rng = Rng::from_seed(seed);
        let keys = Keyspace::new([rng.next_u64(), rng.next_u64()], databases);
        World { keys, model: vec![BTreeMap::new(); databases.into()], rng, span, removals: 10 }
    }

    pub(crate) fn db(&mut self) -> DbIndex {
        DbIndex(self.rng.below(self.model.len() as u64) as u16)
    }

    pub(crate) fn key(&mut self) -> Vec<u8> {
        let n = self.rng.below(self.span);
        // Some keys are empty, some need a wide length.
        match n {
            0 => Vec::new(),
            n if n % 97 == 0 => format!("{n:0300}").into_bytes(),
            n => format!("key:{n}").into_bytes(),
        }
    }

    fn value(&mut self) -> Vec<u8> {
        let len = match self.rng.below(40) {
            0 => 3_000 + self.rng.below(3_000),
            1..4 => self.rng.below(600),
            4..14 => return self.rng.below(1_000_000).to_string().into_bytes(),
            _ => self.rng.below(70),
        };
        vec![b'a' + self.rng.below(26) as u8; len as usize]
    }

    fn expiry(&mut self) -> Option<i64> {
        self.rng.chance(1, 2).then(|| self.rng.below(1_000_000) as i64)
    }

    /// One random operation on both.
    pub(crate) fn step(&mut self) {
        let (db, key) = (self.db(), self.key());
        let h = self.keys.hash(&key);
        let there = self.model[db.index()].get(&key).cloned();
        let what = if self.rng.chance(self.removals, 100) { 0 } else { 1 + self.rng.below(18) };
        match what {
            0 => {
                assert_eq!(self.keys.db_mut(db).remove(&key, h), there.is_some());
                self.model[db.index()].remove(&key);
            }
            1 => {
                let taken = self.keys.db_mut(db).take(&key, h);
                assert_eq!(taken.map(|taken| item(taken.entry())), there);
                self.model[db.index()].remove(&key);
            }
            2..8 => self.set(db, key),
            8 | 9 => {
                let expiry = self.expiry();
                assert_eq!(self.keys.db_mut(db).set_expiry(&key, h, expiry.map(UnixMs)), there.is_some());
                self.model[db.index()].entry(key).and_modify(|item| item.expiry = expiry);
            }
            10 | 11 => self.append(db, key),
            12 => self.set_range(db, key),
            13 => {
                let n = self.rng.next_u64() as i64;
                let replaced = self.keys.db_mut(db).set_int(&key, h, n);
                assert_eq!(replaced == Replaced::Old, there.is_some());
                let expiry = there.and_then(|item| item.expiry);
                let new = Item { text: n.to_string().into_bytes(), expiry, encoding: Encoding::Int };
                self.model[db.index()].insert(key, new);
            }
            14 => self.rename(db, key),
            15 => {
                let to = self.db();
                let can = there.is_some() && !self.model[to.index()].contains_key(&key);
                assert_eq!(self.keys.move_key(&key, h, db, to), can);
                if can {
                    self.model[db.index()].remove(&key);
                    self.model[to.index()].extend(there.map(|item| (key, item)));
                }
            }
            16 | 17 => self.update(db, key),
            _ => {
                let (to, name) = (self.db(), self.key());
                let to_h = self.keys.hash(&name);
                assert_eq!(self.keys.copy_key((db, &key, h), (to, &name, to_h)), there.is_some());
                self.model[to.index()].extend(there.map(|item| (name, item)));
            }
        }
    }

    fn set(&mut self, db: DbIndex, key: Vec<u8>) {
        let (text, at) = (self.value(), self.expiry());
        let h = self.keys.hash(&key);
        let there = self.model[db.index()].get(&key).cloned();
        let (expiry, now) = match (self.rng.below(3), at) {
            (0, Some(at)) => (Expiry::At(UnixMs(at)), Some(at)),
            (1, _) => (Expiry::Keep, there.as_ref().and_then(|item| item.expiry)),
            _ => (Expiry::Clear, None),
        };
        // Text stays text even if it is a number's, and what was made is raw.
        let (value, encoding) = match (whole(&text), self.rng.below(8)) {
            (Encoding::Int, 0) => (StrValue::Text(&text), Encoding::Embstr),
            (_, 1) => (StrValue::Made(&text), Encoding::Raw),
            (encoding, _) => (StrValue::Bytes(&text), encoding),
        };
        let replaced = self.keys.db_mut(db).set(&key, h, value, expiry);
        assert_eq!(replaced == Replaced::Old, there.is_some());
        self.model[db.index()].insert(key, Item { text, expiry: now, encoding });
    }

    /// One look-up that judges and changes.
    fn update(&mut self, db: DbIndex, key: Vec<u8>) {
        let (text, at, n) = (self.value(), self.expiry(), self.rng.next_u64() as i64);
        let h = self.keys.hash(&key);
        let there = self.model[db.index()].get(&key).cloned();
        let old_expiry = there.as_ref().and_then(|item| item.expiry);
        let item_of = |text: Vec<u8>, expiry, encoding| Some(Item { text, expiry, encoding });
        let (change, after) = match self.rng.below(6) {
            0 => (Change::Leave, there.clone()),
            1 => (Change::Remove, None),
            2 => (
                Change::Set(StrValue::Bytes(&text), Expiry::Keep),
                item_of(text.clone(), old_expiry, whole(&text)),
            ),
            3 => {
                let as_text = if text.len() <= 44 { Encoding::Embstr } else { Encoding::Raw };
                (Change::Set(StrValue::Text(&text), Expiry::Clear), item_of(text.clone(), None, as_text))
            }
            4 => (Change::SetInt(n), item_of(n.to_string().into_bytes(), old_expiry, Encoding::Int)),
            _ => {
                let after = there.clone().map(|item| Item { expiry: at, ..item });
                (Change::SetExpiry(at.map(UnixMs)), after)
            }
        };
        let mut seen = None;
        self.keys.db_mut(db).update(&key, h, |found| {
            seen = found.map(item);
            change
        });
        assert_eq!(seen, there);
        match after {
            Some(after) => self.model[db.index()].insert(key, after),
            None => self.model[db.index()].remove(&key),
        };
    }

    fn append(&mut self, db: DbIndex, key: Vec<u8>) {
        let tail = self.value();
        let h = self.keys.hash(&key);
        let len = self.keys.db_mut(db).append(&key, h, &tail);
        let new = || Item { text: Vec::new(), expiry: None, encoding: whole(&tail) };
        let item = match self.model[db.index()].entry(key) {
            Place::Vacant(vacant) => vacant.insert(new()),
            Place::Occupied(there) => {
                let item = there.into_mut();
                item.encoding = Encoding::Raw;
                item
            }
        };
        item.text.extend_from_slice(&tail);
        assert_eq!(len, item.text.len());
    }

    fn set_range(&mut self, db: DbIndex, key: Vec<u8>) {
        let (part, offset) = (self.value(), self.rng.below(100) as usize);
        let h = self.keys.hash(&key);
        let len = self.keys.db_mut(db).set_range(&key, h, offset, &part);
        let model = &mut self.model[db.index()];
        if part.is_empty() {
            assert_eq!(len, model.get(&key).map_or(0, |item| item.text.len()));
            return;
        }
        let item =
            model.entry(key).or_insert(Item { text: Vec::new(), expiry: None, encoding: Encoding::Raw });
        let end = (offset + part.len()).max(item.text.len());
        item.text.resize(end, 0);
        item.text[offset..offset + part.len()].copy_from_slice(&part);
        item.encoding = Encoding::Raw;
        assert_eq!(len, end);
    }

    fn rename(&mut self, db: DbIndex, from: Vec<u8>) {
        let to = self.key();
        let (from_h, to_h) = (self.keys.hash(&from), self.keys.hash(&to));
        let there = self.model[db.index()].get(&from).cloned();
        assert_eq!(self.keys.db_mut(db).rename(&from, from_h, &to, to_h), there.is_some());
        if from != to {
            self.model[db.index()].remove(&from);
            self.model[db.index()].extend(there.map(|item| (to, item)));
        }
    }

    /// Everything agrees, entry by entry and in all counts.
    pub(crate) fn check(&self) {
        self.keys.check();
        let mut total = 0;
        for (index, model) in (0..).map(DbIndex).zip(&self.model) {
            let db = self.keys.db(index);
            total += db.len();
            assert_eq!(db.len(), model.len());
            assert_eq!(db.expires_len(), model.values().filter(|item| item.expiry.is_some()).count());
            for (key, expected) in model {
                let found = db.find(key, self.keys.hash(key));
                assert_eq!(
                    found.map(|entry| (entry.key().to_vec(), item(entry))).as_ref(),
                    Some(&(key.clone(), expected.clone()))
                );
            }
        }
        assert_eq!(self.keys.total_keys(), total);
    }
}
