use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn set_of(integers: &[i64]) -> IntSet {
    let mut set = IntSet::new();
    for &n in integers {
        set.insert(n);
    }
    set
}

/// What `DUMP` of Valkey 9.1, Redis 8.0 and Redis 7.0 has after the same changes.
#[test]
fn bytes_are_those_of_redis_after_the_same_changes() {
    assert_eq!(set_of(&[5, -3, 100, 5]).as_bytes(), hex("0200000003000000fdff05006400"));
    assert_eq!(
        set_of(&[5, -3, 100, 70_000, -70_000]).as_bytes(),
        hex("040000000500000090eefefffdffffff050000006400000070110100")
    );
    let mut set = set_of(&[5, -3, 70_000, 5_000_000_000]);
    assert!(set.remove(5_000_000_000) && set.remove(-3) && !set.remove(-3) && !set.remove(i64::MIN));
    assert_eq!(set.as_bytes(), hex("080000000200000005000000000000007011010000000000"));
}

#[test]
fn bytes_that_are_no_intset_are_told_why() {
    let error = |text: &str| IntSet::from_bytes(&hex(text)).unwrap_err();
    assert_eq!(error("02000000000000"), IntSetError::Length(7));
    assert_eq!(error("02000000010000"), IntSetError::Length(7));
    assert_eq!(error("0200000001000000"), IntSetError::Length(8));
    assert_eq!(error("0200000000000000aa"), IntSetError::Length(9));
    assert_eq!(error("02000000ffffffff0000"), IntSetError::Length(10));
    assert_eq!(error("0300000001000000000000"), IntSetError::Width(3));
    assert_eq!(error("0000000000000000"), IntSetError::Width(0));
    assert_eq!(error("020000000200000001000100"), IntSetError::Order(1));
    assert_eq!(error("0200000002000000fffffeff"), IntSetError::Order(1));
}

fn integer() -> impl Strategy<Value = i64> {
    let limits = [i16::MIN as i64, i16::MAX as i64, i32::MIN as i64, i32::MAX as i64, i64::MIN, i64::MAX];
    let near = (prop::sample::select(limits.to_vec()), -2..=2i64).prop_map(|(n, off)| n.wrapping_add(off));
    prop_oneof![4 => -20..20i64, 1 => near, 1 => any::<i64>()]
}

proptest! {
    #[test]
    fn changes_do_what_they_do_to_a_set(changes in prop::collection::vec((any::<bool>(), integer()), 0..60)) {
        let (mut set, mut model, mut widest) = (IntSet::new(), BTreeSet::new(), 2);
        for (add, n) in changes {
            if add {
                widest = widest.max(width_of(n));
                prop_assert_eq!(set.insert(n), model.insert(n));
            } else {
                prop_assert_eq!(set.remove(n), model.remove(&n));
            }
            prop_assert!(set.iter().eq(model.iter().copied()));
            prop_assert!(set.iter().rev().eq(model.iter().rev().copied()));
            prop_assert_eq!((set.len(), set.is_empty(), set.width()), (model.len(), model.is_empty(), widest));
            prop_assert_eq!((set.min(), set.max()), (model.first().copied(), model.last().copied()));
            prop_assert_eq!(set.contains(n), model.contains(&n));
            for (index, n) in model.iter().enumerate() {
                prop_assert_eq!((set.get(index), set.position(*n)), (Some(*n), Some(index)));
            }
            prop_assert_eq!(set.get(model.len()), None);
            prop_assert_eq!(set.allocated(), crate::class::class(set.as_bytes().len()));
            prop_assert_eq!(IntSet::from_bytes(set.as_bytes()), Ok(set.clone()));
        }
    }

    #[test]
    fn spoilt_bytes_are_refused_or_consistent(
        integers in prop::collection::vec(integer(), 0..12),
        spoil in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = set_of(&integers).as_bytes().to_vec();
        for (at, byte) in spoil {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(set) = IntSet::from_bytes(&bytes) {
            prop_assert_eq!(set.as_bytes(), &bytes[..]);
            let found: BTreeSet<i64> = set.iter().collect();
            prop_assert!(set.iter().eq(found.iter().copied()));
            prop_assert!(found.iter().all(|&n| set.contains(n)));
        }
    }
}
