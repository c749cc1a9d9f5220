//! The data: table, values, expiry, scan, snapshot iteration.
//!
//! [`Keyspace`] holds the databases. Reading goes through [`Db`], writing through [`DbMut`]; a key's hash is computed
//! once ([`Keyspace::hash`]) and passed along. Expiry is data here: an entry past its time is still found until the
//! node removes it, because only a primary expires, and only through the log.

#![deny(unsafe_code)]

mod access;
mod hash;
mod keyspace;
mod value;

pub use access::{Access, Stamp};
pub use hash::KeyHash;
pub use keyspace::{
    Cursor, Db, DbMut, Entry, ExpireProgress, Expiry, Garbage, Keyspace, OwnedEntry, Replaced,
    SnapshotProgress,
};
pub use value::{Encoding, StrRef, StrValue, ValueRef, parse_int};
