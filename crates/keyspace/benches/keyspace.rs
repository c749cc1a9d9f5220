//! Time and memory of the keyspace: `cargo bench -p tanist-keyspace --bench keyspace -- [keys in thousands] [what..]`,
//! where what is `8`, `64`, `512` (bytes of the values whose memory is measured), `operations`, `pauses` or `check`.
//!
//! Each figure is the best of a few rounds, in nanoseconds per operation on random keys, hash included, in batches of
//! 32 commands with prefetch as the node does it. Memory is resident memory beyond keys and values; with
//! `_RJEM_MALLOC_CONF=background_thread:true,dirty_decay_ms:1000` the allocator is set as the server sets it.

#![expect(clippy::disallowed_methods, reason = "a benchmark is no core")]

use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::time::{Duration, Instant};
use tanist_keyspace::{Cursor, Expiry, KeyHash, Keyspace, SnapshotPart, StrRef, StrValue, ValueRef};
use tanist_types::{DbIndex, Rng, UnixMs};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const DB: DbIndex = DbIndex(0);
const BATCH: usize = 32;
const KEY: usize = 16;

type Key = [u8; KEY];

fn key(n: u64) -> Key {
    let mut key = *b"key:000000000000";
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(n).as_bytes();
    key[KEY - digits.len()..].copy_from_slice(digits);
    key
}

/// Time that this thread has spent on a processor, so that other work on the machine matters less.
fn spent() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|n| n.parse::<usize>().ok()).unwrap_or(0) * 4096
}

/// Calls `operate` with batches of keys, after the prefetches.
fn batches(space: &mut Keyspace, keys: &[Key], mut operate: impl FnMut(&mut Keyspace, &Key, KeyHash)) {
    for batch in keys.chunks(BATCH) {
        let mut hashes = [space.hash(b""); BATCH];
        let db = space.db(DB);
        for (key, h) in batch.iter().zip(&mut hashes) {
            *h = space.hash(key);
            db.prefetch(*h);
        }
        hashes[..batch.len()].iter().for_each(|h| db.prefetch_entry(*h));
        for (key, h) in batch.iter().zip(hashes) {
            operate(space, key, h);
        }
    }
}

fn best(rounds: usize, operations: usize, mut round: impl FnMut()) -> f64 {
    let mut best = Duration::MAX;
    for _ in 0..rounds {
        let start = spent();
        round();
        best = best.min(spent() - start);
    }
    best.as_nanos() as f64 / operations as f64
}

fn fill(count: u64, value: &[u8]) -> Keyspace {
    let mut space = Keyspace::new([1, 2], 16);
    for n in 0..count {
        let key = key(n);
        let h = space.hash(&key);
        space.db_mut(DB).set(&key, h, StrValue::Bytes(value), Expiry::Clear);
    }
    space
}

fn memory(count: u64, len: usize) {
    let before = resident();
    let space = fill(count, &vec![b'x'; len]);
    // Time for the allocator to give back what it does not use, if it has been told to.
    std::thread::sleep(Duration::from_secs(3));
    let beyond = (resident() - before) as f64 / count as f64 - (KEY + len) as f64;
    let estimate = space.used_memory() as f64 / count as f64 - (KEY + len) as f64;
    println!("memory     {len:>4} B values: {beyond:6.1} B per key resident, {estimate:6.1} by the estimate");
}

fn operations(count: u64) {
    let mut rng = Rng::from_seed(5);
    let keys: Vec<Key> = (0..1_000_000).map(|_| key(rng.below(count))).collect();
    let absent: Vec<Key> = (0..1_000_000).map(|_| key(count + rng.below(count))).collect();
    let value = [b'x'; 64];
    let n = keys.len();
    let mut space = fill(count, &value);
    let insert = best(3, count as usize, || space = fill(count, &value));
    println!("INSERT     {insert:6.1} ns, from empty, without prefetch");
    let hash = best(5, n, || {
        for key in &keys {
            black_box(space.hash(black_box(key)));
        }
    });
    println!("hash       {hash:6.1} ns");
    let mut reply = Vec::with_capacity(1 << 16);
    let mut get = |space: &mut Keyspace, key: &Key, h| {
        let entry = space.db(DB).find(key, h);
        if let Some(ValueRef::Str(StrRef::Bytes(bytes))) = entry.map(|entry| entry.value()) {
            if reply.len() > 1 << 15 {
                reply.clear();
            }
            reply.extend_from_slice(bytes);
        }
    };
    println!("GET hit    {:6.1} ns", best(7, n, || batches(&mut space, &keys, &mut get)));
    println!("GET miss   {:6.1} ns", best(7, n, || batches(&mut space, &absent, &mut get)));
    let alone = best(5, n, || {
        for key in &keys {
            let h = space.hash(key);
            get(&mut space, key, h);
        }
    });
    println!("GET alone  {alone:6.1} ns, without prefetch");
    let set = |space: &mut Keyspace, key: &Key, h| {
        space.db_mut(DB).set(key, h, StrValue::Bytes(&value), Expiry::Clear);
    };
    println!("SET same   {:6.1} ns", best(7, n, || batches(&mut space, &keys, set)));
    let mut round = 0;
    let other = best(6, n, || {
        round += 1;
        let value = &[b'x'; 100][..if round % 2 == 0 { 64 } else { 100 }];
        batches(&mut space, &keys, |space, key, h| {
            space.db_mut(DB).set(key, h, StrValue::Bytes(value), Expiry::Clear);
        });
    });
    println!("SET other  {other:6.1} ns, another size class");
    let mut at = 0;
    let expire = best(6, n, || {
        at += 1;
        batches(&mut space, &keys, |space, key, h| {
            space.db_mut(DB).set_expiry(key, h, Some(UnixMs(at)));
        });
    });
    println!("EXPIRE     {expire:6.1} ns");
    let int = best(3, n, || {
        batches(&mut space, &keys, |space, key, h| {
            space.db_mut(DB).set_int(key, h, 7);
        });
    });
    println!("SET int    {int:6.1} ns");
    let mut seen = 0;
    let scan = best(3, count as usize, || {
        let mut cursor = Cursor(0);
        loop {
            cursor = space.db(DB).scan(cursor, 100, &mut |entry| seen += entry.key().len());
            if cursor == Cursor(0) {
                break;
            }
        }
    });
    println!("SCAN       {scan:6.1} ns per key");
    let snapshot = best(3, count as usize, || {
        space.snapshot_begin(64 << 10);
        while !space
            .snapshot_next(16 * 1024, &mut |_, part| {
                let SnapshotPart::Entry(entry) = part else { unreachable!("strings only") };
                seen += entry.key().len();
            })
            .is_none_or(|p| p.done)
        {}
    });
    println!("snapshot   {snapshot:6.1} ns per key");
    space.snapshot_begin(64 << 10);
    let during = best(1, n, || batches(&mut space, &keys, set));
    println!("SET        {during:6.1} ns during a snapshot, {} KiB kept", space.snapshot_memory() / 1024);
    drop(space.snapshot_abort());
    black_box(seen);
}

