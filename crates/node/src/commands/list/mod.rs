//! Lists.

mod blocking;
mod edit;
mod pop;
mod position;
mod push;
mod range;
mod transfer;

pub(crate) use blocking::{blmove, blmpop, blpop, brpop, brpoplpush};
pub(crate) use edit::{linsert, lrem, lset, ltrim};
pub(crate) use pop::{lmpop, lpop, rpop};
pub(crate) use position::lpos;
pub(crate) use push::{lpush, lpushx, rpush, rpushx};
pub(crate) use range::{lindex, llen, lrange};
pub(crate) use transfer::{lmove, rpoplpush};

use crate::context::Ctx;
use crate::error::Error;
use tanist_keyspace::collections::{End, Value};
use tanist_resp::Reply;

/// Writes an element as a bulk string.
#[inline]
pub(crate) fn reply_element(reply: &mut Reply<'_>, element: Value<'_>) {
    match element {
        Value::Int(n) => reply.bulk_int(n),
        Value::Str(bytes) => reply.bulk(bytes),
    }
}

/// `LEFT` or `RIGHT`.
fn end(word: &[u8]) -> Result<End, Error> {
    if word.eq_ignore_ascii_case(b"LEFT") {
        Ok(End::Front)
    } else if word.eq_ignore_ascii_case(b"RIGHT") {
        Ok(End::Back)
    } else {
        Err(Error::SYNTAX)
    }
}

/// The word for an end.
fn word(end: End) -> &'static [u8] {
    match end {
        End::Front => b"LEFT",
        End::Back => b"RIGHT",
    }
}

/// The command that pops at an end, as it is logged.
fn pop_verb(end: End) -> &'static [u8] {
    match end {
        End::Front => b"LPOP",
        End::Back => b"RPOP",
    }
}

/// Reports that elements were popped from the list at `key`.
fn report_pop(ctx: &mut Ctx<'_>, key: &[u8], end: End, emptied: bool) {
    ctx.changed(key);
    ctx.event(b'l', if end == End::Front { "lpop" } else { "rpop" }, key);
    report_emptied(ctx, key, emptied);
}

/// Reports that so many elements were pushed to the list at `key`.
fn report_push(ctx: &mut Ctx<'_>, key: &[u8], end: End, count: usize) {
    ctx.changed_by(key, count);
    ctx.event(b'l', if end == End::Front { "lpush" } else { "rpush" }, key);
}

/// Reports that nothing is left at `key`, if so.
fn report_emptied(ctx: &mut Ctx<'_>, key: &[u8], emptied: bool) {
    if emptied {
        ctx.event(b'g', "del", key);
    }
}
