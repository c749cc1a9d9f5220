//! Values as plain data, read from an entry or put together from the pieces of a snapshot.

use std::collections::{BTreeMap, BTreeSet};
use tanist_keyspace::collections::{ListNode, Stream, StreamId, Value};
use tanist_keyspace::{Outline, Piece, ValueRef};
use tanist_types::UnixMs;

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// A value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Plain {
    Str(Vec<u8>),
    List(Vec<Vec<u8>>),
    Set(BTreeSet<Vec<u8>>),
    Hash(BTreeMap<Vec<u8>, (Vec<u8>, Option<UnixMs>)>),
    SortedSet(BTreeMap<Vec<u8>, f64>),
    /// Its entries; the rest as text.
    Stream(Vec<(StreamId, Fields)>, String),
}

pub(crate) fn bytes(value: Value<'_>) -> Vec<u8> {
    value.as_bytes(&mut itoa::Buffer::new()).to_vec()
}

fn rows(stream: &Stream) -> Vec<(StreamId, Fields)> {
    let fields = |entry: tanist_keyspace::collections::StreamEntry<'_>| {
        entry.fields().map(|(field, value)| (bytes(field), bytes(value))).collect()
    };
    stream.iter().map(|entry| (entry.id, fields(entry))).collect()
}

fn rest(stream: &Stream) -> String {
    format!("{:?} {:?}", stream.about(), stream.groups())
}

pub(crate) fn plain(value: ValueRef<'_>) -> Plain {
    match value {
        ValueRef::Str(text) => Plain::Str(text.as_bytes(&mut itoa::Buffer::new()).to_vec()),
        ValueRef::List(list) => Plain::List(list.iter().map(bytes).collect()),
        ValueRef::Set(set) => Plain::Set(set.iter().map(bytes).collect()),
        ValueRef::Hash(hash) => Plain::Hash(
            hash.iter().map(|pair| (bytes(pair.field), (bytes(pair.value), pair.expiry))).collect(),
        ),
        ValueRef::SortedSet(set) => {
            let mut members = BTreeMap::new();
            set.walk(0, false, &mut |member, score| members.insert(bytes(member.value()), score).is_none());
            Plain::SortedSet(members)
        }
        ValueRef::Stream(stream) => Plain::Stream(rows(stream), rest(stream)),
    }
}

/// A collection that is being put together.
#[derive(Debug)]
pub(crate) struct Rebuilt {
    plain: Plain,
    stream: Stream,
    missing: usize,
}

impl Rebuilt {
    pub(crate) fn begin(outline: Outline<'_>) -> Rebuilt {
        let (plain, missing) = match outline {
            Outline::Set(members) => (Plain::Set(BTreeSet::new()), members),
            Outline::Hash { fields, .. } => (Plain::Hash(BTreeMap::new()), fields),
            Outline::SortedSet(members) => (Plain::SortedSet(BTreeMap::new()), members),
            Outline::List(list) => (Plain::List(Vec::new()), list.nodes().len()),
            Outline::Stream(stream) => (Plain::Stream(Vec::new(), String::new()), stream.nodes().len()),
        };
        Rebuilt { plain, stream: Stream::default(), missing }
    }

    pub(crate) fn add(&mut self, piece: Piece<'_>) {
        self.missing = self.missing.checked_sub(1).expect("as many pieces as were told");
        let new = match (&mut self.plain, piece) {
            (Plain::Set(set), Piece::Member(member)) => set.insert(member.to_vec()),
            (Plain::Hash(hash), Piece::Field(pair)) => {
                hash.insert(bytes(pair.field), (bytes(pair.value), pair.expiry)).is_none()
            }
            (Plain::SortedSet(set), Piece::Scored(member, score)) => {
                set.insert(member.to_vec(), score).is_none()
            }
            (Plain::List(list), Piece::ListNode(ListNode::Packed(pack))) => {
                list.extend(pack.iter().map(bytes));
                true
            }
            (Plain::List(list), Piece::ListNode(ListNode::Plain(element))) => {
                list.push(element.to_vec());
                true
            }
            (Plain::Stream(..), Piece::StreamNode(base, pack)) => {
                self.stream.push_foreign(base, pack.clone()).is_some()
            }
            (plain, piece) => panic!("{piece:?} is no piece of {plain:?}"),
        };
        assert!(new, "a piece comes once");
    }

    pub(crate) fn end(self, outline: Outline<'_>) -> Plain {
        assert_eq!(self.missing, 0, "as many pieces as were told");
        match outline {
            Outline::Stream(stream) => Plain::Stream(rows(&self.stream), rest(stream)),
            _ => self.plain,
        }
    }
}
