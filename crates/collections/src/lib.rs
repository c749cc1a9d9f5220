//! Data structures: the table of addresses, the compact encodings of small collections, and the collection types.
//!
//! From the bottom up: `class` (the allocator's size classes), `seed` and `hashes` (hashing), `table` (addresses ordered
//! by hash), `pack` and `intset` (the compact encodings), `row` (nodes in a row), `word` (one word that owns one of
//! several things), and the types that are made of them; `ahead` fetches what commands will look for in these. Every
//! collection is one word, which an entry of the keyspace holds in the place of a string.
//!
//! Nothing here knows commands, keys or expiry of keys. Elements are bytes; limits come in with each change
//! ([`Policy`]), because they can be configured while the server runs.

#![deny(unsafe_code)]

mod ahead;
mod blob;
mod class;
mod collection;
mod hash;
mod hashes;
mod int;
mod intset;
mod list;
mod member;
mod pack;
mod policy;
mod row;
mod seed;
mod set;
mod sorted_set;
mod stream;
pub mod table;
mod word;

pub use ahead::{Ahead, Sought};
pub use class::class;
pub use collection::{Collection, Encoding};
pub use hash::{FieldExpiry, Hash, HashForm, HashIter, NEVER, Pair, Was};
pub use hashes::Hashes;
pub use int::parse_int;
pub use intset::{IntSet, IntSetError};
pub use list::{Elements, End, List, ListNode};
pub use member::{Remains, Shown, TableElement, Tracked};
pub use pack::{Iter, Pack, PackError, Pairs, Pos, Side, TooLarge, Value};
pub use policy::{Limit, Policy};
pub use seed::{KeyHash, Seed};
pub use set::{Duplicate, Ints, Set, SetForm, SetIter};
pub use sorted_set::{Member, SortedSet};
pub use stream::{
    About, AddError, Consumer, Delivery, Fields, Group, Limits as TrimLimits, NewId, Range as StreamRange,
    Stream, StreamEntry, StreamId, StreamView, Trim,
};
