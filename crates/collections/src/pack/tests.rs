use super::*;
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn texts(pack: &Pack) -> Vec<Vec<u8>> {
    pack.iter().map(|value| value.as_bytes(&mut itoa::Buffer::new()).to_vec()).collect()
}

fn pack_of(texts: &[Vec<u8>]) -> Pack {
    let mut pack = Pack::new();
    for text in texts {
        pack.push_back(text).unwrap();
    }
    pack
}

/// What `DUMP` of Valkey 9.1, Redis 8.0 and Redis 7.0 has after the same changes.
#[test]
fn bytes_are_those_of_redis_after_the_same_changes() {
    let mut hash = Pack::new();
    for (field, value) in [
        ("field", "value"),
        ("n", "127"),
        ("m", "128"),
        ("neg", "-1"),
        ("a", "-4096"),
        ("b", "4095"),
        ("c", "-4097"),
        ("d", "32767"),
        ("e", "-32769"),
        ("f", "8388607"),
        ("g", "-8388609"),
        ("h", "2147483647"),
        ("i", "2147483648"),
        ("j", "-9223372036854775808"),
        ("k", "9223372036854775807"),
        ("l", "9223372036854775808"),
        ("z", "007"),
        ("y", ""),
        ("x", "-0"),
    ] {
        hash.push_pair(field.as_bytes(), value.as_bytes()).unwrap();
    }
    let n = hash.find(b"n", 1).unwrap();
    hash.replace(hash.next(n).unwrap(), b"a longer string").unwrap();
    assert_eq!(hash.remove_range(hash.find(b"m", 1).unwrap(), 2), 2);
    let dumped = "c00000002400856669656c64068576616c756506816e028f61206c6f6e67657220737472696e6710836e656704dfff02816102\
                  d00002816202cfff02816302f1ffef03816402f1ff7f03816502f2ff7fff04816602f2ffff7f04816702f3ffff7fff05816802\
                  f3ffffff7f05816902f4000000800000000009816a02f4000000000000008009816b02f4ffffffffffffff7f09816c02933932\
                  32333337323033363835343737353830381481\
                  7a0283303037048179028001817802822d3003ff";
    assert_eq!(hash.as_bytes(), hex(dumped));

    let mut list = pack_of(&[b"a".to_vec(), b"1".to_vec(), b"4096".to_vec(), vec![b'x'; 63], vec![b'y'; 64]]);
    list.push_front(b"front").unwrap();
    list.push_front(b"0").unwrap();
    list.insert(list.find(b"a", 0).unwrap(), Side::Before, b"-5").unwrap();
    list.replace(list.first().unwrap(), b"changed").unwrap();
    list.remove(list.find(b"4096", 0).unwrap());
    let dumped = "a30000000700876368616e676564088566726f6e7406dffb028161020101bf".to_owned()
        + &"78".repeat(63)
        + "40e040"
        + &"79".repeat(64)
        + "42ff";
    assert_eq!(list.as_bytes(), hex(&dumped));

    let mut sorted = pack_of(&[b"c".to_vec(), b"3".to_vec()]);
    sorted.insert_pair(sorted.first().unwrap(), Side::Before, b"a", b"1.5").unwrap();
    sorted.insert_pair(sorted.first().unwrap(), Side::Before, b"b", -2).unwrap();
    sorted.push_pair(b"big", b"1e+20").unwrap();
    assert_eq!(
        sorted.as_bytes(),
        hex("260000000800816202dffe0281610283312e3504816302030183626967048531652b323006ff")
    );
    assert_eq!(Pack::from_bytes(&hex(&dumped)), Ok(list));
    assert_eq!(Pack::new().as_bytes(), hex("070000000000ff"));
}

#[test]
fn lengths_at_the_end_are_read_backwards() {
    let limits = [0x7f, 0x3fff, 0x1f_ffff, 0xfff_ffff].into_iter().flat_map(|n: usize| n - 1..=n + 1);
    for len in limits.chain([0, 1, 5_000_000, LONGEST]) {
        let taken = code::back_len(len);
        assert_eq!(taken, [0x80, 0x3fff, 0x1f_ffff, 0xfff_ffff].iter().filter(|&&n| n <= len).count() + 1);
        let back = code::back(len, taken);
        let read = code::read_back(&back, taken);
        assert_eq!(read, (0, len), "{back:x?}");
    }
}

