use super::*;
use crate::policy::Limit;
use crate::seed::Seed;
use std::collections::BTreeSet;

fn policy(ints: usize, entries: usize, value: usize) -> Policy {
    Policy { intset_entries: ints, set: Limit { entries, value }, ..Policy::new(Seed::new([1, 2])) }
}

fn texts(set: &Set) -> BTreeSet<Vec<u8>> {
    set.iter().map(|member| member.as_bytes(&mut itoa::Buffer::new()).to_vec()).collect()
}

fn name(rng: &mut Rng) -> Vec<u8> {
    match rng.below(4) {
        0 => (rng.next_u64() as i64 >> rng.below(64)).to_string().into_bytes(),
        1 => rng.below(40).to_string().into_bytes(),
        2 => format!("member:{}", rng.below(60)).into_bytes(),
        _ => vec![b'x'; rng.below(100) as usize],
    }
}

#[test]
fn sets_of_all_forms_agree_with_a_model() {
    let limits = [(512, 128, 64), (4, 128, 64), (0, 8, 64), (16, 0, 64), (8, 16, 3)];
    for seed in 0..if cfg!(miri) { 2 } else { 60 } {
        let mut rng = Rng::from_seed(seed);
        let (ints, entries, value) = limits[rng.below(limits.len() as u64) as usize];
        let policy = policy(ints, entries, value);
        let (mut set, mut model) = (Set::default(), BTreeSet::new());
        let mut forms = Vec::new();
        for _ in 0..if cfg!(miri) { 80 } else { 1_000 } {
            let member = name(&mut rng);
            if rng.chance(1, 3) {
                assert_eq!(set.remove(&member), model.remove(&member));
            } else {
                set.expect(&member, 1, &policy);
                assert_eq!(set.insert(&member, &policy), model.insert(member.clone()));
            }
            assert_eq!(set.contains(&member), model.contains(&member));
            assert_eq!(set.len(), model.len());
            let allowed = match set.encoding() {
                Encoding::Intset => set.len() <= ints.max(1),
                Encoding::Listpack => set.len() <= entries.max(1),
                _ => true,
            };
            assert!(allowed, "{} {:?}", set.len(), set.encoding());
            if forms.last() != Some(&set.encoding()) && set.len() > 1 {
                forms.push(set.encoding());
            }
            if rng.chance(1, 50) {
                assert_eq!(texts(&set), model);
                assert_eq!(set.clone(), set);
            }
        }
        assert!(set.random(&mut rng).is_some_and(|member| set.contains_value(member)));
        set.shrink_to_ints(&policy);
        assert_eq!(texts(&set), model);
    }
}

fn with(members: &[&str], policy: &Policy) -> Set {
    let mut set = Set::default();
    for member in members {
        set.expect(member.as_bytes(), 1, policy);
        set.insert(member.as_bytes(), policy);
    }
    set
}

#[test]
fn forms_follow_the_limits() {
    let policy = policy(2, 3, 4);
    assert_eq!(with(&["1", "2"], &policy).encoding(), Encoding::Intset);
    assert_eq!(with(&["1", "2", "3"], &policy).encoding(), Encoding::Hashtable);
    assert_eq!(with(&["1", "2", "a"], &policy).encoding(), Encoding::Listpack);
    assert_eq!(with(&["1", "2", "long!"], &policy).encoding(), Encoding::Hashtable);
    assert_eq!(with(&["12345", "a"], &policy).encoding(), Encoding::Hashtable);
    assert_eq!(with(&["a", "b", "c", "d"], &policy).encoding(), Encoding::Hashtable);
    // Repeated members count where many are announced.
    let mut set = with(&["a"], &policy);
    set.expect(b"a", 4, &policy);
    assert_eq!(set.encoding(), Encoding::Hashtable);
    let kept: [&[u8]; 1] = [b"a"];
    set.keep(kept.into_iter(), &policy);
    assert_eq!((set.encoding(), set.len()), (Encoding::Listpack, 1));
}

#[test]
fn foreign_listpacks_are_looked_through() {
    let policy = policy(512, 128, 64);
    for count in [3, 40, 200] {
        let mut pack = Pack::new();
        for n in 0..count {
            pack.push_back(n * 3).unwrap();
        }
        let set = Set::from_pack(pack.clone(), &policy).unwrap();
        let form = if count > 128 { Encoding::Hashtable } else { Encoding::Listpack };
        assert_eq!((set.len() as i64, set.encoding()), (count, form));
        pack.push_back(3).unwrap();
        assert_eq!(Set::from_pack(pack, &policy), Err(Duplicate));
    }
}

#[test]
fn samples_are_different_members() {
    let policy = policy(512, 128, 64);
    let mut rng = Rng::from_seed(3);
    for len in [5, 100, 1_000] {
        for kind in ["", "m"] {
            let mut set = Set::default();
            for n in 0..len {
                let member = format!("{kind}{n}");
                set.expect(member.as_bytes(), 1, &policy);
                set.insert(member.as_bytes(), &policy);
            }
            for count in [0, 1, 3, len / 2, len, len + 1] {
                let (mut sample, mut seen) = (BTreeSet::new(), 0);
                set.sample(count, &mut rng, &mut |member| {
                    assert!(set.contains_value(member));
                    sample.insert(member.as_bytes(&mut itoa::Buffer::new()).to_vec());
                    seen += 1;
                });
                assert_eq!((sample.len(), seen), (count.min(len), count.min(len)));
            }
        }
    }
}
