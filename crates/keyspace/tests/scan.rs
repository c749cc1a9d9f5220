//! SCAN's guarantee, and the walk of active expiry.

mod common;

use common::World;
use std::collections::{BTreeMap, BTreeSet};
use tanist_keyspace::{Cursor, Expiry, StrValue};
use tanist_types::{DbIndex, UnixMs};

const DB: DbIndex = DbIndex(0);

/// Whatever happens to other keys during a scan, keys that stay are returned, and keys that were never there are not.
#[test]
fn a_scan_returns_all_that_stays() {
    for seed in 0..60 {
        let mut world = World::new(seed, 1, 1);
        let steady: BTreeSet<Vec<u8>> =
            (0..300 << (seed % 4)).map(|n| format!("steady:{n}").into_bytes()).collect();
        for key in &steady {
            let h = world.keys.hash(key);
            world.keys.db_mut(DB).set(key, h, StrValue::Bytes(b"v"), Expiry::Clear);
        }
        let mut seen = BTreeSet::new();
        let mut cursor = Cursor(0);
        let (mut calls, count) = (0, 1 + world.rng.below(30) as usize);
        let mut next = 0u64;
        loop {
            let mut returned = 0;
            cursor = world.keys.db(DB).scan(cursor, count, &mut |entry| {
                seen.insert(entry.key().to_vec());
                returned += 1;
            });
            calls += 1;
            assert!(returned <= count + 24, "a step returns about what was asked for");
            assert!(cursor.0 < 1 << 48);
            if cursor == Cursor(0) {
                break;
            }
            // First the table grows, then it shrinks to less than it was.
            let grow = calls < 70;
            let fresh = format!("passing:{}", if grow { next } else { world.rng.below(next + 1) });
            for n in 0..if calls < 150 { world.rng.below(200) } else { 0 } {
                let key = format!("{fresh}:{n}");
                let h = world.keys.hash(key.as_bytes());
                if grow {
                    world.keys.db_mut(DB).set(key.as_bytes(), h, StrValue::Bytes(b"v"), Expiry::Clear);
                } else {
                    world.keys.db_mut(DB).remove(key.as_bytes(), h);
                }
            }
            next += 1;
        }
        assert!(steady.is_subset(&seen));
        assert!(seen.iter().all(|key| key.starts_with(b"steady:") || key.starts_with(b"passing:")));
        world.keys.check();
    }
}

#[test]
fn a_scan_at_rest_returns_everything_once() {
    let mut world = World::new(1, 1, 5_000);
    for _ in 0..20_000 {
        world.step();
    }
    let mut seen: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    let mut cursor = Cursor(0);
    loop {
        cursor = world
            .keys
            .db(DB)
            .scan(cursor, 10, &mut |entry| *seen.entry(entry.key().to_vec()).or_default() += 1);
        if cursor == Cursor(0) {
            break;
        }
    }
    assert!(seen.values().all(|&times| times == 1));
    assert!(seen.keys().eq(world.model[0].keys()));
}

#[test]
fn any_cursor_is_accepted() {
    let mut world = World::new(2, 1, 500);
    for _ in 0..2_000 {
        world.step();
    }
    for cursor in [1, 7, u64::MAX, 1 << 47, (1 << 48) - 1, 1 << 63] {
        let mut at = Cursor(cursor);
        for _ in 0..10_000 {
            at = world.keys.db(DB).scan(at, 5, &mut |_| {});
            if at == Cursor(0) {
                break;
            }
        }
        assert_eq!(at, Cursor(0), "from {cursor}");
    }
    assert_eq!(world.keys.db(DB).scan(Cursor(3), usize::MAX, &mut |_| {}), Cursor(0));
    assert_ne!(world.keys.db(DB).scan(Cursor(0), 0, &mut |_| {}), Cursor(0));
}

#[test]
fn active_expiry_finds_what_is_due_and_nothing_else() {
    let mut world = World::new(3, 1, 3_000);
    for _ in 0..20_000 {
        world.step();
    }
    let now = UnixMs(400_000);
    for (key, at) in [(&b"now"[..], now.0), (b"soon", now.0 + 1)] {
        let h = world.keys.hash(key);
        world.keys.db_mut(DB).set(key, h, StrValue::Bytes(b"v"), Expiry::At(UnixMs(at)));
        let encoding = tanist_keyspace::Encoding::Embstr;
        world.model[0].insert(key.to_vec(), common::Item { text: b"v".to_vec(), expiry: Some(at), encoding });
    }
    let due = |item: &common::Item| item.expiry.is_some_and(|at| at <= now.0);
    let expected: BTreeSet<Vec<u8>> =
        world.model[0].iter().filter(|(_, item)| due(item)).map(|(key, _)| key.clone()).collect();
    assert!(expected.len() > 100);
    let (mut found, mut examined) = (BTreeSet::new(), 0);
    loop {
        let progress = world.keys.expired(DB, now, 20, &mut |entry| {
            found.insert(entry.key().to_vec());
        });
        assert!(progress.examined <= 20 + 24);
        examined += progress.examined;
        if progress.wrapped {
            break;
        }
    }
    assert_eq!(found, expected);
    assert_eq!(examined, world.keys.db(DB).expires_len());
    let ttl = world.keys.db(DB).avg_ttl_ms();
    assert!((100_000..600_000).contains(&ttl), "{ttl}");
}
