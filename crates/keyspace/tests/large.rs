//! Large collections come in pieces, as they were at the beginning of the snapshot, whatever happens meanwhile.
//!
//! Two keyspaces get the same changes, one of them with snapshots: what a snapshot emits is compared with what there was
//! when it began, and in the end the two must hold the same.

mod common;

use common::plain::{Plain, Rebuilt, bytes, plain};
use std::collections::BTreeMap;
use tanist_keyspace::collections::{
    End, FieldExpiry, Group, Hash, Limit, List, NEVER, NewId, Set, Side, SortedSet, Stream, Trim, TrimLimits,
};
use tanist_keyspace::{
    Change, Collection, Edit, Expiry, Keyspace, Missing, Policy, SnapshotPart, StrValue, Typed, ValueRef,
};
use tanist_types::{DbIndex, Rng, UnixMs};

const DATABASES: u16 = 3;
const KEYS: u64 = 14;

/// A database and a key.
type At = (u16, Vec<u8>);
type State = BTreeMap<At, (Plain, Option<UnixMs>)>;

fn keyspace(seed: u64) -> Keyspace {
    let mut data = Keyspace::new([seed, 77], DATABASES);
    let few = Limit { entries: 8, value: 40 };
    data.set_policy(Policy {
        hash: few,
        set: few,
        sorted_set: few,
        intset_entries: 8,
        list_size: [4, 40, -1][seed as usize % 3],
        stream_entries: 5,
        ..*data.policy()
    });
    data
}

fn state(data: &Keyspace) -> State {
    let mut state = State::new();
    for index in (0..DATABASES).map(DbIndex) {
        for key in (0..KEYS).map(key) {
            if let Some(entry) = data.db(index).find(&key, data.hash(&key)) {
                state.insert((index.0, key), (plain(entry.value()), entry.expiry()));
            }
        }
    }
    assert_eq!(state.len(), data.total_keys());
    state
}

fn key(n: u64) -> Vec<u8> {
    if n == 3 { vec![b'k'; 300] } else { format!("key:{n}").into_bytes() }
}

fn text(rng: &mut Rng) -> Vec<u8> {
    match rng.below(400) {
        n @ 0..50 => n.to_string().into_bytes(),
        n @ 50..54 => format!("{n}{}", "x".repeat(n as usize * 90)).into_bytes(),
        n => format!("text-{n}").into_bytes(),
    }
}

fn expiry(rng: &mut Rng) -> Option<UnixMs> {
    rng.chance(1, 2).then(|| UnixMs(rng.below(100_000) as i64))
}

/// Edits the collection of a key; a value of another type gives way.
fn edit<T: Typed>(data: &mut Keyspace, db: DbIndex, key: &[u8], mut change: impl FnMut(&mut T, &Policy)) {
    let h = data.hash(key);
    let edited = data.db_mut(db).edit::<T, _>(key, h, Missing::Create, |_| true, &mut change);
    if matches!(edited, Edit::WrongType) {
        assert!(data.db_mut(db).remove(key, h));
        let edited = data.db_mut(db).edit::<T, _>(key, h, Missing::Create, |_| true, change);
        assert!(matches!(edited, Edit::Done(_)));
    }
}

fn edit_set(set: &mut Set, policy: &Policy, rng: &mut Rng) {
    match rng.below(40) {
        0 => set.clear(),
        1 => {
            let mut kept: Vec<Vec<u8>> = set.iter().map(bytes).collect();
            // The order of members tells how the set is stored.
            kept.sort();
            set.keep(kept.iter().take(20).map(Vec::as_slice), policy);
        }
        n => {
            for _ in 0..12 {
                let member = text(rng);
                _ = if rng.chance(n, 60) { set.remove(&member) } else { set.insert(&member, policy) };
            }
        }
    }
}

fn edit_hash(hash: &mut Hash, policy: &Policy, rng: &mut Rng) {
    for _ in 0..12 {
        let (field, value, at) = (text(rng), text(rng), expiry(rng));
        match rng.below(6) {
            0 => _ = hash.remove(&field, NEVER),
            1 => _ = hash.set_expiry(&field, at, policy),
            2 => _ = hash.set(&field, &value, at.map_or(FieldExpiry::Keep, FieldExpiry::At), NEVER, policy),
            _ => _ = hash.set(&field, &value, FieldExpiry::Clear, NEVER, policy),
        }
    }
}

