//! Collections in entries: changed where they are, kept for snapshots, freed elsewhere when large.

use tanist_keyspace::collections::{Hash, List, Pack, Set};
use tanist_keyspace::{Edit, Edited, Expiry, KeyHash, Keyspace, Missing, SnapshotPart, StrValue, ValueRef};
use tanist_types::{DbIndex, UnixMs};

const DB: DbIndex = DbIndex(0);

fn keyspace() -> (Keyspace, KeyHash) {
    let data = Keyspace::new([1, 2], 16);
    let hash = data.hash(b"k");
    (data, hash)
}

fn pack(elements: &[&str]) -> Pack {
    let mut pack = Pack::new();
    for element in elements {
        pack.push_back(element.as_bytes()).expect("room");
    }
    pack
}

fn list(data: &Keyspace, h: KeyHash) -> Vec<Vec<u8>> {
    let Some(entry) = data.db(DB).find(b"k", h) else { return Vec::new() };
    let ValueRef::List(list) = entry.value() else { panic!("a list") };
    list.iter().map(|e| e.as_bytes(&mut itoa::Buffer::new()).to_vec()).collect()
}

fn set_list(data: &mut Keyspace, h: KeyHash, missing: Missing, elements: &[&str]) -> Edit<()> {
    data.db_mut(DB).edit::<List, _>(b"k", h, missing, |_| true, |list, _| *list = pack(elements).into())
}

#[test]
fn a_collection_is_created_changed_and_removed_by_edits() {
    let (mut data, h) = keyspace();
    assert_eq!(set_list(&mut data, h, Missing::Leave, &["a"]), Edit::Missing);
    let nothing = Edit::Done(Edited { result: (), created: false, emptied: true });
    assert_eq!(set_list(&mut data, h, Missing::Create, &[]), nothing);
    assert!(data.db(DB).is_empty());
    let created = Edit::Done(Edited { result: (), created: true, emptied: false });
    assert_eq!(set_list(&mut data, h, Missing::Create, &["a", "12"]), created);
    assert_eq!(list(&data, h), [b"a".to_vec(), b"12".to_vec()]);
    data.db_mut(DB).set_expiry(b"k", h, Some(UnixMs(99)));
    assert_eq!(
        set_list(&mut data, h, Missing::Leave, &["b"; 300]),
        Edit::Done(Edited { result: (), created: false, emptied: false })
    );
    assert_eq!(data.db(DB).find(b"k", h).and_then(|e| e.expiry()), Some(UnixMs(99)));
    data.check();
    let wrong = data.db_mut(DB).edit::<Hash, _>(b"k", h, Missing::Create, |_| true, |_, _| ());
    assert_eq!(wrong, Edit::WrongType);
    let unusable = data.db_mut(DB).edit::<List, _>(b"k", h, Missing::Create, |_| false, |_, _| ());
    assert_eq!(unusable, Edit::Unusable);
    assert_eq!(set_list(&mut data, h, Missing::Create, &[]), nothing);
    assert!(data.db(DB).is_empty() && data.db(DB).expires_len() == 0);
    data.check();
}

#[test]
fn values_of_all_kinds_take_each_others_place() {
    let (mut data, h) = keyspace();
    let other = data.hash(b"other");
    for round in 0..40 {
        let expiry = if round % 3 == 0 { Expiry::At(UnixMs(round)) } else { Expiry::Clear };
        let long = vec![b'x'; (round as usize * 97) % 4000];
        match round % 4 {
            0 => data.db_mut(DB).set(b"k", h, StrValue::Int(round), expiry),
            1 => data.db_mut(DB).set_object(b"k", h, List::from(pack(&["1", "2"])), expiry),
            2 => data.db_mut(DB).set(b"k", h, StrValue::Bytes(&long), expiry),
            _ => {
                let set = Set::from_pack(pack(&["m", "1", "n"]), data.policy()).expect("different members");
                data.db_mut(DB).set_object(b"k", h, set, expiry)
            }
        };
        data.check();
        assert!(data.copy_key((DB, b"k", h), (DB, b"other", other)));
        let (one, two) = (data.db(DB).find(b"k", h), data.db(DB).find(b"other", other));
        assert_eq!(one.map(|e| e.value()), two.map(|e| e.value()));
        assert!(data.db_mut(DB).rename(b"other", other, b"k", h));
        data.check();
    }
}

#[test]
fn a_snapshot_has_the_collection_of_its_beginning() {
    let (mut data, h) = keyspace();
    let _ = set_list(&mut data, h, Missing::Create, &["old"]);
    data.snapshot_begin(1000);
    let _ = set_list(&mut data, h, Missing::Leave, &["new"]);
    let _ = set_list(&mut data, h, Missing::Leave, &[]);
    let mut seen = Vec::new();
    while let Some(progress) = data.snapshot_next(1, &mut |_, part| {
        let SnapshotPart::Entry(entry) = part else { panic!("a small one comes as a whole") };
        seen.push(format!("{:?}", entry.value()));
    }) {
        if progress.done {
            break;
        }
    }
    assert_eq!(seen.len(), 1);
    assert!(seen[0].contains("old") && !seen[0].contains("new"), "{seen:?}");
}
