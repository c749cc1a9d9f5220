//! What a snapshot emits: entries, and large collections in pieces.

use crate::entry::{Entry, Form, OwnedEntry};
use crate::value::ValueRef;
use tanist_collections::{
    Collection, Encoding, Hash, List, ListNode, Pack, Pair, Set, Shown, SortedSet, Stream, StreamId,
    TableElement, Tracked, Value,
};
use tanist_types::UnixMs;

/// An entry, or a part of one.
#[derive(Debug)]
pub enum SnapshotPart<'a> {
    /// A whole entry.
    Entry(Entry<'a>),
    /// A large collection begins: pieces follow and an end, and nothing else in between.
    Begin(Head<'a>),
    /// Some of its content.
    Piece(Piece<'a>),
    /// That was all of it.
    End(Outline<'a>),
}

/// What is told of a large collection in front of its pieces.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Head<'a> {
    /// The key.
    pub key: &'a [u8],
    /// When the key expires.
    pub expiry: Option<UnixMs>,
    /// What pieces there will be.
    pub outline: Outline<'a>,
}

/// The type of a large collection, and how many pieces it has.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Outline<'a> {
    /// A set of so many [`Piece::Member`]s.
    Set(usize),
    /// A hash of so many [`Piece::Field`]s.
    Hash {
        /// How many.
        fields: usize,
        /// Whether some of them expire.
        expiring: bool,
    },
    /// A sorted set of so many [`Piece::Scored`]s.
    SortedSet(usize),
    /// A list, whose nodes come in their order, each as a [`Piece::ListNode`].
    List(&'a List),
    /// A stream, whose nodes come in their order, each as a [`Piece::StreamNode`]. All else is to be read from it.
    Stream(&'a Stream),
}

/// A piece of a large collection. Those of tables come in no order.
#[derive(Clone, PartialEq, Debug)]
pub enum Piece<'a> {
    /// A member of a set.
    Member(&'a [u8]),
    /// A field of a hash.
    Field(Pair<'a>),
    /// A member of a sorted set.
    Scored(&'a [u8], f64),
    /// A node of a list.
    ListNode(ListNode<'a>),
    /// A node of a stream.
    StreamNode(StreamId, &'a Pack),
}

/// Whether an entry is a collection of more than `whole` bytes that comes in pieces.
#[inline]
pub(super) fn is_large(entry: Entry<'_>, whole: usize) -> bool {
    let divisible = match entry.value() {
        ValueRef::Str(_) => false,
        ValueRef::List(list) => list.encoding() == Encoding::Quicklist,
        ValueRef::Stream(_) => true,
        _ => tracked(entry).is_some(),
    };
    divisible && entry.outside() > whole
}

/// The table of a collection that has one.
fn tracked<'a>(entry: Entry<'a>) -> Option<&'a dyn Tracked> {
    match entry.value() {
        ValueRef::Set(set) => set.tracked(),
        ValueRef::Hash(hash) => hash.tracked(),
        ValueRef::SortedSet(set) => set.tracked(),
        ValueRef::Str(_) | ValueRef::List(_) | ValueRef::Stream(_) => None,
    }
}

/// [`tracked`], to change what is remembered.
pub(super) fn tracked_mut(entry: &mut OwnedEntry) -> Option<&mut dyn Tracked> {
    match entry.entry().value() {
        ValueRef::Set(_) => entry.collection_mut::<Set>()?.tracked_mut(),
        ValueRef::Hash(_) => entry.collection_mut::<Hash>()?.tracked_mut(),
        ValueRef::SortedSet(_) => entry.collection_mut::<SortedSet>()?.tracked_mut(),
        ValueRef::Str(_) | ValueRef::List(_) | ValueRef::Stream(_) => None,
    }
}

/// The number under which the snapshot tracks an entry's collection, if it does.
#[inline]
pub(crate) fn tracker(entry: Entry<'_>) -> Option<u64> {
    tracked(entry)?.tracker()
}

/// Bytes that the collection of an entry takes for the snapshot alone.
pub(crate) fn tracker_bytes(entry: Entry<'_>) -> usize {
    tracked(entry).map_or(0, Tracked::tracker_bytes)
}

/// The outline of a collection that has a table.
pub(super) fn table_outline(entry: Entry<'_>) -> Option<Outline<'static>> {
    match entry.value() {
        ValueRef::Set(set) => Some(Outline::Set(set.len())),
        ValueRef::Hash(hash) => Some(Outline::Hash { fields: hash.len(), expiring: hash.expiring() > 0 }),
        ValueRef::SortedSet(set) => Some(Outline::SortedSet(set.len())),
        ValueRef::Str(_) | ValueRef::List(_) | ValueRef::Stream(_) => None,
    }
}

/// The outline of a collection that has nodes.
pub(super) fn node_outline(entry: Entry<'_>) -> Option<Outline<'_>> {
    match entry.value() {
        ValueRef::List(list) => Some(Outline::List(list)),
        ValueRef::Stream(stream) => Some(Outline::Stream(stream)),
        _ => None,
    }
}

/// An entry of a collection that has nodes, as it is now, and the bytes that it takes besides those nodes.
pub(super) fn freeze(entry: &mut OwnedEntry) -> Option<(OwnedEntry, usize)> {
    let (object, bytes) = match entry.entry().value() {
        ValueRef::List(_) => {
            let list = entry.collection_mut::<List>()?.freeze();
            let bytes = list.frozen_bytes();
            (list.into(), bytes)
        }
        ValueRef::Stream(_) => {
            let stream = entry.collection_mut::<Stream>()?.freeze();
            let bytes = stream.frozen_bytes();
            (stream.into(), bytes)
        }
        _ => return None,
    };
    let entry = entry.entry();
    Some((OwnedEntry::new(entry.key(), Form::Object(object), entry.expiry(), entry.access()), bytes))
}

/// Shows further elements of a table that is tracked, of about `budget` bytes.
pub(super) fn show_table(
    entry: &mut OwnedEntry,
    outline: Outline<'_>,
    budget: usize,
    see: &mut dyn FnMut(Piece<'_>),
) -> Shown {
    let Some(table) = tracked_mut(entry) else { unreachable!("a collection that is tracked has a table") };
    table.show(budget, &mut |element: TableElement<'_>| {
        see(match outline {
            Outline::Hash { .. } => Piece::Field(Pair {
                field: Value::Str(element.name),
                value: Value::Str(element.value),
                expiry: element.expiry,
            }),
            Outline::SortedSet(_) => Piece::Scored(element.name, element.score),
            _ => Piece::Member(element.name),
        });
    })
}

/// Shows further nodes, of about `budget` bytes, from number `next` on, and counts them there.
pub(super) fn show_nodes(
    entry: Entry<'_>,
    next: &mut usize,
    budget: usize,
    see: &mut dyn FnMut(Piece<'_>),
) -> Shown {
    let (mut left, from) = (budget, *next);
    let mut show = |piece: Piece<'_>, bytes: usize| {
        left = left.saturating_sub(bytes + 16);
        *next += 1;
        see(piece);
        left > 0
    };
    let over = match entry.value() {
        ValueRef::List(list) => list.nodes_from(from).all(|node| {
            let bytes = match &node {
                ListNode::Packed(pack) => pack.bytes(),
                ListNode::Plain(element) => element.len(),
            };
            show(Piece::ListNode(node), bytes)
        }),
        ValueRef::Stream(stream) => {
            stream.nodes_from(from).all(|(id, pack)| show(Piece::StreamNode(id, pack), pack.bytes()))
        }
        _ => true,
    };
    Shown { over, left }
}