fn edit_sorted_set(set: &mut SortedSet, policy: &Policy, rng: &mut Rng) {
    if rng.chance(1, 12) {
        let (from, count) = (rng.below(50) as usize, rng.below(30) as usize);
        return set.remove_ranks(from, count, &mut |_, _| ());
    }
    for _ in 0..12 {
        let member = text(rng);
        match rng.below(5) {
            0 => _ = set.remove(&member),
            _ => _ = set.set(&member, rng.below(1000) as f64 / 8.0, policy),
        }
    }
}

fn edit_list(list: &mut List, policy: &Policy, rng: &mut Rng) {
    for _ in 0..4 {
        let (element, other, index) = (text(rng), text(rng), rng.below(300) as i64 - 150);
        let end = if rng.chance(1, 2) { End::Front } else { End::Back };
        match rng.below(12) {
            0 => _ = list.pop(end, policy, |_| ()),
            1 => _ = list.set(index, &element, policy),
            2 => _ = list.insert(&element, Side::After, &other, policy),
            3 => _ = list.remove(&element, index.signum(), policy),
            4 if rng.chance(1, 10) => _ = list.keep(rng.below(20) as usize, 400, policy),
            _ => {
                let many: Vec<Vec<u8>> = (0..rng.below(12)).map(|_| text(rng)).collect();
                list.push(end, many.iter().map(Vec::as_slice), policy);
            }
        }
    }
}

fn edit_stream(stream: &mut Stream, policy: &Policy, rng: &mut Rng) {
    let ids: Vec<_> = stream.iter().map(|entry| entry.id).collect();
    let some = (!ids.is_empty()).then(|| ids[rng.below(ids.len() as u64) as usize]);
    match (rng.below(12), some) {
        (0, Some(id)) => {
            stream.delete(id);
            stream.renew_first();
        }
        (1, _) => _ = stream.trim(Trim::MaxLen(100), TrimLimits { whole_nodes: false, entries: 0 }),
        (2, Some(id)) => {
            let group =
                stream.groups_mut().entry(Box::from(&b"group"[..])).or_insert_with(|| Group::new(id, None));
            let place = group.place(b"consumer").unwrap_or_else(|| group.add_consumer(b"consumer", 1));
            group.deliver(id, place, 2, 1);
        }
        _ => {
            for _ in 0..6 {
                let (field, value) = (text(rng), text(rng));
                let pairs = [(&field[..], &value[..])];
                stream
                    .add(NewId::NextOf(rng.below(3) + stream.about().last.ms), pairs.into_iter(), policy)
                    .ok();
            }
        }
    }
}

/// One random change.
fn step(data: &mut Keyspace, rng: &mut Rng, wild: bool) {
    let (db, other) = (DbIndex(rng.below(3) as u16), DbIndex(rng.below(3) as u16));
    let (n, to) = (rng.below(KEYS), key(rng.below(KEYS)));
    let key = key(n);
    let (h, to_h) = (data.hash(&key), data.hash(&to));
    match rng.below(40) {
        0 => _ = data.db_mut(db).remove(&key, h),
        1 => {
            let there = data.db(db).find(&key, h).map(|entry| plain(entry.value()));
            let taken = data.db_mut(db).take(&key, h);
            assert_eq!(taken.map(|taken| plain(taken.entry().value())), there);
        }
        2 => _ = data.db_mut(db).rename(&key, h, &to, to_h),
        3 => _ = data.move_key(&key, h, db, other),
        4 => _ = data.copy_key((db, &key, h), (other, &to, to_h)),
        5 => _ = data.db_mut(db).set(&key, h, StrValue::Bytes(&text(rng)), Expiry::Keep),
        6 => _ = data.db_mut(db).set_object(&key, h, List::default(), Expiry::Clear),
        7 => data.db_mut(db).update(&key, h, |_| Change::Remove),
        8 | 9 => _ = data.db_mut(db).set_expiry(&key, h, expiry(rng)),
        10 => data.db_mut(db).update(&key, h, |_| Change::SetExpiry(Some(UnixMs(5)))),
        11 if wild => match rng.below(6) {
            0 => drop(data.flush(db)),
            1 => drop(data.flush_all()),
            2 => {
                let new = data.new_like();
                drop(data.replace(new));
            }
            _ => data.swap(db, other),
        },
        // Which type a key has most of the time.
        _ => match n % 5 {
            0 => edit(data, db, &key, |set, policy| edit_set(set, policy, rng)),
            1 => edit(data, db, &key, |hash, policy| edit_hash(hash, policy, rng)),
            2 => edit(data, db, &key, |set, policy| edit_sorted_set(set, policy, rng)),
            3 => edit(data, db, &key, |list, policy| edit_list(list, policy, rng)),
            _ => edit(data, db, &key, |stream, policy| edit_stream(stream, policy, rng)),
        },
    }
    // Nobody else keeps an empty list.
    if data.db(db).find(&key, h).is_some_and(|e| matches!(e.value(), ValueRef::List(list) if list.is_empty()))
    {
        data.db_mut(db).remove(&key, h);
    }
}

