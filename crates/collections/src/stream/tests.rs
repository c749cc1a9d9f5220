//! Streams against a plain model.

use super::*;
use crate::seed::Seed;
use proptest::prelude::*;

type Row = (StreamId, Vec<(Vec<u8>, Vec<u8>)>);

fn policy(bytes: usize, entries: usize) -> Policy {
    Policy { stream_bytes: bytes, stream_entries: entries, ..Policy::new(Seed::new([7, 9])) }
}

fn add(
    stream: &mut Stream,
    new: NewId,
    row: &[(Vec<u8>, Vec<u8>)],
    policy: &Policy,
) -> Result<StreamId, AddError> {
    stream.add(new, row.iter().map(|(name, value)| (&name[..], &value[..])), policy)
}

fn rows<'a>(entries: impl Iterator<Item = StreamEntry<'a>>) -> Vec<Row> {
    let text = |value: crate::Value<'_>| value.as_bytes(&mut itoa::Buffer::new()).to_vec();
    entries.map(|e| (e.id, e.fields().map(|(name, value)| (text(name), text(value))).collect())).collect()
}

#[derive(Clone, Debug)]
enum Step {
    Add(u64, u64, usize, u8),
    Delete(usize),
    Trim(bool, bool, u64, u64),
    Freeze,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3u64, 0..4u64, 1..4usize, 0..3u8).prop_map(|(ms, seq, n, kind)| Step::Add(ms, seq, n, kind)),
        2 => any::<usize>().prop_map(Step::Delete),
        1 => (any::<bool>(), any::<bool>(), 0..20u64, 0..8u64).prop_map(|(a, b, n, l)| Step::Trim(a, b, n, l)),
        1 => Just(Step::Freeze),
    ]
}

fn check(stream: &Stream, model: &[Row]) {
    assert_eq!(rows(stream.iter()), model);
    let mut back = rows(stream.iter().rev());
    back.reverse();
    assert_eq!(back, model);
    let about = stream.about();
    assert_eq!((about.len, stream.len()), (model.len() as u64, model.len()));
    assert_eq!(about.first, model.first().map_or(StreamId::MIN, |row| row.0));
    assert_eq!(stream.view().last_live(), model.last().map_or(StreamId::MIN, |row| row.0));
    assert_eq!(stream.0.packed, stream.0.nodes.iter().map(Node::allocated).sum::<usize>());
    let mut again = Stream::default();
    for (base, pack) in stream.nodes() {
        assert_eq!(again.push_foreign(base, pack.clone()), Some(()));
    }
    assert_eq!(rows(again.iter()), model);
}

proptest! {
    #[test]
    fn a_stream_is_an_ordered_list(
        steps in prop::collection::vec(step(), 0..80), bytes in prop_oneof![Just(0), Just(60), Just(4096)], most in 0..6usize,
    ) {
        let policy = policy(bytes, most);
        let (mut stream, mut model) = (Stream::default(), Vec::<Row>::new());
        let mut frozen = Vec::new();
        for step in steps {
            match step {
                Step::Add(ms, seq, fields, kind) => {
                    let last = stream.about().last;
                    let id = StreamId { ms: last.ms + ms, seq };
                    let row: Vec<_> = (0..fields)
                        .map(|n| (format!("f{n}{}", kind / 2).into_bytes(), format!("{}", ms * 100 + seq).into_bytes()))
                        .collect();
                    let added = add(&mut stream, NewId::Given(id), &row, &policy);
                    prop_assert_eq!(added, if id > last { Ok(id) } else { Err(AddError::NotBehind) });
                    if id > last {
                        model.push((id, row));
                    }
                }
                Step::Delete(at) => {
                    let Some(index) = at.checked_rem(model.len()) else { continue };
                    let id = model.remove(index).0;
                    prop_assert!(stream.view().contains(id) && stream.delete(id) && !stream.view().contains(id));
                    prop_assert!(!stream.delete(id));
                    stream.renew_first();
                }
                Step::Trim(by_len, whole_nodes, n, entries) => {
                    let entries = if whole_nodes { entries } else { 0 };
                    let least = StreamId { ms: n, seq: 1 };
                    let trim = if by_len { Trim::MaxLen(n) } else { Trim::MinId(least) };
                    let surplus = if by_len {
                        model.len().saturating_sub(n as usize)
                    } else {
                        model.iter().filter(|row| row.0 < least).count()
                    };
                    let gone = stream.trim(trim, Limits { whole_nodes, entries }) as usize;
                    prop_assert!(gone <= surplus && (whole_nodes || gone == surplus));
                    prop_assert!(entries == 0 || gone as u64 <= entries);
                    model.drain(..gone);
                }
                Step::Freeze => {
                    if frozen.len() == 2 {
                        frozen.remove(0);
                    }
                    frozen.push((stream.freeze(), model.clone()));
                }
            }
            check(&stream, &model);
            frozen.iter().for_each(|(stream, model)| check(stream, model));
        }
        for (from, to) in [(0, 3), (1, 1), (2, 9), (5, 4)] {
            let (from, to) = (StreamId { ms: from, seq: 1 }, StreamId { ms: to, seq: 2 });
            let wanted: Vec<Row> = model.iter().filter(|row| row.0 >= from && row.0 <= to).cloned().collect();
            prop_assert_eq!(rows(stream.range(from, to)), wanted.clone());
            let mut back = rows(stream.range(from, to).rev());
            back.reverse();
            prop_assert_eq!(back, wanted);
        }
    }

    #[test]
    fn foreign_nodes_are_refused_or_consistent(spoil in prop::collection::vec((0..14usize, -3..9i64), 1..3)) {
        let mut stream = Stream::default();
        let row = |name: &str| vec![(name.as_bytes().to_vec(), b"1".to_vec())];
        for (ms, name) in [(1, "a"), (2, "a"), (3, "b")] {
            add(&mut stream, NewId::NextOf(ms), &row(name), &policy(0, 0)).unwrap();
        }
        let (base, pack) = stream.nodes().next().map(|(base, pack)| (base, pack.clone())).unwrap();
        let mut pack = pack;
        for (at, n) in spoil {
            let pos = pack.seek(at as isize).unwrap();
            pack.replace(pos, n).unwrap();
        }
        let mut again = Stream::default();
        if again.push_foreign(base, pack).is_some() {
            prop_assert_eq!(again.iter().count(), again.len());
            prop_assert_eq!(again.iter().rev().count(), again.len());
        }
    }
}

