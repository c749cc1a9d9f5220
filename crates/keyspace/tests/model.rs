//! Random operations on the keyspace and on a plain map give the same.

mod common;

use common::World;
use tanist_types::DbIndex;

#[test]
fn random_operations_agree_with_a_plain_map() {
    let (seeds, steps) = if cfg!(miri) { (2, 150) } else { (40, 2_000) };
    for seed in 0..seeds {
        let mut world = World::new(seed, 3, [5, 60, 700, 4_000][seed as usize % 4]);
        for phase in 0..6 {
            world.removals = [5, 60, 10, 90, 20, 50][phase];
            for _ in 0..steps {
                world.step();
            }
            world.check();
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "too slow")]
fn tables_grow_split_shrink_and_merge() {
    let mut world = World::new(99, 1, 40_000);
    let empty = world.keys.used_memory();
    for removals in [2, 95, 2, 97] {
        world.removals = removals;
        for _ in 0..6 {
            for _ in 0..20_000 {
                world.step();
            }
            world.check();
        }
    }
    let keys: Vec<Vec<u8>> = world.model[0].keys().cloned().collect();
    for key in keys {
        let h = world.keys.hash(&key);
        assert!(world.keys.db_mut(DbIndex(0)).remove(&key, h));
    }
    assert_eq!(world.keys.used_memory(), empty, "an emptied keyspace takes no more than a new one");
}

#[test]
fn swaps_flushes_and_replacement() {
    let mut world = World::new(5, 4, 500);
    for round in 0..if cfg!(miri) { 4 } else { 60 } {
        for _ in 0..300 {
            world.step();
        }
        let (a, b) = (world.db(), world.db());
        match round % 4 {
            0 => drop(world.keys.flush(a)),
            1 => {
                world.keys.swap(a, b);
                world.model.swap(a.index(), b.index());
            }
            2 => {
                let other = world.keys.new_like();
                let garbage = world.keys.replace(other);
                let old: usize = world.model.iter().map(|db| db.len()).sum();
                assert_eq!(garbage.entries(), old);
                world.model.iter_mut().for_each(|db| db.clear());
            }
            _ => {}
        }
        if round % 4 == 0 {
            world.model[a.index()].clear();
        }
        world.check();
    }
    let garbage = world.keys.flush_all();
    let sendable: Box<dyn Send> = Box::new(garbage);
    drop(sendable);
    assert_eq!(world.keys.total_keys(), 0);
}