/// What a snapshot has emitted.
#[derive(Default)]
struct Emitted {
    state: State,
    open: Option<(At, Option<UnixMs>, Rebuilt)>,
    pieces: usize,
    /// The most pieces in one slice.
    most: usize,
}

impl Emitted {
    /// One more slice; true when the snapshot is done.
    fn slice(&mut self, data: &mut Keyspace, budget: usize) -> bool {
        let before = self.pieces;
        let progress = data.snapshot_next(budget, &mut |db, part| self.take(db, part));
        self.most = self.most.max(self.pieces - before);
        progress.expect("a snapshot is active").done
    }

    fn take(&mut self, db: DbIndex, part: SnapshotPart<'_>) {
        match part {
            SnapshotPart::Entry(entry) => {
                assert!(self.open.is_none(), "nothing comes between the pieces of a collection");
                self.put((db.0, entry.key().to_vec()), (plain(entry.value()), entry.expiry()));
            }
            SnapshotPart::Begin(head) => {
                assert!(self.open.is_none());
                self.open = Some(((db.0, head.key.to_vec()), head.expiry, Rebuilt::begin(head.outline)));
            }
            SnapshotPart::Piece(piece) => {
                let (at, _, rebuilt) = self.open.as_mut().expect("begun");
                assert_eq!(at.0, db.0);
                rebuilt.add(piece);
                self.pieces += 1;
            }
            SnapshotPart::End(outline) => {
                let (at, expiry, rebuilt) = self.open.take().expect("begun");
                self.put(at, (rebuilt.end(outline), expiry));
            }
        }
    }

    fn put(&mut self, at: At, item: (Plain, Option<UnixMs>)) {
        assert_eq!(self.state.insert(at, item), None, "an entry comes once");
    }
}

/// The same change to both.
fn both(data: &mut Keyspace, twin: &mut Keyspace, rng: &mut Rng, wild: bool) {
    let mut same = rng.clone();
    step(data, rng, wild);
    step(twin, &mut same, wild);
}

#[test]
fn a_large_collection_comes_as_it_was_at_the_beginning() {
    let (seeds, steps) = if cfg!(miri) { (2, 40) } else { (60, 700) };
    let mut pieces = 0;
    for seed in 0..seeds {
        let mut rng = Rng::from_seed(seed);
        let (mut data, mut twin) = (keyspace(seed), keyspace(seed));
        for round in 0..5 {
            for _ in 0..steps {
                both(&mut data, &mut twin, &mut rng, false);
            }
            let whole = [0, 100, 1500][rng.below(3) as usize];
            data.snapshot_begin(whole);
            let (beginning, mut emitted) = (state(&data), Emitted::default());
            let most = [40, 400, 4_000][rng.below(3) as usize];
            let budget = 1 + rng.below(most) as usize;
            let given_up = rng.chance(1, 5).then(|| rng.below(100));
            let mut slices = 0;
            while given_up != Some(slices) && !emitted.slice(&mut data, budget) {
                slices += 1;
                for _ in 0..rng.below(8) {
                    both(&mut data, &mut twin, &mut rng, seed % 2 == 1);
                }
                data.check();
            }
            if data.snapshot_active() {
                assert!(emitted.state.iter().all(|(at, item)| beginning.get(at) == Some(item)));
                drop(data.snapshot_abort());
            } else {
                assert!(emitted.state == beginning, "seed {seed} round {round}");
            }
            // A piece counts for 16 bytes at least; a bucket of a table has up to a dozen or two.
            assert!(emitted.most <= 40 + budget / 8, "{} pieces for {budget} bytes", emitted.most);
            pieces += emitted.pieces;
            assert_eq!(data.snapshot_memory(), 0);
            drop(data.take_garbage());
            data.check();
            assert!(state(&data) == state(&twin), "seed {seed} round {round}");
        }
    }
    assert!(cfg!(miri) || pieces > seeds as usize * 1000, "{pieces}");
}

