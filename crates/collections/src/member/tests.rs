use super::*;
use std::collections::{BTreeMap, BTreeSet};
use tanist_types::UnixMs;

const SEED: [u64; 2] = [3, 5];

fn text(rng: &mut Rng, most: u64) -> Vec<u8> {
    // Lengths on both sides of every limit of the encoding.
    let len = match rng.below(20) {
        0 => rng.below(most),
        1 => 60 + rng.below(8),
        2 => 124 + rng.below(8),
        _ => rng.below(24),
    };
    (0..len).map(|_| rng.next_u64() as u8).collect()
}

/// Name to prefix, value and expiry.
type Model = BTreeMap<Vec<u8>, (u64, Vec<u8>, Option<UnixMs>)>;

fn random_changes<S: Shape>(seed: u64, changes: u64, most: u64) {
    let mut rng = Rng::from_seed(seed);
    let mut members = Members::<S>::new(Seed::new(SEED));
    let mut model = Model::new();
    for step in 0..changes {
        let old = model.keys().nth(rng.below(model.len() as u64 + 1) as usize).cloned();
        let name = old.filter(|_| rng.chance(1, 2)).unwrap_or_else(|| text(&mut rng, most));
        let place = members.locate(&name);
        assert_eq!(place.is_taken(), model.contains_key(&name));
        if rng.chance(1, 3) {
            assert_eq!(members.remove_at(&place), model.remove(&name).is_some());
        } else {
            let prefix = if S::PREFIX { rng.next_u64() } else { 0 };
            let value = if S::VALUE { text(&mut rng, most) } else { Vec::new() };
            let expiry = (S::VALUE && rng.chance(1, 2)).then(|| UnixMs(rng.next_u64() as i64));
            let address = members.put(&place, &Parts { prefix, name: &name, value: &value, expiry });
            assert_eq!(members.get(&name).map(|element| element.address()), Some(address));
            model.insert(name, (prefix, value, expiry));
        }
        if step % 97 == 0 {
            same(&members, &model);
        }
    }
    let copy = members.clone();
    drop(members);
    same(&copy, &model);
}

fn same<S: Shape>(members: &Members<S>, model: &Model) {
    members.check();
    assert_eq!(members.len(), model.len());
    let found: Model =
        members.iter().map(|e| (e.name().to_vec(), (e.prefix(), e.value().to_vec(), e.expiry()))).collect();
    assert_eq!(&found, model);
}

#[test]
fn rooms_of_all_shapes_agree_with_a_model() {
    for seed in 0..if cfg!(miri) { 1 } else { 20 } {
        let (changes, most) = if cfg!(miri) { (60, 200) } else { (2_000, 20_000) };
        random_changes::<Plain>(seed, changes, most);
        random_changes::<Field>(seed, changes, most);
        random_changes::<Scored>(seed, changes, most);
    }
}

#[test]
fn a_prefix_is_changed_where_it_is() {
    let mut members = Members::<Scored>::new(Seed::new(SEED));
    let place = members.locate(b"a");
    let address = members.put(&place, &Parts { prefix: 7, name: b"a", ..Parts::default() });
    let place = members.locate(b"a");
    members.set_prefix(&place, 1.5f64.to_bits());
    let element = members.get(b"a").expect("put");
    assert_eq!((element.address(), f64::from_bits(element.prefix())), (address, 1.5));
}

fn numbered(count: usize) -> Members<Plain> {
    let mut members = Members::new(Seed::new(SEED));
    for n in 0..count {
        assert!(members.insert(&Parts { name: n.to_string().as_bytes(), ..Parts::default() }));
    }
    members
}

#[test]
#[cfg_attr(miri, ignore = "too slow")]
fn a_scan_sees_what_stays_however_the_room_changes() {
    let mut members = numbered(3_000);
    let mut rng = Rng::from_seed(9);
    let mut seen = BTreeSet::new();
    let (mut cursor, mut steps) = (0, 0);
    loop {
        cursor = members.scan(cursor, 10, &mut |element| _ = seen.insert(element.name().to_vec()));
        assert!(cursor < 1 << 48);
        if cursor == 0 {
            break;
        }
        steps += 1;
        // Multiples of three stay; the rest goes, other names come, or the other way round.
        for _ in 0..40 {
            let n = rng.below(3_000);
            if steps % 100 < 50 && !n.is_multiple_of(3) {
                members.remove(n.to_string().as_bytes());
            } else {
                members.insert(&Parts { name: format!("x{n}").as_bytes(), ..Parts::default() });
            }
        }
    }
    assert!(steps > 50);
    assert!((0..3_000).step_by(3).all(|n| seen.contains(n.to_string().as_bytes())));
}

#[test]
#[cfg_attr(miri, ignore = "too slow")]
fn picks_are_about_as_likely() {
    let members = numbered(700);
    let mut rng = Rng::from_seed(1);
    let mut picks = BTreeMap::new();
    for _ in 0..700 * 200 {
        let element = members.random(&mut rng).expect("not empty");
        *picks.entry(element.name().to_vec()).or_insert(0) += 1;
    }
    assert_eq!(picks.len(), 700);
    // The expectation is 200; by chance alone, hardly any is beyond 130 to 270.
    assert!(picks.values().all(|&n| (80..500).contains(&n)), "{:?}", picks.values().max());
}