/// An element of 16383 bytes as Valkey 9.1 has it, and as all others have it.
#[test]
fn lengths_of_two_forms_are_read_in_both() {
    let element = || [&[0xf0, 0xfa, 0x3f, 0, 0][..], &[b'x'; 16378]].concat();
    let pack = |back: &[u8]| {
        let total = (6 + 16383 + back.len() + 2 + 1) as u32;
        [&total.to_le_bytes()[..], &[2, 0], &element(), back, &[7, 1, 0xff]].concat()
    };
    for back in [&[0, 0xff, 0xff][..], &[0x7f, 0xff]] {
        let mut found = Pack::from_bytes(&pack(back)).unwrap();
        assert_eq!(texts(&found), [vec![b'x'; 16378], b"7".to_vec()]);
        assert_eq!(found.iter().rev().count(), 2);
        assert_eq!(found.seek(-2), found.first());
        found.push_back(b"8").unwrap();
        assert_eq!(found.find(b"8", 0), found.seek(2));
        assert_eq!(Pack::from_bytes(found.as_bytes()), Ok(found.clone()));
        found.remove(found.first().unwrap());
        assert_eq!(texts(&found), [b"7", b"8"]);
    }
    for back in [&[0, 0x7f, 0xff][..], &[0x7f, 0x7f], &[0, 0xff, 0xfe], &[0x7e, 0xff], &[0xff, 0xff], &[]] {
        assert!(Pack::from_bytes(&pack(back)).is_err(), "{back:x?}");
    }
    let ours = pack_of(&[vec![b'x'; 16378], b"7".to_vec()]);
    assert_eq!(ours.as_bytes(), pack(&[0, 0xff, 0xff]));
}

#[test]
fn bytes_that_are_no_pack_are_told_why() {
    let error = |text: &str| Pack::from_bytes(&hex(text)).unwrap_err();
    assert_eq!(error(""), PackError::Size(0));
    assert_eq!(error("060000000000"), PackError::Size(6));
    assert_eq!(error("080000000000ff"), PackError::Length { told: 8, found: 7 });
    assert_eq!(error("07000000000000"), PackError::End);
    assert_eq!(error("070000000100ff"), PackError::Count { told: 1, found: 0 });
    assert_eq!(error("0900000002000101ff"), PackError::Count { told: 2, found: 1 });
    assert_eq!(error("0900000001000102ff"), PackError::Back { at: 6 });
    assert_eq!(error("08000000010001ff"), PackError::Element { at: 6 });
    assert_eq!(error("090000000100f501ff"), PackError::Element { at: 6 });
    assert_eq!(error("090000000100ff01ff"), PackError::Element { at: 6 });
    assert_eq!(error("0c0000000100f0ffffffffff").to_string(), "no whole element at byte 6 of a listpack");
}

#[test]
fn integers_are_found_however_they_are_written() {
    // 5 in 64 bits, and the text "5".
    let mut pack = Pack::from_bytes(&hex("140000000200f4050000000000000009813502ff")).unwrap();
    assert_eq!(pack.iter().collect::<Vec<_>>(), [Value::Int(5), Value::Str(b"5")]);
    assert_eq!(pack.find(b"5", 0), pack.first());
    pack.remove(pack.first().unwrap());
    assert_eq!(pack.find(b"5", 0), pack.first());
    assert_eq!(pack.find(b"05", 0), None);
}

#[test]
fn a_count_that_does_not_fit_is_counted() {
    let mut pack = Pack::new();
    for n in 0..65_534 {
        pack.push_back_int(n & 63).unwrap();
    }
    assert_eq!((pack.known_count(), pack.len()), (Some(65_534), 65_534));
    pack.push_pair(b"x", b"y").unwrap();
    assert_eq!((pack.known_count(), pack.len()), (None, 65_536));
    assert_eq!((pack.seek(-1), pack.seek(65_535)), (pack.last(), pack.last()));
    assert_eq!((pack.seek(65_536), pack.seek(-65_537)), (None, None));
    pack.remove_range(Pos(HEADER), 65_000);
    assert_eq!((pack.known_count(), pack.len()), (None, 536));
    let again = Pack::from_bytes(pack.as_bytes()).unwrap();
    assert_eq!((again.known_count(), texts(&again)), (Some(536), texts(&pack)));
}

