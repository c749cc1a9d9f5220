//! The table alone, with made-up addresses, against an ordered set.

use super::*;
use std::collections::BTreeMap;

/// A hash of an address that is uniform enough (the finisher of SplitMix64).
fn hash(address: u64) -> u64 {
    let mut z = address.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

struct Pair {
    table: Table,
    model: BTreeMap<u64, u64>,
}

impl Pair {
    fn new() -> Pair {
        Pair { table: Table::new(), model: BTreeMap::new() }
    }

    fn toggle(&mut self, address: u64) {
        let h = hash(address);
        let found = self.table.find(h, |other| other == address);
        assert_eq!(found.is_some(), self.model.contains_key(&h));
        match found {
            Some(found) => {
                self.table.remove(h, found);
                self.model.remove(&h);
            }
            None => {
                self.table.insert(h, address, &hash);
                self.model.insert(h, address);
            }
        }
        assert_eq!(self.table.len(), self.model.len());
    }

    fn check(&self) {
        self.table.check(&hash);
        let mut walked = Vec::new();
        let mut at = Some(0);
        while let Some(from) = at {
            let before = walked.len();
            at = self.table.visit(from, &hash, &mut |address| walked.push((hash(address), address)));
            for (h, _) in &walked[before..] {
                assert!(*h >= from && at.is_none_or(|end| *h < end), "a step stays between its positions");
            }
        }
        walked.sort_unstable();
        assert!(
            walked.into_iter().eq(self.model.iter().map(|(&h, &a)| (h, a))),
            "a walk sees everything once"
        );
    }
}

#[test]
fn grows_and_shrinks_with_random_changes() {
    // The set of possible addresses bounds the size; it swells and ebbs.
    let spans =
        if cfg!(miri) { &[10, 1_500, 3][..] } else { &[10, 300, 3_000, 60_000, 9_000, 500, 40_000, 100, 3] };
    for seed in 0..if cfg!(miri) { 1 } else { 3 } {
        let mut rng = Rng::from_seed(seed);
        let mut pair = Pair::new();
        for &span in spans {
            for _ in 0..span * 2 {
                pair.toggle(8 * (1 + rng.below(span)));
            }
            let beyond: Vec<u64> = pair.model.values().copied().filter(|&a| a > 8 * span).collect();
            beyond.into_iter().for_each(|address| pair.toggle(address));
            pair.check();
        }
        let rest: Vec<u64> = pair.model.values().copied().collect();
        rest.into_iter().for_each(|address| pair.toggle(address));
        pair.check();
        assert_eq!(pair.table.bytes(), Table::new().bytes(), "an emptied table is as small as a new one");
    }
}

#[test]
#[cfg_attr(miri, ignore = "too slow")]
fn a_position_holds_through_any_change() {
    let mut rng = Rng::from_seed(7);
    let mut pair = Pair::new();
    let steady: Vec<u64> = (1..=2_000).map(|i| 8 * i).collect();
    steady.iter().for_each(|&address| pair.toggle(address));
    for round in 0..20 {
        let mut seen = BTreeMap::new();
        let mut at = Some(0);
        while let Some(from) = at {
            at = pair.table.visit(from, &hash, &mut |address| *seen.entry(address).or_insert(0) += 1);
            // Grow in even rounds, shrink in odd ones, by addresses that are not watched.
            for _ in 0..rng.below(60) {
                let address = 8 * (10_000 + rng.below(60_000));
                if pair.model.contains_key(&hash(address)) == (round % 2 == 1) {
                    pair.toggle(address);
                }
            }
        }
        assert!(
            steady.iter().all(|address| seen.get(address) == Some(&1)),
            "each steady address exactly once"
        );
        pair.check();
    }
}

#[test]
#[cfg_attr(miri, ignore = "too slow")]
fn is_well_filled() {
    let mut pair = Pair::new();
    let (mut words, mut samples) = (0.0, 0.0);
    for i in 1..=100_000 {
        pair.toggle(8 * i);
        if i > 20_000 && i % 1_000 == 0 {
            words += pair.table.bytes() as f64 / 8.0 / i as f64;
            samples += 1.0;
        }
    }
    pair.check();
    let per_entry = words / samples;
    assert!(per_entry < 1.30, "{per_entry} words per entry");
}

#[test]
#[cfg_attr(miri, ignore = "too slow")]
fn random_picks_are_spread() {
    let mut rng = Rng::from_seed(11);
    let mut pair = Pair::new();
    for i in 1..=3_000 {
        pair.toggle(8 * i);
    }
    let mut picks = vec![0u32; 3_001];
    for _ in 0..300_000 {
        picks[(pair.table.random(&mut rng).unwrap_or(0) / 8) as usize] += 1;
    }
    assert_eq!(picks[0], 0);
    assert!(picks[1..].iter().all(|&n| (30..300).contains(&n)), "each about a hundred times");
    assert_eq!(Table::new().random(&mut rng), None);
}

#[test]
#[cfg_attr(miri, ignore = "too slow")]
fn growth_is_spread_over_time() {
    // While the entries double, every segment is split once; not all of them in a rush.
    let mut pair = Pair::new();
    let mut segments = Vec::new();
    for i in 1..=200_000 {
        pair.toggle(8 * i);
        if i >= 100_000 && i % 5_000 == 0 {
            let mut count = 0;
            pair.table.for_each_segment(&mut |_, _| count += 1);
            segments.push(count);
        }
    }
    let splits: Vec<i32> = segments.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let (most, sum) = (splits.iter().max().copied().unwrap_or(0), splits.iter().sum::<i32>());
    assert!(most * 5 < sum, "{splits:?}");
    eprintln!("{splits:?}");
}

#[test]
fn removals_in_the_order_of_the_hash_seldom_rebuild() {
    let mut pair = Pair::new();
    // Deep enough that what is left at last, before half of the hashes, would have to share a few tags.
    const COUNT: u64 = if cfg!(miri) { 3_000 } else { 400_000 };
    (1..=COUNT).for_each(|n| pair.toggle(n * 8));
    segment::MOVED.take();
    let in_order: Vec<u64> = pair.model.values().copied().collect();
    for (at, address) in in_order.into_iter().enumerate() {
        pair.toggle(address);
        if at % 50_000 == 0 {
            pair.check();
        }
    }
    let moved = segment::MOVED.take();
    assert!((moved as u64) < COUNT * 3, "{moved} entries were moved");
    assert_eq!(pair.table.bytes(), Table::new().bytes(), "nothing is kept");
}
