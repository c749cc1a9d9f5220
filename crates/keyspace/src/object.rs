//! Collections as the keyspace holds them: which of the types, and how an entry tells.

use crate::value::ValueRef;
use tanist_collections::{Collection, Hash, List, Set, SortedSet, Stream};

/// A collection that is not, or no longer, in an entry.
#[derive(Clone, PartialEq, Debug)]
pub enum Object {
    /// A list.
    List(List),
    /// A set.
    Set(Set),
    /// A hash.
    Hash(Hash),
    /// A sorted set.
    SortedSet(SortedSet),
    /// A stream.
    Stream(Stream),
}

/// Evaluates an expression with the collection in a [`ValueRef`] or [`Object`], or another one for a string.
macro_rules! with_collection {
    ($value:expr, $name:ident => $then:expr, else $otherwise:expr) => {
        match $value {
            ValueRef::List($name) => $then,
            ValueRef::Set($name) => $then,
            ValueRef::Hash($name) => $then,
            ValueRef::SortedSet($name) => $then,
            ValueRef::Stream($name) => $then,
            ValueRef::Str(_) => $otherwise,
        }
    };
}
pub(crate) use with_collection;

mod sealed {
    /// The types of collections; see [`super::Typed`].
    pub trait Sealed {}
}

/// A type of collection, as an entry tells it.
pub trait Typed: Collection + Into<Object> + sealed::Sealed {
    /// The entry's representation.
    #[doc(hidden)]
    const REPR: u8;
    /// Whether a key may hold an empty one: a stream outlives its elements.
    const MAY_BE_EMPTY: bool;

    /// The collection of this type in a value.
    fn of(value: ValueRef<'_>) -> Option<&Self>;
}

macro_rules! typed {
    ($($type:ident, $repr:ident, $empty:literal;)*) => {$(
        impl sealed::Sealed for $type {}

        impl From<$type> for Object {
            fn from(value: $type) -> Object {
                Object::$type(value)
            }
        }

        impl Typed for $type {
            const REPR: u8 = crate::entry::$repr;
            const MAY_BE_EMPTY: bool = $empty;

            #[inline]
            fn of(value: ValueRef<'_>) -> Option<&Self> {
                match value {
                    ValueRef::$type(value) => Some(value),
                    _ => None,
                }
            }
        }
    )*};
}

typed! {
    List, LIST, false;
    Set, SET, false;
    Hash, HASH, false;
    SortedSet, SORTED_SET, false;
    Stream, STREAM, true;
}