#[test]
fn nothing_grows_beyond_the_limit() {
    let big = vec![b'x'; LONGEST / 2];
    let mut pack = pack_of(std::slice::from_ref(&big));
    assert!(pack.would_fit(LONGEST / 2 - 15) && !pack.would_fit(LONGEST / 2 - 14));
    let before = (pack.bytes(), pack.allocated());
    assert_eq!(pack.push_back(&big), Err(TooLarge));
    assert_eq!(pack.push_pair(b"a", &big), Err(TooLarge));
    assert_eq!(pack.append(&pack.clone()), Err(TooLarge));
    assert_eq!((pack.bytes(), pack.allocated(), pack.len()), (before.0, before.1, 1));
    pack.push_back(&big[..LONGEST / 2 - 23]).unwrap();
    assert_eq!((pack.bytes(), pack.len()), (LONGEST, 2));
    assert_eq!(pack.push_back_int(1), Err(TooLarge));
    pack.replace(pack.first().unwrap(), b"").unwrap();
    assert_eq!(pack.get(pack.first().unwrap()), Value::Str(b""));
}

#[derive(Clone, Debug)]
enum Edit {
    PushBack(Vec<u8>),
    PushFront(Vec<u8>),
    PushPair(Vec<u8>, Vec<u8>),
    Insert(usize, bool, Vec<u8>),
    InsertPair(usize, bool, Vec<u8>, Vec<u8>),
    Replace(usize, Vec<u8>),
    Remove(usize),
    RemoveRange(usize, usize),
    Split(usize, bool),
    Double,
}

/// Integers of every width, and strings around every limit of their encodings.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let number = (any::<i64>(), 0..64u32).prop_map(|(n, shift)| (n >> shift).to_string().into_bytes());
    let len = prop_oneof![8 => 0..70usize, 2 => 110..140usize, 1 => 4090..4100usize, 1 => 16370..16390usize];
    let string = (len, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]);
    prop_oneof![1 => number, 1 => string, 1 => "-?0?[0-9]{0,20}".prop_map(String::into_bytes)]
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<usize>;
    prop_oneof![
        3 => text().prop_map(Edit::PushBack),
        2 => text().prop_map(Edit::PushFront),
        2 => (text(), text()).prop_map(|(a, b)| Edit::PushPair(a, b)),
        3 => (at(), any::<bool>(), text()).prop_map(|(at, after, a)| Edit::Insert(at, after, a)),
        1 => (at(), any::<bool>(), text(), text()).prop_map(|(at, after, a, b)| Edit::InsertPair(at, after, a, b)),
        3 => (at(), text()).prop_map(|(at, a)| Edit::Replace(at, a)),
        3 => at().prop_map(Edit::Remove),
        1 => (at(), 0..5usize).prop_map(|(at, count)| Edit::RemoveRange(at, count)),
        1 => (at(), any::<bool>()).prop_map(|(at, turn)| Edit::Split(at, turn)),
        1 => Just(Edit::Double),
    ]
}

fn side(after: bool) -> Side {
    if after { Side::After } else { Side::Before }
}

/// Makes the edit in the pack and in the model, as far as there is an element to edit at.
fn apply(pack: &mut Pack, model: &mut Vec<Vec<u8>>, edit: Edit) {
    let spot = |at: usize, pack: &Pack| {
        let index = at.checked_rem(pack.len())?;
        Some((index, pack.seek(index as isize).unwrap()))
    };
    match edit {
        Edit::PushBack(a) => {
            pack.push_back(&a).unwrap();
            model.push(a);
        }
        Edit::PushFront(a) => {
            pack.push_front(&a).unwrap();
            model.insert(0, a);
        }
        Edit::PushPair(a, b) => {
            pack.push_pair(&a, &b).unwrap();
            model.extend([a, b]);
        }
        Edit::Insert(at, after, a) => {
            let Some((index, pos)) = spot(at, pack) else { return };
            let new = pack.insert(pos, side(after), &a).unwrap();
            assert!(pack.get(new).eq_bytes(&a));
            model.insert(index + usize::from(after), a);
        }
        Edit::InsertPair(at, after, a, b) => {
            let Some((index, pos)) = spot(at, pack) else { return };
            pack.insert_pair(pos, side(after), &a, &b).unwrap();
            let index = index + usize::from(after);
            model.splice(index..index, [a, b]);
        }
        Edit::Replace(at, a) => {
            let Some((index, pos)) = spot(at, pack) else { return };
            pack.replace(pos, &a).unwrap();
            model[index] = a;
        }
        Edit::Remove(at) => {
            let Some((index, pos)) = spot(at, pack) else { return };
            model.remove(index);
            let next = pack.remove(pos);
            assert_eq!(next.is_some(), index < model.len());
            assert!(next.is_none_or(|next| pack.get(next).eq_bytes(&model[index])));
        }
        Edit::RemoveRange(at, count) => {
            let Some((index, pos)) = spot(at, pack) else { return };
            let removed = model.drain(index..(index + count).min(model.len())).count();
            assert_eq!(pack.remove_range(pos, count), removed);
        }
        Edit::Split(at, turn) => {
            let Some((index, pos)) = spot(at, pack) else { return };
            let tail = pack.split_at(pos);
            assert_eq!((texts(pack), texts(&tail)), (model[..index].to_vec(), model[index..].to_vec()));
            let head = std::mem::take(pack);
            *pack = if turn { Pack::merge(tail, head) } else { Pack::merge(head, tail) }.unwrap();
            model.rotate_left(if turn { index } else { 0 });
        }
        Edit::Double => {
            let copy = pack.clone();
            if pack.bytes() < 5_000 {
                pack.append(&copy).unwrap();
                model.extend_from_within(..);
            }
        }
    }
}

