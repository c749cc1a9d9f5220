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
        change(&mut members, &mut model, &mut rng, most);
        if step % 97 == 0 {
            same(&members, &model);
        }
    }
    let copy = members.clone();
    drop(members);
    same(&copy, &model);
}

fn change<S: Shape>(members: &mut Members<S>, model: &mut Model, rng: &mut Rng, most: u64) {
    let old = model.keys().nth(rng.below(model.len() as u64 + 1) as usize).cloned();
    let name = old.filter(|_| rng.chance(1, 2)).unwrap_or_else(|| text(rng, most));
    let place = members.locate(&name);
    assert_eq!(place.is_taken(), model.contains_key(&name));
    let expiry = (S::VALUE && rng.chance(1, 2)).then(|| UnixMs(rng.next_u64() as i64));
    match rng.below(if S::VALUE { 7 } else { 6 }) {
        0 | 1 => assert_eq!(members.remove_at(&place), model.remove(&name).is_some()),
        6 => {
            assert_eq!(members.set_expiry(&place, expiry), model.contains_key(&name));
            model.entry(name).and_modify(|element| element.2 = expiry);
        }
        _ => {
            let prefix = if S::PREFIX { (rng.next_u64() as f64).to_bits() } else { 0 };
            let value = if S::VALUE { text(rng, most) } else { Vec::new() };
            let address = members.put(&place, &Parts { prefix, name: &name, value: &value, expiry });
            assert_eq!(members.get(&name).map(|element| element.address()), Some(address));
            model.insert(name, (prefix, value, expiry));
        }
    }
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

/// Shows a room while it changes, to the end or for some steps.
fn shown_while_it_changes<S: Shape>(seed: u64, rounds: usize, most: u64) {
    let mut rng = Rng::from_seed(seed);
    let (mut members, mut model) = (Members::<S>::new(Seed::new(SEED)), Model::new());
    for round in 0..rounds {
        for _ in 0..rng.below(300) {
            change(&mut members, &mut model, &mut rng, most);
        }
        let (beginning, mut seen) = (model.clone(), Model::new());
        members.track(round as u64);
        let copy = members.clone();
        assert_eq!((members.tracker(), copy.tracker()), (Some(round as u64), None));
        let mut steps = if round % 4 == 3 { rng.below(6) } else { u64::MAX };
        let budget = 1 + rng.below(600) as usize;
        while steps > 0 {
            let shown = members.show(budget, &mut |element| {
                let was = (element.score.to_bits(), element.value.to_vec(), element.expiry);
                assert_eq!(seen.insert(element.name.to_vec(), was), None, "an element is shown once");
            });
            if shown.over {
                assert_eq!(seen, beginning);
                assert_eq!((members.tracker(), members.tracker_bytes()), (None, 0));
                break;
            }
            for _ in 0..rng.below(20) {
                change(&mut members, &mut model, &mut rng, most);
            }
            steps -= 1;
        }
        assert!(seen.iter().all(|(name, element)| beginning.get(name) == Some(element)));
        drop(members.untrack());
        assert_eq!(members.tracker(), None);
        same(&members, &model);
    }
}

#[test]
fn what_is_shown_is_the_beginning_whatever_changes_meanwhile() {
    for seed in 0..if cfg!(miri) { 1 } else { 30 } {
        let (rounds, most) = if cfg!(miri) { (3, 100) } else { (12, 3_000) };
        shown_while_it_changes::<Plain>(seed, rounds, most);
        shown_while_it_changes::<Field>(seed, rounds, most);
        shown_while_it_changes::<Scored>(seed, rounds, most);
    }
}

#[test]
fn a_prefix_that_is_changed_meanwhile_is_shown_as_it_was() {
    let mut members = Members::<Scored>::new(Seed::new(SEED));
    for n in 0..50 {
        let (name, prefix) = (format!("{n}"), f64::from(n).to_bits());
        let place = members.locate(name.as_bytes());
        members.put(&place, &Parts { prefix, name: name.as_bytes(), ..Parts::default() });
    }
    members.track(1);
    let mut seen = BTreeMap::new();
    while !members.show(60, &mut |e| _ = seen.insert(e.name.to_vec(), e.score)).over {
        for n in 0..50 {
            let place = members.locate(format!("{n}").as_bytes());
            let address = members.at(&place).expect("it stays").address();
            members.set_prefix(&place, (-1.0f64).to_bits());
            assert_eq!(members.at(&place).expect("it stays").address(), address);
        }
    }
    assert_eq!(seen.len(), 50);
    assert!(seen.iter().all(|(name, score)| *name == format!("{score}").into_bytes()), "{seen:?}");
    members.check();
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
