//! Loading a snapshot into a key space of its own, beside the data that serve meanwhile.

use crate::values::{Builder, Malformed};
use std::fmt;
use std::time::Duration;
use tanist_keyspace::{Access, Expiry, KeyHash, Keyspace, StrValue};
use tanist_rdb::{Item, Limits, RdbError, Reader, Str};
use tanist_types::{DbIndex, LogPos, ReplId, UnixMs};

/// Why a snapshot was not loaded. The data that served before are untouched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LoadError {
    /// Its bytes are not a snapshot that this version reads.
    Rdb(RdbError),
    /// It holds a key twice.
    Duplicate(String),
    /// The value at this key is malformed.
    Malformed(String, Malformed),
    /// Its function libraries cannot be loaded, and why.
    Functions(String),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Rdb(e) => e.fmt(f),
            LoadError::Functions(why) => write!(f, "the snapshot's functions were refused: {why}"),
            LoadError::Duplicate(key) => write!(f, "the snapshot holds the key '{key}' twice"),
            LoadError::Malformed(key, why) => write!(f, "the value at the key '{key}' is malformed: {why}"),
        }
    }
}

impl std::error::Error for LoadError {}

impl From<RdbError> for LoadError {
    fn from(e: RdbError) -> LoadError {
        LoadError::Rdb(e)
    }
}

/// A loaded snapshot.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) data: Keyspace,
    /// Where in which history it was cut, if it says so.
    pub(crate) log: Option<(ReplId, LogPos)>,
    /// All histories of the log, as text, if a Tanist node wrote it.
    pub(crate) lineage: Option<String>,
    /// The database selected there.
    pub(crate) stream_db: Option<DbIndex>,
    /// The code of function libraries.
    pub(crate) functions: Vec<Vec<u8>>,
    pub(crate) keys: u64,
    /// Keys left out because they were past their time.
    pub(crate) expired: u64,
    /// Keys left out because there was nothing at them.
    pub(crate) empty: u64,
}

/// How far loading has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Progress {
    pub(crate) began: UnixMs,
    /// All bytes that there are to load, if that is known.
    pub(crate) total: Option<u64>,
    pub(crate) bytes: u64,
    /// The memory that the data occupied where the snapshot was made, as it says.
    pub(crate) used_memory: u64,
}

impl Progress {
    /// The share that is loaded, in percent.
    pub(crate) fn percent(&self) -> f64 {
        match self.total {
            Some(total) if total > 0 => self.bytes as f64 * 100.0 / total as f64,
            _ => 0.0,
        }
    }

    /// How long the rest takes if it goes on as until now, in seconds; 1 as long as there is nothing to judge by.
    pub(crate) fn seconds_left(&self, now: UnixMs) -> u64 {
        let past = now.secs().saturating_sub(self.began.secs()).max(0) as u64;
        let left = self.total.unwrap_or(0).saturating_sub(self.bytes);
        if past == 0 { 1 } else { (u128::from(past) * u128::from(left) / u128::from(self.bytes + 1)) as u64 }
    }
}

/// A snapshot that is being loaded.
#[derive(Debug)]
pub(crate) struct Loader {
    reader: Reader,
    pub(crate) progress: Progress,
    db: DbIndex,
    /// Leave out what is past its time: only for a node that may expire by its own clock.
    drop_expired: bool,
    /// The data are kept; else they are only looked at.
    keep: bool,
    repl_id: Option<ReplId>,
    repl_offset: Option<LogPos>,
    /// The collection that is being read.
    building: Option<Building>,
    loaded: Loaded,
}

/// A collection that is being read, and its key.
#[derive(Debug)]
struct Building {
    key: Vec<u8>,
    builder: Builder,
    attributes: Attributes,
    /// It is past its time: read, because its end must be found, and then left out.
    expired: bool,
}

/// What is stored with an entry besides key and value.
#[derive(Clone, Copy, Debug)]
struct Attributes {
    expiry: Option<UnixMs>,
    access: Option<Access>,
}