fn check(pack: &Pack, model: &[Vec<u8>]) {
    assert_eq!(texts(pack), model);
    assert_eq!(*pack, pack_of(model), "as if built at once");
    assert_eq!(Pack::from_bytes(pack.as_bytes()).as_ref(), Ok(pack));
    assert_eq!((pack.len(), pack.is_empty()), (model.len(), model.is_empty()));
    assert_eq!(pack.allocated(), crate::class::class(pack.as_bytes().len()));
    let mut backwards: Vec<_> = pack.iter().rev().collect();
    backwards.reverse();
    assert_eq!(backwards, pack.iter().collect::<Vec<_>>());
    assert_eq!(pack.pairs().count(), model.len() / 2);

    let mut pos = pack.first();
    let mut before = None;
    for (index, text) in model.iter().enumerate() {
        let at = pos.unwrap();
        assert!(pack.get(at).eq_bytes(text));
        assert_eq!(pack.get(at), Value::from(text));
        assert_eq!((pack.seek(index as isize), pack.prev(at)), (Some(at), before));
        assert_eq!(pack.seek(index as isize - model.len() as isize), Some(at));
        let same = model.iter().position(|other| other == text).unwrap();
        assert_eq!(pack.find(text, 0), pack.seek(same as isize));
        let same = model.iter().step_by(2).position(|other| other == text);
        assert_eq!(pack.find(text, 1), same.and_then(|n| pack.seek(2 * n as isize)));
        (before, pos) = (pos, pack.next(at));
    }
    assert_eq!((pos, pack.last()), (None, before));
    assert_eq!(pack.seek(model.len() as isize), None);
    assert_eq!(pack.seek(-1 - model.len() as isize), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 5 } else { 256 }, ..ProptestConfig::default() })]

    #[test]
    fn edits_do_what_they_do_to_a_vector(edits in prop::collection::vec(edit(), 0..40)) {
        let (mut pack, mut model) = (Pack::new(), Vec::new());
        for edit in edits {
            apply(&mut pack, &mut model, edit);
            check(&pack, &model);
        }
    }

    #[test]
    fn spoilt_bytes_are_refused_or_consistent(
        texts in prop::collection::vec(text(), 0..12),
        spoil in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = pack_of(&texts).as_bytes().to_vec();
        for (at, byte) in spoil {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len() + 1));
            // So that not every one fails at the length.
            if bytes.len() >= 7 {
                let total = bytes.len() as u32;
                bytes[..4].copy_from_slice(&total.to_le_bytes());
                bytes[4..6].copy_from_slice(&[0xff, 0xff]);
                *bytes.last_mut().unwrap() = END;
            }
        }
        if let Ok(pack) = Pack::from_bytes(&bytes) {
            prop_assert_eq!(pack.iter().count(), pack.len());
            prop_assert_eq!(pack.iter().rev().count(), pack.len());
            for (index, value) in pack.iter().enumerate() {
                let pos = pack.seek(index as isize).unwrap();
                prop_assert_eq!(pack.get(pos), value);
                prop_assert_eq!(pack.seek(index as isize - pack.len() as isize), Some(pos));
            }
        }
    }
}
