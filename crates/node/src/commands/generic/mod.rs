//! Keys of any type.

mod expire;
mod migrate;
mod names;
mod object;
mod payload;
mod remove;
mod rename;
mod sort;

pub(crate) use expire::{expire, expireat, expiretime, persist, pexpire, pexpireat, pexpiretime, pttl, ttl};
pub(crate) use migrate::{Migration, migrate};
pub(crate) use names::{exists, keys, parse_cursor, randomkey, scan, touch, type_of};
pub(crate) use object::{object_encoding, object_freq, object_help, object_idletime, object_refcount};
pub(crate) use payload::{dump, restore};
pub(crate) use remove::{del, unlink};
pub(crate) use rename::{copy, move_key, rename, renamenx};
pub(crate) use sort::{sort, sort_ro};
