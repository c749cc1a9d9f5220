//! Large collections in snapshots, which come in pieces: the same bytes as all at once, but for the order of elements
//! that have none.

use super::{hash, list, sorted_set, stream};
use tanist_keyspace::collections::Value;
use tanist_keyspace::{Outline, Piece};
use tanist_rdb::{Encoder, RdbVersion, Str, TypeCode};

/// The type code that a snapshot of `version` has for a collection.
pub(crate) fn kind(outline: Outline<'_>, version: RdbVersion) -> TypeCode {
    match outline {
        Outline::Set(_) => TypeCode::SET,
        Outline::Hash { expiring, .. } => hash::table_kind(expiring, version),
        Outline::SortedSet(_) => TypeCode::ZSET_2,
        Outline::List(list) => list::kind(list),
        Outline::Stream(stream) => stream::kind(stream, version),
    }
}

/// Appends what comes in front of the pieces: how many they are.
pub(crate) fn begin(outline: Outline<'_>, to: &mut Encoder<'_>) {
    to.number(match outline {
        Outline::Set(pieces) | Outline::Hash { fields: pieces, .. } | Outline::SortedSet(pieces) => pieces,
        Outline::List(list) => list.nodes().len(),
        Outline::Stream(stream) => stream.nodes().len(),
    } as u64);
}

/// Appends a piece of a collection of type `kind`.
pub(crate) fn put(piece: Piece<'_>, kind: TypeCode, to: &mut Encoder<'_>) {
    match piece {
        Piece::Member(member) => to.string(Str::Bytes(member)),
        Piece::Field(pair) => hash::put(pair, kind, to),
        Piece::Scored(member, score) => sorted_set::put(Value::Str(member), score, to),
        Piece::ListNode(node) => list::put(node, to),
        Piece::StreamNode(base, pack) => stream::put_node(base, pack, to),
    }
}

/// Appends what comes behind the pieces.
pub(crate) fn end(outline: Outline<'_>, kind: TypeCode, to: &mut Encoder<'_>) {
    if let Outline::Stream(stream) = outline {
        stream::put_rest(stream, kind, to);
    }
}
