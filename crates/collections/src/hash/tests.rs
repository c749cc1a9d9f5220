use super::*;
use crate::policy::Limit;
use crate::seed::Seed;
use std::collections::BTreeMap;

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<UnixMs>)>;

fn policy(entries: usize, value: usize) -> Policy {
    Policy { hash: Limit { entries, value }, ..Policy::new(Seed::new([1, 2])) }
}

fn bytes(value: Value<'_>) -> Vec<u8> {
    value.as_bytes(&mut itoa::Buffer::new()).to_vec()
}

fn contents(hash: &Hash) -> Model {
    hash.iter().map(|pair| (bytes(pair.field), (bytes(pair.value), pair.expiry))).collect()
}

fn text(rng: &mut Rng) -> Vec<u8> {
    match rng.below(8) {
        0 => vec![b'v'; rng.below(300) as usize],
        1 => (rng.next_u64() as i64).to_string().into_bytes(),
        _ => rng.below(60).to_string().into_bytes(),
    }
}

fn live(model: &Model, name: &[u8], now: UnixMs) -> bool {
    model.get(name).is_some_and(|(_, expiry)| expiry.is_none_or(|at| at > now))
}

/// One random change of both; the clock may go on.
fn change(hash: &mut Hash, model: &mut Model, now: UnixMs, rng: &mut Rng, policy: &Policy) {
    let (name, value) = (text(rng), text(rng));
    let was = match model.contains_key(&name) {
        false => Was::New,
        true if live(model, &name, now) => Was::Old,
        true => Was::Expired,
    };
    let at = UnixMs(now.0 + rng.below(50) as i64);
    match rng.below(10) {
        0..5 => {
            let kept = model.get(&name).and_then(|(_, at)| *at).filter(|_| was == Was::Old);
            let choices = if rng.chance(1, 10) { 3 } else { 2 };
            let (expiry, after) = match rng.below(choices) {
                0 => (FieldExpiry::Clear, None),
                1 => (FieldExpiry::Keep, kept),
                _ => (FieldExpiry::At(at), Some(at)),
            };
            assert_eq!(hash.set(&name, &value, expiry, now, policy), was);
            model.insert(name, (value, after));
        }
        5..8 => {
            assert_eq!(hash.remove(&name, now), was == Was::Old);
            if was == Was::Old {
                model.remove(&name);
            }
        }
        8 => {
            let expiry = rng.chance(1, 4).then_some(at);
            assert_eq!(hash.set_expiry(&name, expiry, policy), was != Was::New);
            if let Some(found) = model.get_mut(&name) {
                found.1 = expiry;
            }
        }
        _ => {
            let mut due = Vec::new();
            hash.due(rng.next_u64(), now, 20, &mut |name| due.push(name.to_vec()));
            for name in due {
                assert!(!live(model, &name, now));
                assert!(hash.remove(&name, NEVER) && model.remove(&name).is_some());
            }
        }
    }
}

#[test]
fn hashes_of_all_forms_agree_with_a_model() {
    for seed in 0..if cfg!(miri) { 2 } else { 60 } {
        let mut rng = Rng::from_seed(seed);
        let policy = policy([512, 16, 0][rng.below(3) as usize], [64, 8][rng.below(2) as usize]);
        let (mut hash, mut model) = (Hash::default(), Model::new());
        let mut now = UnixMs(1_000);
        for _ in 0..if cfg!(miri) { 80 } else { 1_000 } {
            change(&mut hash, &mut model, now, &mut rng, &policy);
            now.0 += i64::from(rng.chance(1, 3));
            assert_eq!(hash.len(), model.len());
            assert_eq!(hash.expiring(), model.values().filter(|(_, at)| at.is_some()).count());
            if rng.chance(1, 30) {
                same(&hash, &model, now, &mut rng);
            }
        }
        same(&hash.clone(), &model, now, &mut rng);
    }
}