/// The slowest single operations while a keyspace grows and shrinks. The sequence is always the same, so that the least
/// of several rounds is what each operation takes without the rest of the machine.
fn pauses(count: u64) {
    const ROUNDS: usize = 4;
    let mut least = vec![u32::MAX; 2 * count as usize];
    for _ in 0..ROUNDS {
        let mut space = Keyspace::new([1, 2], 16);
        for (n, least) in (0..count).chain(0..count).zip(&mut least) {
            let key = key(n);
            let h = space.hash(&key);
            let removal = space.db(DB).find(&key, h).is_some();
            let start = Instant::now();
            if removal {
                space.db_mut(DB).remove(&key, h);
            } else {
                space.db_mut(DB).set(
                    &key,
                    h,
                    StrValue::Bytes(b"0123456789abcdef0123456789abcde-"),
                    Expiry::Clear,
                );
            }
            *least = (*least).min(start.elapsed().as_nanos() as u32);
        }
    }
    for (name, times) in ["insert", "remove"].into_iter().zip(least.chunks_mut(count as usize)) {
        let average = times.iter().map(|&t| f64::from(t)).sum::<f64>() / count as f64;
        times.sort_unstable();
        let at = |share: f64| f64::from(times[(count as f64 * share) as usize]) / 1_000.0;
        println!(
            "{name}     {average:6.1} ns, 99 % {:.1}, 99.9 % {:.1}, 99.99 % {:.1}, slowest {:.1} µs",
            at(0.99),
            at(0.999),
            at(0.9999),
            f64::from(times[times.len() - 1]) / 1_000.0
        );
    }
}

/// A million operations without a clock, to count instructions: `valgrind --tool=callgrind <this binary> 20 count-get`;
/// the difference to `count-none` is theirs.
fn count(filled: u64, operation: &str) {
    let mut rng = Rng::from_seed(5);
    let keys: Vec<Key> = (0..1_000_000).map(|_| key(rng.below(filled))).collect();
    let mut space = fill(filled, &[b'x'; 64]);
    let mut reply = Vec::with_capacity(64);
    match operation {
        "count-get" => batches(&mut space, &keys, |space, key, h| {
            let entry = space.db(DB).find(key, h);
            if let Some(ValueRef::Str(StrRef::Bytes(bytes))) = entry.map(|entry| entry.value()) {
                reply.clear();
                reply.extend_from_slice(bytes);
            }
        }),
        "count-set" => batches(&mut space, &keys, |space, key, h| {
            space.db_mut(DB).set(key, h, StrValue::Bytes(&[b'x'; 64]), Expiry::Clear);
        }),
        "count-batch" => batches(&mut space, &keys, |_, key, h| {
            black_box((key, h));
        }),
        _ => {}
    }
    black_box((space.total_keys(), reply));
}

/// The invariants at a size that tests do not reach: directories below the root begin at about four million keys.
fn check(count: u64) {
    let mut space = fill(count, b"value");
    space.check();
    for n in (0..count).filter(|n| n % 16 != 0) {
        let key = key(n);
        let h = space.hash(&key);
        space.db_mut(DB).remove(&key, h);
    }
    space.check();
    println!("check      passed, {} keys left", space.total_keys());
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let thousands = args.first().and_then(|arg| arg.parse().ok()).unwrap_or(1_000);
    let names: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let wanted = |name: &str| names.is_empty() || names.contains(&name);
    println!("{thousands} thousand keys of {KEY} B");
    // One size for each run: memory that a former one gave back would make the next look better.
    for (name, len) in [("8", 8), ("64", 64), ("512", 512)] {
        if wanted(name) {
            memory(thousands * 1_000, len);
        }
    }
    if let Some(operation) = names.iter().find(|name| name.starts_with("count-")) {
        return count(thousands * 1_000, operation);
    }
    if names.contains(&"check") {
        return check(thousands * 1_000);
    }
    if wanted("operations") {
        operations(thousands * 1_000);
    }
    if wanted("pauses") {
        pauses(thousands * 1_000);
    }
}
