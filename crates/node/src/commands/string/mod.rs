//! Strings.

mod count;
mod get;
mod lcs;
mod many;
mod options;
mod part;
mod set;

pub(crate) use count::{decr, decrby, incr, incrby, incrbyfloat};
pub(crate) use get::{get, getdel, getex, getset, strlen};
pub(crate) use lcs::lcs;
pub(crate) use many::{mget, mset, msetex, msetnx};
pub(crate) use part::{append, getrange, getrange as substr, setrange};
pub(crate) use set::{delifeq, psetex, set, setex, setnx};

use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::{Entry, Expiry, KeyHash, StrRef, StrValue, ValueRef};
use tanist_resp::Reply;

/// The string of an entry.
///
/// # Errors
/// When its value is of another type.
#[inline]
pub(crate) fn str_of(entry: Entry<'_>) -> Result<StrRef<'_>, Error> {
    match entry.value() {
        ValueRef::Str(value) => Ok(value),
        _ => Err(Error::WRONG_TYPE),
    }
}

/// Writes a string value as a bulk string.
#[inline]
pub(crate) fn reply_str(reply: &mut Reply<'_>, value: StrRef<'_>) {
    match value {
        StrRef::Bytes(bytes) => reply.bulk(bytes),
        StrRef::Int(n) => reply.bulk_int(n),
    }
}

/// Writes the string of an entry, or null when there is none.
#[inline]
fn reply_found(found: Option<Entry<'_>>, reply: &mut Reply<'_>) -> Outcome {
    match found {
        Some(entry) => reply_str(reply, str_of(entry)?),
        None => reply.null(),
    }
    Ok(())
}

/// Puts a string at a key, whatever was there, and reports it.
#[inline]
fn put(ctx: &mut Ctx<'_>, key: &[u8], hash: KeyHash, value: &[u8], expiry: Expiry) {
    overwrite(ctx, key, hash, value, expiry);
    report_set(ctx, key, expiry);
}

/// Puts a string at a key, whatever was there, in one look-up. What was past its time there counts as overwritten,
/// unless somebody listens for what expires, or it would pass its expiry on.
#[inline]
fn overwrite(ctx: &mut Ctx<'_>, key: &[u8], hash: KeyHash, value: &[u8], expiry: Expiry) {
    if expiry == Expiry::Keep || ctx.node.notifies(b'x') {
        ctx.expire_if_due(key, hash);
    }
    ctx.db_mut().set(key, hash, StrValue::Bytes(value), expiry);
}

/// Reports that a string was set.
#[inline]
fn report_set(ctx: &mut Ctx<'_>, key: &[u8], expiry: Expiry) {
    ctx.changed(key);
    ctx.event(b'$', "set", key);
    if let Expiry::At(_) = expiry {
        ctx.event(b'g', "expire", key);
    }
}

/// Whether a string of `len` bytes may exist (`proto-max-bulk-len`).
fn check_len(ctx: &Ctx<'_>, len: usize) -> Outcome {
    if len as u64 > ctx.node.config.proto_max_bulk_len { Err(Error::STRING_TOO_LONG) } else { Ok(()) }
}
