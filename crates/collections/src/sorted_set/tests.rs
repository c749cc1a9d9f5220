//! Sorted sets against a plain model, through the threshold of the compact encoding.

use super::*;
use crate::policy::Limit;
use crate::seed::Seed;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn policy(entries: usize, value: usize) -> Policy {
    Policy { sorted_set: Limit { entries, value }, ..Policy::new(Seed::new([3, 4])) }
}

type Model = BTreeMap<Vec<u8>, f64>;

fn sorted(model: &Model) -> Vec<(Vec<u8>, f64)> {
    let mut all: Vec<_> = model.iter().map(|(name, score)| (name.clone(), *score)).collect();
    all.sort_by(|a, b| a.1.partial_cmp(&b.1).expect("no NaN").then_with(|| a.0.cmp(&b.0)));
    all
}

fn own(member: Member<'_>) -> Vec<u8> {
    member.value().as_bytes(&mut itoa::Buffer::new()).to_vec()
}

fn all(set: &SortedSet, from: usize, reverse: bool) -> Vec<(Vec<u8>, f64)> {
    let mut all = Vec::new();
    set.walk(from, reverse, &mut |member, score| {
        all.push((own(member), score));
        true
    });
    all
}

fn agree(set: &SortedSet, model: &Model) {
    set.check();
    let wanted = sorted(model);
    assert_eq!(all(set, 0, false), wanted);
    assert_eq!(set.len(), wanted.len());
    for (rank, (name, score)) in wanted.iter().enumerate() {
        assert_eq!(set.rank(name), Some((rank, *score)));
        assert_eq!(set.score(name), Some(*score));
        let before =
            &mut |s: f64, m: Member<'_>| s < *score || s == *score && m.cmp_bytes(name) == Ordering::Less;
        assert_eq!(set.partition(before), rank);
    }
    if let Some(last) = wanted.len().checked_sub(1) {
        let backwards: Vec<_> = wanted.iter().rev().cloned().collect();
        assert_eq!(all(set, last, true), backwards);
    }
    let mut scanned = Model::new();
    let mut cursor = 0;
    loop {
        cursor = set.scan(cursor, 10, &mut |member, score| _ = scanned.insert(own(member), score));
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(&scanned, model);
}

fn names() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (0u32..60).prop_map(|n| n.to_string().into_bytes()),
        prop::collection::vec(b'a'..b'e', 0..4),
        Just(vec![b'x'; 30]),
    ]
}

fn scores() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-5i32..5).prop_map(f64::from),
        prop::num::f64::NORMAL,
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(0.1),
        Just(9e15),
        Just(1e300),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn it_agrees_with_a_map(
        steps in prop::collection::vec((0u8..10, names(), scores(), any::<u16>()), 1..250),
        entries in 0usize..80,
    ) {
        let policy = policy(entries, 20);
        let (mut set, mut model) = (SortedSet::default(), Model::new());
        for (what, name, score, at) in steps {
            match what {
                0..=5 => {
                    let old = set.set(&name, score, &policy);
                    prop_assert_eq!(old, model.insert(name, score));
                }
                6 | 7 => prop_assert_eq!(set.remove(&name), model.remove(&name)),
                8 => {
                    let ranked = sorted(&model);
                    let from = usize::from(at) % (ranked.len() + 1);
                    let mut gone = Vec::new();
                    set.remove_ranks(from, 3, &mut |member, score| gone.push((own(member), score)));
                    let wanted: Vec<_> = ranked.into_iter().skip(from).take(3).collect();
                    for (name, _) in &wanted {
                        model.remove(name);
                    }
                    prop_assert_eq!(gone, wanted);
                }
                _ => {
                    let copy = set.clone();
                    prop_assert!(copy == set);
                    set = copy;
                }
            }
            prop_assert!(set.encoding() == Encoding::Skiplist || set.len() <= entries);
        }
        agree(&set, &model);
        if let Some(pack) = set.pack() {
            prop_assert_eq!(SortedSet::from_foreign(pack, &policy), Some(set.clone()));
        }
    }

    #[test]
    fn any_listpack_is_survived(values in prop::collection::vec(names(), 0..20)) {
        let mut pack = Pack::new();
        for value in &values {
            pack.push_back(value.as_slice()).expect("room");
        }
        if let Some(set) = SortedSet::from_foreign(&pack, &policy(128, 64)) {
            set.check();
            prop_assert_eq!(set.len() * 2, values.len());
        }
    }
}

#[test]
fn what_is_too_long_or_too_many_makes_it_large() {
    let policy = policy(2, 5);
    let mut set = SortedSet::default();
    set.set(b"a", 1.0, &policy);
    set.set(b"b", 2.0, &policy);
    assert_eq!(set.encoding(), Encoding::Listpack);
    set.set(b"a", 3.0, &policy);
    assert_eq!(set.encoding(), Encoding::Listpack);
    set.set(b"c", 0.5, &policy);
    assert_eq!((set.encoding(), set.rank(b"c")), (Encoding::Skiplist, Some((0, 0.5))));
    let mut set = SortedSet::default();
    set.set(b"longer", 1.0, &policy);
    assert_eq!(set.encoding(), Encoding::Skiplist);
}

#[test]
fn scores_are_held_as_redis_holds_them() {
    let held = |score: f64| {
        let mut set = SortedSet::default();
        set.set(b"m", score, &policy(8, 64));
        let value = set.pack().expect("a small one").iter().nth(1).expect("a score");
        (value.to_int(), value.as_bytes(&mut itoa::Buffer::new()).to_vec())
    };
    for int in [0, -1, 100_000_000_000_000_000, 13_510_798_882_111_488, 1 << 62, -(1 << 62)] {
        assert_eq!(held(int as f64).0, Some(int));
    }
    assert_eq!(held(-0.0).0, Some(0));
    assert_eq!(held((1u64 << 62) as f64 + 1024.0).0, Some(4_611_686_018_427_389_000), "by its text");
    for (score, text) in
        [(0.1, "0.1"), (9_223_372_036_854_775_808.0, "9223372036854776000"), (1e300, "1e+300")]
    {
        assert_eq!(held(score), (None, text.as_bytes().to_vec()));
    }
}