#[test]
fn a_node_is_laid_out_as_redis_does() {
    let mut stream = Stream::default();
    let row =
        |names: &[&str]| names.iter().map(|n| (n.as_bytes().to_vec(), b"7".to_vec())).collect::<Vec<_>>();
    for (id, names) in [((5, 9), ["a", "b"]), ((6, 1), ["a", "b"]), ((6, 2), ["a", "c"])] {
        let id = StreamId { ms: id.0, seq: id.1 };
        add(&mut stream, NewId::Given(id), &row(&names), &policy(4096, 100)).unwrap();
    }
    stream.delete(StreamId { ms: 6, seq: 1 });
    let (base, pack) = stream.nodes().next().unwrap();
    assert_eq!(base, StreamId { ms: 5, seq: 9 });
    let texts: Vec<String> = rows_of(pack);
    let wanted = "2 1 2 a b 0 | 2 0 0 7 7 5 | 3 1 -8 7 7 5 | 0 1 -7 2 a 7 c 7 8";
    assert_eq!(texts, wanted.split_whitespace().filter(|word| *word != "|").collect::<Vec<_>>());
}

fn rows_of(pack: &Pack) -> Vec<String> {
    let text =
        |v: crate::Value<'_>| String::from_utf8_lossy(v.as_bytes(&mut itoa::Buffer::new())).into_owned();
    pack.iter().map(text).collect()
}

#[test]
fn identifiers_are_chosen_behind_the_last() {
    let mut stream = Stream::default();
    let id = |ms, seq| StreamId { ms, seq };
    assert_eq!(stream.choose(NewId::NextOf(0)), Ok(id(0, 1)));
    assert_eq!(stream.choose(NewId::Given(id(0, 0))), Err(AddError::NotBehind));
    assert_eq!(stream.choose(NewId::Now(5)), Ok(id(5, 0)));
    stream.about_mut().last = id(5, u64::MAX);
    assert_eq!(stream.choose(NewId::Now(4)), Ok(id(6, 0)));
    assert_eq!(stream.choose(NewId::NextOf(5)), Err(AddError::NotBehind));
    stream.about_mut().last = StreamId::MAX;
    assert_eq!(stream.choose(NewId::Now(4)), Err(AddError::Exhausted));
}

#[test]
fn a_consumer_takes_what_another_had() {
    let mut group = Group::new(StreamId::MIN, None);
    let id = StreamId { ms: 1, seq: 0 };
    let (one, two) = (group.add_consumer(b"one", 1), group.add_consumer(b"two", 1));
    group.deliver(id, one, 5, 1);
    group.deliver(id, two, 6, 2);
    assert!(group.at(one).pending().is_empty() && group.at(two).pending().contains(&id));
    assert_eq!(group.remove_consumer(b"two"), Some(1));
    assert_eq!((group.pending_len(), group.acknowledge(id)), (0, false));
}

#[test]
fn a_group_counts_what_it_reads_as_far_as_that_can_be_told() {
    let mut stream = Stream::default();
    let row = vec![(b"a".to_vec(), b"1".to_vec())];
    for ms in 1..=5 {
        add(&mut stream, NewId::NextOf(ms), &row, &policy(0, 0)).unwrap();
    }
    stream.groups_mut().insert((*b"g").into(), Group::new(StreamId::MIN, None));
    let id = |ms| StreamId { ms, seq: 0 };
    let told = |stream: &mut Stream, ms: Option<u64>| {
        let (view, group) = stream.view_and_group(b"g").unwrap();
        if let Some(ms) = ms {
            group.advance(view, id(ms));
        }
        (group.read, view.lag(group))
    };
    assert_eq!(told(&mut stream, None), (None, Some(5)));
    assert_eq!(told(&mut stream, Some(1)), (Some(1), Some(4)));
    assert_eq!(told(&mut stream, Some(2)), (Some(2), Some(3)));
    stream.delete(id(4));
    assert_eq!(told(&mut stream, None), (Some(2), None), "a gap is ahead");
    assert_eq!(told(&mut stream, Some(3)), (None, None));
    assert_eq!(told(&mut stream, Some(5)), (Some(5), Some(0)), "the last one is known");
}
