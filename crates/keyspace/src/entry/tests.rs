use super::*;
use crate::value::StrValue;
use tanist_types::Rng;

fn text(entry: Entry<'_>) -> Vec<u8> {
    let ValueRef::Str(value) = entry.value() else { panic!("a string") };
    value.as_bytes(&mut itoa::Buffer::new()).to_vec()
}

fn form(text: &[u8], modified: bool) -> Form<'_> {
    if modified { Form::Modified(text) } else { Form::of(StrValue::Bytes(text)) }
}

/// Keys and values around every limit of the layout, with and without expiry: written, read, and overwritten by each
/// other.
#[test]
fn every_layout_reads_back_and_changes_into_every_other() {
    let keys = if cfg!(miri) { &[1, 255, 300][..] } else { &[0, 1, 16, 255, 256, 3_000] };
    let keys: Vec<Vec<u8>> = keys.iter().map(|&len| vec![b'k'; len]).collect();
    let values = [0, 1, 8, 44, 45, LONGEST_SHORT, LONGEST_SHORT + 1, 10_000].map(|len| vec![b'v'; len]);
    let mut values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
    values.extend([&b"0"[..], b"-1", b"9223372036854775807"]);
    let access = Access::from_bits(0x12_3456);
    for key in &keys {
        for (from, to) in values.iter().flat_map(|from| values.iter().map(move |to| (from, to))) {
            // Under Miri, which is slow, a part of the combinations.
            for flags in (0..16i64).step_by(if cfg!(miri) { 5 } else { 1 }) {
                let expiry = |bit| (flags & bit != 0).then_some(UnixMs(1_700_000_000_123 + bit));
                let mut entry = OwnedEntry::new(key, form(from, flags & 4 != 0), expiry(1), access);
                let view = entry.entry();
                assert_eq!((view.key(), text(view).as_slice()), (key.as_slice(), *from));
                assert_eq!((view.expiry(), view.access()), (expiry(1), access));
                let before = view.allocated();
                if entry.overwrite(form(to, flags & 8 != 0), expiry(2), Access::from_bits(7)).is_ok() {
                    let view = entry.entry();
                    assert_eq!((view.key(), text(view).as_slice()), (key.as_slice(), *to));
                    assert_eq!((view.expiry(), view.access().bits()), (expiry(2), 7));
                } else {
                    assert_ne!(
                        before,
                        OwnedEntry::new(key, form(to, flags & 8 != 0), expiry(2), access).entry().allocated()
                    );
                }
            }
        }
    }
}

#[test]
fn an_expiry_comes_and_goes_in_place_or_by_a_successor() {
    for (key_len, value_len) in
        (0..40).flat_map(|k| (0..40).map(move |v| (k, v))).chain([(300, 5), (3, 5_000)])
    {
        let (key, value) = (vec![b'k'; key_len], vec![b'v'; value_len]);
        let mut entry = OwnedEntry::new(&key, form(&value, true), None, Access::default());
        for expiry in [Some(UnixMs(5)), Some(UnixMs(-6)), None, Some(UnixMs(7)), None] {
            if !entry.overwrite_expiry(expiry) {
                entry = entry.succeed(expiry);
            }
            let view = entry.entry();
            assert_eq!((view.key(), text(view), view.expiry()), (key.as_slice(), value.clone(), expiry));
            assert_eq!(view.encoding(), Encoding::Raw);
        }
    }
}

#[test]
fn encodings_are_those_of_redis() {
    let encoding = |value: &[u8]| {
        OwnedEntry::new(b"k", Form::of(StrValue::Bytes(value)), None, Access::default())
            .entry()
            .encoding()
            .name()
    };
    assert_eq!(encoding(b"12"), "int");
    assert_eq!(encoding(b"012"), "embstr");
    assert_eq!(encoding(b"12345678901234567890"), "embstr");
    assert_eq!(encoding(b""), "embstr");
    assert_eq!(encoding(&[b'x'; 44]), "embstr");
    assert_eq!(encoding(&[b'x'; 45]), "raw");
    assert_eq!(encoding(&[b'x'; 5_000]), "raw");
}

#[test]
fn small_entries_are_small() {
    let taken = |value: &[u8]| {
        OwnedEntry::new(&[b'k'; 16], Form::of(StrValue::Bytes(value)), None, Access::default())
            .entry()
            .allocated()
    };
    assert_eq!(taken(&[b'x'; 8]), 32);
    assert_eq!(taken(&[b'x'; 64]), 96);
    assert_eq!(taken(&[b'x'; 512]), 640);
    assert_eq!(taken(b"1234567890123456789"), 32);
}

#[test]
fn random_bytes_survive_random_changes() {
    let mut rng = Rng::from_seed(3);
    let mut bytes = |most: u64| {
        let mut bytes = vec![0; rng.below(most) as usize];
        rng.fill(&mut bytes);
        bytes
    };
    for _ in 0..if cfg!(miri) { 20 } else { 2_000 } {
        let (key, first, second) = (bytes(300), bytes(3_000), bytes(3_000));
        let mut entry = OwnedEntry::new(&key, form(&first, false), None, Access::default());
        if let Err(form) = entry.overwrite(form(&second, false), None, Access::default()) {
            entry = OwnedEntry::new(&key, form, None, Access::default());
        }
        let moved = entry.with_key(&first);
        assert_eq!((moved.entry().key(), text(moved.entry())), (first.as_slice(), second));
    }
}