impl Attributes {
    fn new(expiry: Option<UnixMs>, idle: Option<Duration>, freq: Option<u8>, now: UnixMs) -> Attributes {
        let access = match (idle, freq) {
            (Some(idle), _) => Some(Access::lru_idle(now, idle.as_secs() as u32)),
            (None, Some(counter)) => Some(Access::lfu(now, counter)),
            (None, None) => None,
        };
        Attributes { expiry, access }
    }
}

impl Loader {
    /// A loader into an empty key space like `like` (the same hash keys, the same number of databases).
    pub(crate) fn new(like: &Keyspace, max_string: u64, drop_expired: bool, now: UnixMs) -> Loader {
        let limits = Limits { max_string, databases: like.databases() };
        Loader {
            reader: Reader::new(limits),
            progress: Progress { began: now, total: None, bytes: 0, used_memory: 0 },
            db: DbIndex(0),
            drop_expired,
            keep: true,
            repl_id: None,
            repl_offset: None,
            building: None,
            loaded: Loaded {
                data: like.new_like(),
                log: None,
                lineage: None,
                stream_db: None,
                functions: Vec::new(),
                keys: 0,
                expired: 0,
                empty: 0,
            },
        }
    }

    /// The same, for a snapshot that is to be loaded another time: what cannot be loaded is found, nothing is kept.
    /// Only a key that comes twice goes unnoticed.
    pub(crate) fn checking_only(self) -> Loader {
        Loader { keep: false, ..self }
    }

    /// Keys loaded so far.
    pub(crate) fn keys(&self) -> u64 {
        self.loaded.keys
    }

    /// Takes further bytes; says whether the snapshot is complete.
    ///
    /// # Errors
    /// When the bytes are no snapshot that can be loaded. The loader is of no use afterwards.
    pub(crate) fn feed(&mut self, bytes: &[u8], now: UnixMs) -> Result<bool, LoadError> {
        self.reader.feed(bytes);
        self.progress.bytes += bytes.len() as u64;
        while let Some(item) = self.reader.next_item()? {
            match item {
                Item::Aux { key, value } => match key {
                    b"repl-id" => self.repl_id = ReplId::parse(&value.to_vec()).ok(),
                    b"tanist-lineage" => self.loaded.lineage = String::from_utf8(value.to_vec()).ok(),
                    b"repl-offset" => {
                        self.repl_offset = number(value).and_then(|n| n.try_into().ok()).map(LogPos)
                    }
                    b"used-mem" => {
                        self.progress.used_memory =
                            number(value).and_then(|n| n.try_into().ok()).unwrap_or(0);
                    }
                    b"repl-stream-db" => {
                        self.loaded.stream_db = number(value).and_then(|n| n.try_into().ok()).map(DbIndex);
                    }
                    _ => {}
                },
                Item::Function(code) => self.loaded.functions.push(code.to_vec()),
                Item::ResizeDb { .. } => {}
                Item::SelectDb(db) => self.db = db,
                Item::Entry { key, value, expiry, idle, freq } => {
                    let loaded = &mut self.loaded;
                    if self.drop_expired && expiry.is_some_and(|at| at <= now) {
                        loaded.expired += 1;
                        continue;
                    }
                    let attributes = Attributes::new(expiry, idle, freq, now);
                    put(&mut loaded.data, self.db, key, attributes, |data, hash, expiry| {
                        data.db_mut(self.db).set(key, hash, str_value(value), expiry);
                    })?;
                    if !self.keep {
                        forget(&mut loaded.data, self.db, key);
                    }
                    loaded.keys += 1;
                }
                Item::Begin { key, kind, expiry, idle, freq } => {
                    let builder = Builder::new(kind).ok_or(RdbError::UnsupportedType { kind, at: 0 })?;
                    let attributes = Attributes::new(expiry, idle, freq, now);
                    let expired = self.drop_expired && expiry.is_some_and(|at| at <= now);
                    self.building = Some(Building { key: key.to_vec(), builder, attributes, expired });
                }
                Item::Part(part) => {
                    if let Some(building) = &mut self.building {
                        let policy = self.loaded.data.policy();
                        building.builder.push(part, policy).map_err(|why| malformed(&building.key, why))?;
                    }
                }
                Item::Complete => {
                    let Some(Building { key, builder, attributes, expired }) = self.building.take() else {
                        continue;
                    };
                    let object = builder.finish().map_err(|why| malformed(&key, why))?;
                    let Some(object) = object else {
                        self.loaded.empty += 1;
                        continue;
                    };
                    if expired {
                        self.loaded.expired += 1;
                        continue;
                    }
                    put(&mut self.loaded.data, self.db, &key, attributes, |data, hash, expiry| {
                        data.db_mut(self.db).set_object(&key, hash, object, expiry);
                    })?;
                    if !self.keep {
                        forget(&mut self.loaded.data, self.db, &key);
                    }
                    self.loaded.keys += 1;
                }
                Item::End => return Ok(true),
            }
        }
        Ok(false)
    }

