//! The data: table, values, expiry, scan, snapshot iteration.
//!
//! [`Keyspace`] holds the databases. Reading goes through [`Db`], writing through [`DbMut`]; a key's hash is computed
//! once ([`Keyspace::hash`]) and passed along. Expiry is data here: an entry past its time is still found until the
//! node removes it, because only a primary expires, and only through the log.
//!
//! From the bottom up: `table` (addresses ordered by hash), `entry` (one allocation for key and value), `store` (a
//! table that owns entries, and the index of those that expire), `db` and `write`, `snapshot`, `keyspace`. Unsafe code
//! is confined to `entry`, `store`, `table::segment` and the vector comparison in `table::bucket`.

#![deny(unsafe_code)]

mod access;
mod class;
mod db;
mod entry;
mod hash;
mod keyspace;
mod snapshot;
mod store;
mod table;
mod value;
mod write;

pub use access::{Access, Stamp};
pub use db::{Cursor, Db, ExpireProgress};
pub use entry::{Entry, OwnedEntry};
pub use hash::KeyHash;
pub use keyspace::{Garbage, Keyspace};
pub use snapshot::SnapshotProgress;
pub use value::{Encoding, StrRef, StrValue, ValueRef, parse_int};
pub use write::{Change, DbMut, Expiry, Replaced};