fn filled(members: usize) -> (Keyspace, Vec<u8>) {
    let mut data = keyspace(1);
    let key = key(0);
    edit::<Set>(&mut data, DbIndex(0), &key, |set, policy| {
        for n in 0..members {
            set.insert(format!("member:{n}").as_bytes(), policy);
        }
    });
    edit::<List>(&mut data, DbIndex(0), b"list", |list, policy| {
        let elements: Vec<String> = (0..members).map(|n| format!("element:{n}")).collect();
        list.push(End::Back, elements.iter().map(String::as_bytes), policy);
    });
    (data, key)
}

#[test]
#[cfg_attr(miri, ignore = "too slow")]
fn memory_is_bounded_by_the_elements_that_change() {
    let (mut data, key) = filled(50_000);
    let all = data.used_memory();
    data.snapshot_begin(1 << 16);
    for n in 0..100 {
        let member = format!("member:{n}");
        edit::<Set>(&mut data, DbIndex(0), &key, |set, _| assert!(set.remove(member.as_bytes())));
        edit::<List>(&mut data, DbIndex(0), b"list", |list, policy| assert!(list.set(n, b"other", policy)));
    }
    let kept = data.snapshot_memory();
    assert!(kept > 100 * 16 && kept < all / 3, "{kept} of {all}");
    let mut emitted = Emitted::default();
    while !emitted.slice(&mut data, 4096) {}
    assert_eq!(data.snapshot_memory(), 0);
    assert_eq!(emitted.pieces, 50_000 + 50_000usize.div_ceil(40));
    assert!(emitted.most < 300);
}

/// Removing it in the middle of its emission costs nothing, and the rest still comes.
#[test]
fn what_is_removed_while_it_is_emitted_is_emitted_to_the_end() {
    let members = if cfg!(miri) { 200 } else { 5_000 };
    for how in 0..6 {
        let (mut data, key) = filled(members);
        let (h, list) = (data.hash(&key), data.hash(b"list"));
        let beginning = {
            let entry = data.db(DbIndex(0)).find(&key, h).expect("filled");
            plain(entry.value())
        };
        data.snapshot_begin(100);
        let mut emitted = Emitted::default();
        let in_the_middle = |emitted: &Emitted| emitted.open.as_ref().is_some_and(|open| open.0.1 == key);
        while !(in_the_middle(&emitted) && emitted.pieces > members / 20) {
            assert!(!emitted.slice(&mut data, 300));
        }
        match how {
            0 => assert!(data.db_mut(DbIndex(0)).remove(&key, h)),
            1 => _ = data.db_mut(DbIndex(0)).set(&key, h, StrValue::Int(1), Expiry::Clear),
            2 => drop(data.flush(DbIndex(0))),
            3 => assert!(data.db_mut(DbIndex(0)).rename(&key, h, b"list", list)),
            4 => assert!(data.move_key(&key, h, DbIndex(0), DbIndex(2))),
            _ => assert!(data.db_mut(DbIndex(0)).take(&key, h).is_some()),
        }
        while !emitted.slice(&mut data, 300) {
            edit::<Set>(&mut data, DbIndex(2), &key, |set, policy| {
                edit_set(set, policy, &mut Rng::from_seed(1))
            });
        }
        assert!(emitted.state[&(0, key)].0 == beginning, "{how}");
        assert_eq!(data.snapshot_memory(), 0);
        data.check();
    }
}