    /// The result.
    ///
    /// # Errors
    /// When the snapshot is not complete.
    pub(crate) fn finish(mut self) -> Result<Loaded, LoadError> {
        self.reader.finish()?;
        self.loaded.log = self.repl_id.zip(self.repl_offset);
        Ok(self.loaded)
    }
}

fn malformed(key: &[u8], why: Malformed) -> LoadError {
    LoadError::Malformed(String::from_utf8_lossy(key).into_owned(), why)
}

fn str_value(text: Str<'_>) -> StrValue<'_> {
    match text {
        Str::Bytes(bytes) => StrValue::Bytes(bytes),
        Str::Int(n) => StrValue::Int(n),
    }
}

/// Removes what was only looked at.
fn forget(data: &mut Keyspace, db: DbIndex, key: &[u8]) {
    let hash = data.hash(key);
    data.db_mut(db).remove(key, hash);
}

/// Lets `set` put a value at a key that must be new, and notes its use.
fn put(
    data: &mut Keyspace,
    db: DbIndex,
    key: &[u8],
    attributes: Attributes,
    set: impl FnOnce(&mut Keyspace, KeyHash, Expiry),
) -> Result<(), LoadError> {
    let hash = data.hash(key);
    if data.db(db).find(key, hash).is_some() {
        return Err(LoadError::Duplicate(String::from_utf8_lossy(key).into_owned()));
    }
    set(data, hash, attributes.expiry.map_or(Expiry::Clear, Expiry::At));
    if let Some(access) = attributes.access
        && let Some(entry) = data.db(db).find(key, hash)
    {
        entry.set_access(access);
    }
    Ok(())
}

fn number(value: Str<'_>) -> Option<i64> {
    match value {
        Str::Int(n) => Some(n),
        Str::Bytes(bytes) => tanist_resp::number::parse_i64(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Head, Producer};
    use super::*;
    use tanist_keyspace::collections::{End, FieldExpiry, Hash, List, NEVER, NewId, Set, SortedSet, Stream};
    use tanist_keyspace::{Edit, Missing, Policy, Typed, ValueRef};
    use tanist_rdb::RdbVersion;

    const NOW: UnixMs = UnixMs(1_700_000_000_000);

    fn sample(n: u32) -> Keyspace {
        let mut data = Keyspace::new([1, 2], 16);
        for i in 0..n {
            let key = format!("key:{i}");
            let hash = data.hash(key.as_bytes());
            let expiry =
                if i % 3 == 0 { Expiry::At(UnixMs(NOW.0 + i64::from(i) - 50)) } else { Expiry::Clear };
            let value = format!("value-{i}");
            let value = if i % 2 == 0 { StrValue::Bytes(value.as_bytes()) } else { StrValue::Int(i.into()) };
            data.db_mut(DbIndex((i % 4) as u16)).set(key.as_bytes(), hash, value, expiry);
        }
        data
    }

    fn head() -> Head {
        let id = ReplId::from_bytes([7; 20]);
        Head {
            at: NOW,
            used_memory: 1,
            log: Some((id, LogPos(99), Some(DbIndex(3)))),
            lineage: None,
            functions: vec![b"code".to_vec()],
        }
    }

    fn write(data: &mut Keyspace, budget: usize) -> Vec<u8> {
        let mut producer = Producer::begin(data, RdbVersion::V11, (true, true), head());
        let mut bytes = Vec::new();
        while !producer.slice(data, budget, &mut bytes) {}
        assert_eq!(producer.emitted, producer.total);
        bytes
    }

    #[test]
    fn what_was_written_is_what_is_loaded() {
        let mut data = sample(1000);
        let bytes = write(&mut data, 500);
        let mut loader = Loader::new(&data, 1 << 20, false, NOW);
        for piece in bytes.chunks(7) {
            loader.feed(piece, NOW).expect("a good snapshot");
        }
        let loaded = loader.finish().expect("complete");
        assert_eq!(loaded.log, Some((ReplId::from_bytes([7; 20]), LogPos(99))));
        assert_eq!(loaded.stream_db, Some(DbIndex(3)));
        assert_eq!(loaded.functions, [b"code"]);
        assert_eq!(loaded.keys, 1000);
        for i in 0..1000 {
            let (key, db) = (format!("key:{i}"), DbIndex((i % 4) as u16));
            let hash = data.hash(key.as_bytes());
            let old = data.db(db).find(key.as_bytes(), hash).map(|e| (e.value(), e.expiry()));
            let new = loaded.data.db(db).find(key.as_bytes(), hash).map(|e| (e.value(), e.expiry()));
            assert!(old.is_some() && old == new, "{key}: {old:?} {new:?}");
        }
    }

    fn edit<T: Typed>(data: &mut Keyspace, key: &str, change: impl FnOnce(&mut T, &Policy)) {
        let hash = data.hash(key.as_bytes());
        let edit =
            data.db_mut(DbIndex(0)).edit::<T, _>(key.as_bytes(), hash, Missing::Create, |_| true, change);
        assert!(matches!(edit, Edit::Done(_)));
    }

    /// Changes one element of each large collection, or adds it.
    fn change(data: &mut Keyspace, n: i64) {
        let text = format!("element:{n}");
        let text = text.as_bytes();
        edit::<Set>(data, "set", |set, policy| _ = set.insert(text, policy) || set.remove(text));
        edit::<SortedSet>(data, "sorted set", |set, policy| {
            let score = set.score(text).unwrap_or_default() + n as f64;
            set.set(text, score, policy);
        });
        edit::<Hash>(data, "hash", |hash, policy| {
            let old = hash.get(text, NEVER).map_or(0, |pair| pair.value.len()).to_string();
            let expiry = FieldExpiry::At(UnixMs(NOW.0 + n));
            let expiry = if n % 3 == 0 { expiry } else { FieldExpiry::Clear };
            hash.set(text, format!("value of {old} {n}").as_bytes(), expiry, NEVER, policy);
        });
        edit::<List>(data, "list", |list, policy| {
            let end = if n % 2 == 0 { End::Front } else { End::Back };
            list.push(end, std::iter::once(text), policy);
            list.set(n / 2, b"changed", policy);
        });
        edit::<Stream>(data, "stream", |stream, policy| {
            let pairs = [(&b"field"[..], text)];
            let id = stream.add(NewId::NextOf(n as u64 / 10), pairs.into_iter(), policy);
            if let Ok(id) = id
                && n % 50 == 0
            {
                let group = stream.groups_mut().entry(Box::from(*b"group")).or_default();
                let place = group.place(b"one").unwrap_or_else(|| group.add_consumer(b"one", 5));
                group.deliver(id, place, 7, 1);
            }
        });
    }

    fn value<'d>(data: &'d Keyspace, key: &str) -> Option<ValueRef<'d>> {
        data.db(DbIndex(0)).find(key.as_bytes(), data.hash(key.as_bytes())).map(|entry| entry.value())
    }

    /// Each is some hundred kilobytes; all of them change, and in the end go, while the snapshot is made.
    #[test]
    fn large_collections_are_written_in_pieces_as_they_were() {
        let (mut data, mut twin) = (sample(50), sample(50));
        for n in 0..10_000 {
            change(&mut data, n);
            change(&mut twin, n);
        }
        let mut producer = Producer::begin(&mut data, RdbVersion::VALKEY80, (true, true), head());
        let (mut bytes, mut slices) = (Vec::new(), 0);
        loop {
            let before = bytes.len();
            let done = producer.slice(&mut data, 4096, &mut bytes);
            // A node of a list may have 8 KiB, and so has the group of the stream.
            assert!(bytes.len() - before < 24 << 10, "{} bytes in a slice", bytes.len() - before);
            if done {
                break;
            }
            slices += 1;
            (0..20).for_each(|n| change(&mut data, slices * 20 + n));
            let gone = [(60, "sorted set"), (90, "list"), (120, "hash"), (130, "stream"), (140, "set")];
            if let Some((_, key)) = gone.iter().find(|(slice, _)| *slice == slices) {
                let hash = data.hash(key.as_bytes());
                assert!(data.db_mut(DbIndex(0)).remove(key.as_bytes(), hash));
            }
        }
        assert!(slices > 150, "{slices}");
        assert_eq!(producer.emitted, producer.total);
        let mut loader = Loader::new(&data, 1 << 20, false, NOW);
        assert_eq!(loader.feed(&bytes, NOW), Ok(true));
        let loaded = loader.finish().expect("complete").data;
        for key in ["set", "sorted set", "hash", "list", "stream"] {
            assert!(value(&loaded, key).is_some() && value(&loaded, key) == value(&twin, key), "{key}");
        }
    }

    #[test]
    fn only_who_may_expire_leaves_out_what_is_past_its_time() {
        let mut data = sample(100);
        let bytes = write(&mut data, 1 << 20);
        let mut loader = Loader::new(&data, 1 << 20, true, NOW);
        assert_eq!(loader.feed(&bytes, NOW), Ok(true));
        let loaded = loader.finish().expect("complete");
        assert_eq!((loaded.keys, loaded.expired), (83, 17));
    }

    /// Servers have had keys whose last element was removed, and have written them down.
    #[test]
    fn keys_without_elements_are_left_out() {
        const PACK: &[u8] = b"\x07\x07\0\0\0\0\0\xff";
        let packed = [b"\x01\x02".as_slice(), PACK].concat();
        let empty: [(u8, &[u8]); 8] = [
            (1, b"\0"), // A list, a set, a hash, a sorted set of no elements,
            (2, b"\0"),
            (4, b"\0"),
            (5, b"\0"),
            (16, PACK), // a hash, a sorted set, a set in an empty listpack,
            (17, PACK),
            (20, PACK),
            (18, &packed), // a list of one empty node.
        ];
        let mut bytes = b"REDIS0011\xfe\0".to_vec();
        for (kind, value) in empty {
            bytes.extend([kind, 1, kind]);
            bytes.extend(value);
        }
        bytes.extend(b"\0\x01k\x01v\xff\0\0\0\0\0\0\0\0");
        let mut loader = Loader::new(&sample(0), 1 << 20, false, NOW);
        assert_eq!(loader.feed(&bytes, NOW), Ok(true));
        let loaded = loader.finish().expect("complete");
        assert_eq!((loaded.keys, loaded.empty), (1, 8));
        assert_eq!(loaded.data.db(DbIndex(0)).len(), 1);
    }

    #[test]
    fn half_a_snapshot_is_none() {
        let mut data = sample(10);
        let bytes = write(&mut data, 1 << 20);
        let mut loader = Loader::new(&data, 1 << 20, false, NOW);
        assert_eq!(loader.feed(&bytes[..bytes.len() - 1], NOW), Ok(false));
        assert!(loader.finish().is_err());
    }

    #[test]
    fn a_broken_snapshot_is_refused() {
        let mut data = sample(10);
        let mut bytes = write(&mut data, 1 << 20);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x40;
        let mut loader = Loader::new(&data, 1 << 20, false, NOW);
        assert!(loader.feed(&bytes, NOW).is_err() || loader.finish().is_err());
    }
}
