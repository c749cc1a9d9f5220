//! What the node does with values of any type besides running commands on them: their names, their form in snapshots and
//! payloads, their digests. One file per type; what is here only chooses among them.

mod hash;
mod list;
pub(crate) mod pieces;
mod set;
mod sorted_set;
mod stream;
mod ziplist;

use crate::sha::Digest;
use std::fmt;
use tanist_keyspace::collections::{Hash, List, Pack, Set, SortedSet, Stream, Value};
use tanist_keyspace::{Object, Policy, StrRef, ValueRef};
use tanist_rdb::{Encoder, Part, RdbVersion, Str, TypeCode};

/// The name of a value's type, as `TYPE` answers it.
pub(crate) fn type_name(value: ValueRef<'_>) -> &'static str {
    match value {
        ValueRef::Str(_) => "string",
        ValueRef::List(_) => "list",
        ValueRef::Set(_) => "set",
        ValueRef::Hash(_) => "hash",
        ValueRef::SortedSet(_) => "zset",
        ValueRef::Stream(_) => "stream",
    }
}

/// The type code that a snapshot of `version` has for a value.
pub(crate) fn kind(value: ValueRef<'_>, version: RdbVersion) -> TypeCode {
    match value {
        ValueRef::Str(_) => TypeCode::STRING,
        ValueRef::List(list) => list::kind(list),
        ValueRef::Set(set) => set::kind(set, version),
        ValueRef::Hash(hash) => hash::kind(hash, version),
        ValueRef::SortedSet(set) => sorted_set::kind(set),
        ValueRef::Stream(stream) => stream::kind(stream, version),
    }
}

/// Appends a value in the form that `kind` (made by [`kind`]) stands for.
pub(crate) fn encode(value: ValueRef<'_>, kind: TypeCode, to: &mut Encoder<'_>) {
    match value {
        ValueRef::Str(text) => to.string(rdb_str(text)),
        ValueRef::List(list) => list::encode(list, to),
        ValueRef::Set(set) => set::encode(set, kind, to),
        ValueRef::Hash(hash) => hash::encode(hash, kind, to),
        ValueRef::SortedSet(set) => sorted_set::encode(set, to),
        ValueRef::Stream(stream) => stream::encode(stream, kind, to),
    }
}

/// Appends the payload of `DUMP` for a value, compressed or not (`rdbcompression`).
pub(crate) fn dump(value: ValueRef<'_>, compress: bool, out: &mut Vec<u8>) {
    // The payload says itself from which version on it can be read.
    let kind = kind(value, RdbVersion::VALKEY80);
    tanist_rdb::dump(kind, compress, out, |to| encode(value, kind, to));
}

/// A string as the snapshot format knows it.
pub(crate) fn rdb_str(value: StrRef<'_>) -> Str<'_> {
    match value {
        StrRef::Bytes(bytes) => Str::Bytes(bytes),
        StrRef::Int(n) => Str::Int(n),
    }
}

/// An element as the snapshot format knows it.
fn str_of(value: Value<'_>) -> Str<'_> {
    match value {
        Value::Str(bytes) => Str::Bytes(bytes),
        Value::Int(n) => Str::Int(n),
    }
}

/// Mixes a value into a digest, its type included, as Redis does.
pub(crate) fn mix(digest: &mut Digest, value: ValueRef<'_>) {
    let number: u32 = match value {
        ValueRef::Str(_) => 0,
        ValueRef::List(_) => 1,
        ValueRef::Set(_) => 2,
        ValueRef::SortedSet(_) => 3,
        ValueRef::Hash(_) => 4,
        ValueRef::Stream(_) => 6,
    };
    digest.mix(&number.to_be_bytes());
    match value {
        ValueRef::Str(text) => digest.mix(text.as_bytes(&mut itoa::Buffer::new())),
        ValueRef::List(list) => list::mix(digest, list),
        ValueRef::Set(set) => set::mix(digest, set),
        ValueRef::SortedSet(set) => sorted_set::mix(digest, set),
        ValueRef::Hash(hash) => hash::mix(digest, hash),
        ValueRef::Stream(stream) => stream::mix(digest, stream),
    }
}

/// Why the parts of a value do not make one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A collection that is being read from its parts.
#[derive(Debug)]
pub(crate) struct Builder {
    kind: TypeCode,
    object: Object,
    /// Instead of `object` if that is to be a stream.
    stream: Option<Box<stream::Building>>,
}

impl Builder {
    /// For a value of type `kind`; `None` if that is not a collection.
    pub(crate) fn new(kind: TypeCode) -> Option<Builder> {
        let object = match kind {
            TypeCode::LIST
            | TypeCode::LIST_ZIPLIST
            | TypeCode::LIST_QUICKLIST
            | TypeCode::LIST_QUICKLIST_2 => Object::List(List::default()),
            TypeCode::SET | TypeCode::SET_INTSET | TypeCode::SET_LISTPACK => Object::Set(Set::default()),
            TypeCode::HASH
            | TypeCode::HASH_ZIPMAP
            | TypeCode::HASH_ZIPLIST
            | TypeCode::HASH_LISTPACK
            | TypeCode::HASH_EXPIRING
            | TypeCode::HASH_METADATA
            | TypeCode::HASH_LISTPACK_EX => Object::Hash(Hash::default()),
            TypeCode::ZSET | TypeCode::ZSET_2 | TypeCode::ZSET_ZIPLIST | TypeCode::ZSET_LISTPACK => {
                Object::SortedSet(SortedSet::default())
            }
            TypeCode::STREAM_LISTPACKS | TypeCode::STREAM_LISTPACKS_2 | TypeCode::STREAM_LISTPACKS_3 => {
                Object::Stream(Stream::default())
            }
            _ => return None,
        };
        let stream = matches!(object, Object::Stream(_)).then(Box::default);
        Some(Builder { kind, object, stream })
    }

    /// Takes the next part. Foreign bytes are checked in full before they are relied on.
    pub(crate) fn push(&mut self, part: Part<'_>, policy: &Policy) -> Result<(), Malformed> {
        if let Some(stream) = &mut self.stream {
            return stream.push(part);
        }
        match &mut self.object {
            Object::List(list) => list::push(list, self.kind, part, policy),
            Object::Set(set) => set::push(set, self.kind, part, policy),
            Object::Hash(hash) => hash::push(hash, self.kind, part, policy),
            Object::SortedSet(set) => sorted_set::push(set, self.kind, part, policy),
            Object::Stream(_) => Err(UNEXPECTED),
        }
    }

    /// The collection; `None` if it has no elements, as servers had it that removed the last one and left the key.
    pub(crate) fn finish(self) -> Result<Option<Object>, Malformed> {
        if let Some(stream) = self.stream {
            return Ok(Some(Object::Stream(stream.finish()?)));
        }
        let empty = match &self.object {
            Object::List(list) => tanist_keyspace::Collection::is_empty(list),
            Object::Set(set) => tanist_keyspace::Collection::is_empty(set),
            Object::Hash(hash) => tanist_keyspace::Collection::is_empty(hash),
            Object::SortedSet(set) => tanist_keyspace::Collection::is_empty(set),
            Object::Stream(_) => false,
        };
        Ok((!empty).then_some(self.object))
    }
}

/// A listpack from foreign bytes.
fn pack(bytes: &[u8]) -> Result<Pack, Malformed> {
    Pack::from_bytes(bytes).map_err(|_| Malformed("a bad listpack"))
}

/// A part that a value of this type does not have.
const UNEXPECTED: Malformed = Malformed("a part that does not belong to the type");