fn same(hash: &Hash, model: &Model, now: UnixMs, rng: &mut Rng) {
    assert_eq!(&contents(hash), model);
    assert!(*hash == hash.clone());
    if let Kind::Large(members) = hash.0.get() {
        members.check();
    }
    let count = model.keys().filter(|name| live(model, name, now)).count();
    assert_eq!(hash.random(now, rng).is_some(), count > 0);
    for wanted in [0, 1, count / 2, count + 1] {
        let mut sample = Model::new();
        let picked = hash.sample(wanted, now, rng, &mut |pair| {
            assert!(pair.is_live(now));
            sample.insert(bytes(pair.field), (bytes(pair.value), pair.expiry));
        });
        assert_eq!((picked, sample.len()), (wanted.min(count), wanted.min(count)));
    }
    for name in model.keys() {
        let found = hash.get(name, now).map(|pair| (bytes(pair.value), pair.expiry));
        assert_eq!(found, model.get(name).filter(|_| live(model, name, now)).cloned());
    }
}

#[test]
fn forms_follow_the_limits() {
    let policy = policy(2, 4);
    let with = |pairs: &[(&str, &str)]| {
        let mut hash = Hash::default();
        for (name, value) in pairs {
            hash.set(name.as_bytes(), value.as_bytes(), FieldExpiry::Clear, NEVER, &policy);
        }
        hash
    };
    let (packed, table) = (Encoding::Listpack, Encoding::Hashtable);
    assert_eq!(with(&[("a", "1"), ("b", "2"), ("a", "3")]).encoding(), packed);
    assert_eq!(with(&[("a", "1"), ("b", "2"), ("c", "3")]).encoding(), table);
    assert_eq!(with(&[("a", "long!")]).encoding(), table);
    let mut hash = with(&[("a", "1")]);
    assert!(!hash.set_expiry(b"b", Some(UnixMs(9)), &policy) && hash.set_expiry(b"a", None, &policy));
    assert_eq!(hash.encoding(), packed);
    assert!(hash.set_expiry(b"a", Some(UnixMs(9)), &policy));
    assert_eq!(hash.encoding(), table);
    let mut hash = with(&[]);
    hash.expect(3, [&b"a"[..], b"b"].into_iter(), &policy);
    assert_eq!(hash.encoding(), table);
}

#[test]
fn foreign_listpacks_are_looked_through() {
    let policy = policy(20, 64);
    for count in [3, 40] {
        let mut pack = Pack::new();
        for n in 0..count {
            pack.push_pair(n, 7).unwrap();
        }
        let hash = Hash::from_pack(pack.clone(), &policy).unwrap();
        let form = if count > 20 { Encoding::Hashtable } else { Encoding::Listpack };
        assert_eq!((hash.len() as i64, hash.encoding()), (count, form));
        let mut odd = pack.clone();
        odd.push_back(1_000).unwrap();
        assert_eq!(Hash::from_pack(odd, &policy), Err(Duplicate));
        pack.push_pair(0, 0).unwrap();
        assert_eq!(Hash::from_pack(pack, &policy), Err(Duplicate));
    }
}

/// As in Valkey: whoever sets a field finds that there are too many by now, whoever reads or removes one does not.
#[test]
fn a_smaller_limit_holds_from_the_next_field_that_is_set() {
    let (many, few) = (policy(8, 64), policy(2, 64));
    let mut hash = Hash::default();
    for name in [b"a", b"b", b"c", b"d"] {
        hash.set(name, b"1", FieldExpiry::Clear, UnixMs(0), &many);
    }
    hash.remove(b"d", UnixMs(0));
    assert!(matches!(hash.form(), HashForm::Pack(_)));
    assert_eq!(hash.set(b"a", b"1", FieldExpiry::Keep, UnixMs(0), &few), Was::Old);
    assert!(matches!(hash.form(), HashForm::Table));
}
