//! Snapshots of peers and of our own writer through the reader, whole, in pieces and damaged.
//!
//! The files under `snapshots/` were written by the servers that they are named after.

use proptest::prelude::*;
use std::time::Duration;
use tanist_rdb::{Aux, Item, Limits, RdbError, RdbVersion, Reader, Str, TypeCode, Writer};
use tanist_types::{DbIndex, UnixMs};

/// An item that owns its bytes.
#[derive(Clone, PartialEq, Debug)]
enum Owned {
    Aux(String, String),
    Function(String),
    Select(u16),
    Resize(u64, u64),
    Entry { key: String, value: String, expiry: Option<i64>, idle: Option<Duration>, freq: Option<u8> },
    Begin(String, TypeCode, Option<i64>),
    Part(String),
    Complete,
    End,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn own(item: Item<'_>) -> Owned {
    match item {
        Item::Aux { key, value } => Owned::Aux(text(key), text(&value.to_vec())),
        Item::Function(code) => Owned::Function(text(&code.to_vec())),
        Item::SelectDb(db) => Owned::Select(db.0),
        Item::ResizeDb { keys, expires } => Owned::Resize(keys, expires),
        Item::Entry { key, value, expiry, idle, freq } => Owned::Entry {
            key: text(key),
            value: text(&value.to_vec()),
            expiry: expiry.map(|at| at.0),
            idle,
            freq,
        },
        Item::Begin { key, kind, expiry, .. } => Owned::Begin(text(key), kind, expiry.map(|at| at.0)),
        Item::Part(part) => Owned::Part(format!("{part:?}")),
        Item::Complete => Owned::Complete,
        Item::End => Owned::End,
    }
}

fn read_pieces<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Owned>, RdbError> {
    let mut reader = Reader::new(Limits::default());
    let mut items = Vec::new();
    for piece in pieces {
        reader.feed(piece);
        while let Some(item) = reader.next_item()? {
            items.push(own(item));
        }
    }
    reader.finish()?;
    Ok(items)
}

fn read(bytes: &[u8]) -> Result<Vec<Owned>, RdbError> {
    read_pieces(std::iter::once(bytes))
}

fn entries(items: &[Owned]) -> Vec<(u16, String, String, Option<i64>)> {
    let mut db = 0;
    let mut out = Vec::new();
    for item in items {
        match item {
            Owned::Select(n) => db = *n,
            Owned::Entry { key, value, expiry, .. } => out.push((db, key.clone(), value.clone(), *expiry)),
            _ => {}
        }
    }
    out.sort();
    out
}

/// What the peers held when they wrote their files.
fn expected() -> Vec<(u16, String, String, Option<i64>)> {
    let mut all = vec![
        (0, "plain".into(), "hello".into(), None),
        (0, "12345".into(), "67890".into(), None),
        (0, "empty".into(), String::new(), None),
        (0, "neg".into(), "-32768".into(), None),
        (0, "wide".into(), "2147483648".into(), None),
        (0, format!("long{}", "k".repeat(60)), "abc".repeat(50), None),
        (0, "noise".into(), "q8Zk2!x0PvLm4$Rt7&Wy9".into(), None),
        (0, "soon".into(), "v".into(), Some(4_102_444_800_123)),
        (3, "other".into(), "z".repeat(300), None),
    ];
    all.sort();
    all
}

const FILES: [(&str, &[u8]); 5] = [
    ("Redis 7.0.15", include_bytes!("snapshots/redis-7.0.15.snapshot")),
    ("Redis 7.0.15, LFU", include_bytes!("snapshots/redis-7.0.15-lfu.snapshot")),
    ("Redis 8.0.6", include_bytes!("snapshots/redis-8.0.6.snapshot")),
    ("Valkey 9.1.2", include_bytes!("snapshots/valkey-9.1.2.snapshot")),
    ("Valkey 9.1.2, LRU", include_bytes!("snapshots/valkey-9.1.2-lru.snapshot")),
];

#[test]
fn snapshots_of_peers() {
    for (name, bytes) in FILES {
        let items = read(bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(entries(&items), expected(), "{name}");
        assert_eq!(items.last(), Some(&Owned::End), "{name}");
        assert!(
            items.iter().any(|i| matches!(i, Owned::Function(code) if code.starts_with("#!lua"))),
            "{name}"
        );
        assert!(items.contains(&Owned::Resize(8, 1)), "{name}");
        assert!(items.contains(&Owned::Aux("redis-bits".into(), "64".into())), "{name}");
    }
}

#[test]
fn use_counters_and_idle_times() {
    let items = read(FILES[1].1).unwrap();
    assert!(items.iter().any(|i| matches!(i, Owned::Entry { freq: Some(_), idle: None, .. })));
    let items = read(FILES[4].1).unwrap();
    assert!(items.iter().any(|i| matches!(i, Owned::Entry { idle: Some(_), freq: None, .. })));
}

#[test]
fn byte_by_byte_is_the_same() {
    for (name, bytes) in FILES {
        assert_eq!(read_pieces(bytes.chunks(1)), read(bytes), "{name}");
    }
}

#[test]
fn every_truncation_is_noticed() {
    for (name, bytes) in FILES {
        for end in 0..bytes.len() {
            assert_eq!(read(&bytes[..end]), Err(RdbError::Truncated(end as u64)), "{name} up to {end}");
        }
    }
}

#[test]
fn every_flipped_byte_is_noticed() {
    for (name, bytes) in FILES {
        for i in 0..bytes.len() {
            let mut bad = bytes.to_vec();
            bad[i] ^= 0x10;
            assert!(read(&bad).is_err(), "{name}: byte {i}");
        }
    }
}

#[test]
fn bytes_after_the_end_are_left_to_the_caller() {
    let mut bytes = FILES[0].1.to_vec();
    bytes.extend_from_slice(b"after");
    let mut reader = Reader::new(Limits::default());
    reader.feed(&bytes);
    while reader.next_item().unwrap().is_some() {}
    assert!(reader.done());
    assert_eq!(reader.rest(), b"after");
    assert_eq!(reader.position(), FILES[0].1.len() as u64);
}

#[test]
fn a_zero_checksum_means_none() {
    let mut writer = Writer::new(RdbVersion::V11).checksum(false);
    writer.select(DbIndex(0));
    writer.entry(b"k", Str::Int(1), None);
    let bytes = writer.finish();
    assert_eq!(bytes[bytes.len() - 8..], [0; 8]);
    assert!(read(&bytes).is_ok());
}

#[test]
fn a_declared_length_reserves_nothing() {
    let mut bytes = b"REDIS0011\x00\x01k".to_vec();
    bytes.extend_from_slice(b"\x81\x00\x00\x00\x00\x1f\xff\xff\xff");
    let mut reader = Reader::new(Limits::default());
    reader.feed(&bytes);
    assert_eq!(reader.next_item(), Ok(None));
    bytes[13] = 0x7f;
    assert!(matches!(read(&bytes), Err(RdbError::TooLarge { limit, .. }) if limit == 512 << 20));
}

#[test]
fn unsupported_parts_are_named() {
    let named = |body: &[u8]| read(&[b"REDIS0011", body].concat()).unwrap_err().to_string();
    assert_eq!(named(b"\xfe\x00\x07\x01h"), "unsupported type module (code 7) at byte 11");
    assert_eq!(named(b"\xf6"), "unknown opcode or type 246 at byte 9");
    assert_eq!(named(b"\x60"), "unknown opcode or type 96 at byte 9");
    assert_eq!(named(b"\xfe\x10"), "corrupt snapshot at byte 11: a database out of range");
    assert_eq!(read(b"REDIS0013").unwrap_err(), RdbError::Version("REDIS0013".into()));
    assert_eq!(read(b"+FULLRESYNC").unwrap_err(), RdbError::BadMagic("+FULLRESY".into()));
}

#[test]
fn collections_come_part_by_part() {
    let mut writer = Writer::new(RdbVersion::V11);
    let mut list = writer.begin(b"l", TypeCode::LIST_QUICKLIST_2, None);
    list.number(2);
    list.number(1);
    list.bytes(b"plain");
    list.number(2);
    list.bytes(b"a listpack");
    let mut set = writer.begin(b"z", TypeCode::ZSET_2, Some(UnixMs(7)));
    set.number(1);
    set.string(Str::Int(-3));
    set.double(1.5);
    let mut hash = writer.begin(b"h", TypeCode::HASH, None);
    hash.number(1);
    hash.bytes(&[b'f'; 100]);
    hash.bytes(b"12");
    let bytes = writer.compress(true).finish();
    let field = format!("{:?}", tanist_rdb::Part::Pair(Str::Bytes(&[b'f'; 100]), Str::Int(12)));
    let wanted = vec![
        Owned::Begin("l".into(), TypeCode::LIST_QUICKLIST_2, None),
        Owned::Part(format!("{:?}", tanist_rdb::Part::Element(Str::Bytes(b"plain")))),
        Owned::Part(format!("{:?}", tanist_rdb::Part::Blob(b"a listpack"))),
        Owned::Complete,
        Owned::Begin("z".into(), TypeCode::ZSET_2, Some(7)),
        Owned::Part(format!("{:?}", tanist_rdb::Part::Scored(Str::Int(-3), 1.5))),
        Owned::Complete,
        Owned::Begin("h".into(), TypeCode::HASH, None),
        Owned::Part(field),
        Owned::Complete,
        Owned::End,
    ];
    assert_eq!(read(&bytes), Ok(wanted.clone()));
    assert_eq!(read_pieces(bytes.chunks(1)), Ok(wanted));
    for len in 0..bytes.len() {
        assert!(matches!(read(&bytes[..len]), Err(RdbError::Truncated(_))), "{len}");
    }
}

#[test]
fn a_failed_reader_stays_failed() {
    let mut reader = Reader::new(Limits::default());
    reader.feed(b"REDIS0011\x60");
    let error = reader.next_item().unwrap_err();
    reader.feed(b"\xff");
    assert_eq!(reader.next_item(), Err(error.clone()));
    assert_eq!(reader.finish(), Err(error));
}

#[test]
fn module_data_and_slot_hints_are_skipped() {
    let body = b"\xf7\x05\x02\x01\x01\x07\x02\x08\x03\x00\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x05\x02ab\x00\
        \xf4\x01\x02\x03\x00\x01k\x01v\xff\x00\x00\x00\x00\x00\x00\x00\x00";
    let items = read(&[&b"REDIS0011"[..], body].concat()).unwrap();
    assert_eq!(entries(&items), [(0, "k".into(), "v".into(), None)]);
}

#[test]
fn old_versions_have_no_checksum_and_seconds() {
    let items = read(b"REDIS0003\xfe\x00\xfd\x01\x00\x00\x00\x00\x01k\x01v\xff").unwrap();
    assert_eq!(entries(&items), [(0, "k".into(), "v".into(), Some(1000))]);
}

type Model = Vec<(u16, Vec<u8>, Vec<u8>, Option<i64>)>;

fn written(model: &Model, compress: bool, take_every: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(RdbVersion::V11).compress(compress);
    writer.aux("redis-ver", Aux::Text(b"7.2.0"));
    writer.aux("ctime", Aux::Number(1_700_000_000));
    writer.function(b"#!lua name=lib");
    for (i, (db, key, value, expiry)) in model.iter().enumerate() {
        writer.select(DbIndex(*db));
        writer.resize(1, u64::from(expiry.is_some()));
        writer.entry(key, Str::Bytes(value), expiry.map(UnixMs));
        if i % take_every == 0 {
            writer.take_into(&mut out);
        }
    }
    assert_eq!(writer.total(), (out.len() + writer.pending()) as u64);
    out.extend(writer.finish());
    out
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        model in prop::collection::vec(
            (0u16..16, prop::collection::vec(0u8..4, 0..40), prop::collection::vec(0u8..4, 0..400), any::<Option<i64>>()),
            0..8,
        ),
        compress in any::<bool>(),
        take_every in 1usize..4,
        piece in 1usize..50,
    ) {
        let bytes = written(&model, compress, take_every);
        let items = read_pieces(bytes.chunks(piece)).unwrap();
        let mut expected: Vec<_> =
            model.iter().map(|(db, k, v, e)| (*db, text(k), text(v), *e)).collect();
        expected.sort();
        prop_assert_eq!(entries(&items), expected);
    }

    #[test]
    fn any_bytes_are_survived(body in prop::collection::vec(any::<u8>(), 0..200), piece in 1usize..30) {
        let bytes = [&b"REDIS0011"[..], &body].concat();
        let whole = read(&bytes);
        let pieces = read_pieces(bytes.chunks(piece));
        prop_assert_eq!(whole, pieces);
    }

    #[test]
    fn damage_is_survived(file in 0usize..5, at in 0usize..400, bits in 1u8..) {
        let mut bytes = FILES[file].1.to_vec();
        let at = at % bytes.len();
        bytes[at] ^= bits;
        prop_assert!(read(&bytes).is_err());
    }
}
