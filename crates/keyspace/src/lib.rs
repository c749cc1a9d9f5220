//! The data: table, values, expiry, scan, snapshot iteration.
//!
//! [`Keyspace`] holds the databases. Reading goes through [`Db`], writing through [`DbMut`]; a key's hash is computed
//! once ([`Keyspace::hash`]) and passed along. Expiry is data here: an entry past its time is still found until the
//! node removes it, because only a primary expires, and only through the log.
//!
//! From the bottom up: `entry` (one allocation for key and value), `store` (a
//! table that owns entries, and the index of those that expire), `db` and `write`, `snapshot`, `keyspace`. Unsafe code
//! is confined to `entry` and `store`.

#![deny(unsafe_code)]

mod access;
mod db;
mod entry;
mod keyspace;
mod object;
mod snapshot;
mod store;
mod value;
mod write;

pub use access::{Access, Stamp};
pub use db::{Cursor, Db, ExpireProgress};
pub use entry::{Entry, OwnedEntry};
pub use keyspace::{Garbage, Keyspace};
pub use object::{Object, Typed};
pub use snapshot::{Head, Outline, Piece, SnapshotPart, SnapshotProgress};
pub use tanist_collections::{self as collections, Collection, KeyHash, Policy};
pub use value::{Encoding, StrRef, StrValue, ValueRef, parse_int};
pub use write::{Change, DbMut, Edit, Edited, Expiry, Missing, Replaced};
