//! An intset from a hostile snapshot: refused, or a set in order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tanist_collections::IntSet;

fuzz_target!(|data: &[u8]| {
    let Ok(mut set) = IntSet::from_bytes(data) else { return };
    assert_eq!(set.as_bytes(), data);
    assert!(set.iter().is_sorted_by(|a, b| a < b));
    assert_eq!(set.iter().len(), set.len());
    for n in set.clone().iter() {
        assert!(set.contains(n) && !set.insert(n));
    }
    for n in [0, i64::from(i16::MAX) + 1, i64::MIN] {
        assert_ne!(set.contains(n), set.insert(n));
        assert!(IntSet::from_bytes(set.as_bytes()).as_ref() == Ok(&set));
        assert!(set.remove(n));
    }
});
