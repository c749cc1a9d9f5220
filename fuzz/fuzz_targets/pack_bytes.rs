//! A listpack from a hostile snapshot: refused, or the same from both ends and through edits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tanist_collections::Pack;

fuzz_target!(|data: &[u8]| {
    // As it is, and with the header and the end made right, or the fuzzer would seldom get past them.
    walk(data);
    let mut whole = ((data.len() + 7) as u32).to_le_bytes().to_vec();
    whole.extend_from_slice(&[0xff, 0xff]);
    whole.extend_from_slice(data);
    whole.push(0xff);
    walk(&whole);
});

fn walk(bytes: &[u8]) {
    let Ok(mut pack) = Pack::from_bytes(bytes) else { return };
    let values: Vec<_> = pack.iter().collect();
    assert_eq!(values.len(), pack.len());
    assert!(pack.iter().rev().eq(values.iter().rev().copied()));
    let mut pos = pack.first();
    while let Some(at) = pos {
        let found = pack.find(pack.get(at).as_bytes(&mut itoa::Buffer::new()), 0);
        assert!(found.is_some_and(|found| found <= at));
        pos = pack.next(at);
    }
    let Some(middle) = pack.seek((pack.len() / 2) as isize) else { return };
    let before = pack.clone();
    pack.replace(middle, b"another").expect("short");
    let tail = pack.split_at(middle);
    assert_eq!(pack.len() + tail.len(), before.len());
    pack.append(&tail).expect("short");
    assert_eq!(Pack::from_bytes(pack.as_bytes()).as_ref(), Ok(&pack));
    assert_eq!(pack.remove_range(pack.first().expect("not empty"), usize::MAX), before.len());
    assert!(pack.is_empty());
}
