//! A snapshot is the state at its beginning, each entry once, whatever happens meanwhile.

mod common;

use common::{Item, Model, World, item};
use std::collections::BTreeMap;
use tanist_keyspace::{Garbage, SnapshotPart};

type Emitted = Vec<BTreeMap<Vec<u8>, Item>>;

/// Emits up to `budget` bytes more; true when the snapshot is done.
fn emit(world: &mut World, budget: usize, into: &mut Emitted) -> bool {
    let progress = world.keys.snapshot_next(budget, &mut |db, part| {
        let SnapshotPart::Entry(entry) = part else { panic!("strings come as a whole") };
        let before = into[db.index()].insert(entry.key().to_vec(), item(entry));
        assert_eq!(before, None, "an entry is emitted once");
    });
    progress.expect("a snapshot is active").done
}

fn begin(world: &mut World) -> (Model, Emitted) {
    world.keys.snapshot_begin(0);
    let counts: Vec<(usize, u64, u64)> =
        world.keys.snapshot_counts().into_iter().map(|(db, n, v)| (db.index(), n, v)).collect();
    let volatile =
        |db: &BTreeMap<Vec<u8>, Item>| db.values().filter(|item| item.expiry.is_some()).count() as u64;
    let expected: Vec<(usize, u64, u64)> = (world.model.iter().enumerate())
        .filter(|(_, db)| !db.is_empty())
        .map(|(index, db)| (index, db.len() as u64, volatile(db)))
        .collect();
    assert_eq!(counts, expected);
    (world.model.clone(), vec![BTreeMap::new(); world.model.len()])
}

/// What may happen while a snapshot runs.
fn disturb(world: &mut World, wild: bool) -> Vec<Garbage> {
    let mut garbage = Vec::new();
    for _ in 0..world.rng.below(60) {
        world.step();
    }
    if wild && world.rng.chance(1, 6) {
        let (a, b) = (world.db(), world.db());
        match world.rng.below(4) {
            0 => {
                garbage.push(world.keys.flush(a));
                world.model[a.index()].clear();
            }
            1 => {
                garbage.push(world.keys.flush_all());
                world.model.iter_mut().for_each(BTreeMap::clear);
            }
            2 => {
                let other = world.keys.new_like();
                garbage.push(world.keys.replace(other));
                world.model.iter_mut().for_each(BTreeMap::clear);
            }
            _ => {
                world.keys.swap(a, b);
                world.model.swap(a.index(), b.index());
            }
        }
    }
    garbage
}

#[test]
fn a_snapshot_is_the_state_at_its_beginning() {
    let (seeds, steps) = if cfg!(miri) { (2, 60) } else { (90, 1_500) };
    for seed in 0..seeds {
        let wild = seed % 2 == 1;
        let mut world = World::new(seed, 4, [30, 500, 4_000][seed as usize % 3]);
        for round in 0..4 {
            world.removals = [5, 40, 80, 10][round];
            for _ in 0..steps {
                world.step();
            }
            let (expected, mut emitted) = begin(&mut world);
            let budget = 1 + world.rng.below(3_000) as usize;
            while !emit(&mut world, budget, &mut emitted) {
                drop(disturb(&mut world, wild));
            }
            assert!(emitted == expected, "seed {seed} round {round}");
            assert!(!world.keys.snapshot_active());
            assert_eq!(world.keys.snapshot_memory(), 0);
            drop(world.keys.take_garbage());
            world.check();
        }
    }
}

/// Given up at any point, any number of times, and begun again at once.
#[test]
fn a_snapshot_can_be_given_up_and_begun_again() {
    for seed in 200..if cfg!(miri) { 201 } else { 260 } {
        let mut world = World::new(seed, 3, 800);
        for _ in 0..if cfg!(miri) { 100 } else { 2_000 } {
            world.step();
        }
        for attempt in 0..12 {
            let (expected, mut emitted) = begin(&mut world);
            let slices = world.rng.below(12);
            let mut done = false;
            for _ in 0..slices {
                done = done || emit(&mut world, 700, &mut emitted);
                drop(disturb(&mut world, attempt % 3 == 0));
            }
            if attempt % 4 == 3 {
                while !done {
                    done = emit(&mut world, 700, &mut emitted);
                    world.step();
                }
                assert!(emitted == expected, "seed {seed} attempt {attempt}");
            } else if attempt % 2 == 0 {
                drop(world.keys.snapshot_abort());
                assert!(!world.keys.snapshot_active());
            }
        }
        world.check();
    }
}

#[test]
#[cfg_attr(miri, ignore = "too slow")]
fn memory_is_bounded_by_what_changes() {
    let mut world = World::new(300, 1, 20_000);
    world.removals = 1;
    for _ in 0..60_000 {
        world.step();
    }
    world.keys.snapshot_begin(0);
    assert_eq!(world.keys.snapshot_memory(), 0);
    for _ in 0..100 {
        world.step();
    }
    let few = world.keys.snapshot_memory();
    assert!(few > 0 && few * 20 < world.keys.used_memory(), "{few}");
    let mut emitted = vec![BTreeMap::new()];
    while !emit(&mut world, 10_000, &mut emitted) {}
    assert_eq!(world.keys.snapshot_memory(), 0);
    assert!(world.keys.snapshot_next(1, &mut |_, _| {}).is_none());
}
