//! Sorted sets.

mod add;
mod blocking;
mod combine;
mod pop;
mod range;
mod read;
mod remove;
mod span;

pub(crate) use add::{zadd, zincrby};
pub(crate) use blocking::{bzmpop, bzpopmax, bzpopmin};
pub(crate) use combine::{zdiff, zdiffstore, zinter, zintercard, zinterstore, zunion, zunionstore};
pub(crate) use pop::{zmpop, zpopmax, zpopmin};
pub(crate) use range::{
    zrange, zrangebylex, zrangebyscore, zrangestore, zrevrange, zrevrangebylex, zrevrangebyscore,
};
pub(crate) use read::{zcard, zcount, zlexcount, zmscore, zrandmember, zrank, zrevrank, zscan, zscore};
pub(crate) use remove::{zrem, zremrangebylex, zremrangebyrank, zremrangebyscore};
pub(crate) use span::parse_double;

use crate::context::Ctx;
use tanist_keyspace::Expiry;
use tanist_keyspace::collections::{Collection, SortedSet, Value};
use tanist_resp::{Proto, Reply};

/// Writes a member as a bulk string.
#[inline]
fn reply_member(reply: &mut Reply<'_>, member: Value<'_>) {
    match member {
        Value::Int(n) => reply.bulk_int(n),
        Value::Str(bytes) => reply.bulk(bytes),
    }
}

/// How members with their scores are laid out in version 3; in version 2 they are always in one row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Members alone.
    Members,
    /// A pair for each member.
    Pairs,
}

/// Begins an array of `count` members.
fn begin_members(reply: &mut Reply<'_>, layout: Layout, count: usize) {
    let flat = layout == Layout::Pairs && reply.proto() == Proto::Resp2;
    reply.array(if flat { 2 * count } else { count });
}

/// Writes a member, and its score if asked for.
#[inline]
fn put_member(reply: &mut Reply<'_>, layout: Layout, member: Value<'_>, score: f64) {
    if layout == Layout::Pairs && reply.proto() == Proto::Resp3 {
        reply.array(2);
    }
    reply_member(reply, member);
    if layout == Layout::Pairs {
        reply.double(score);
    }
}

/// Puts the result of a command that stores at `key`; an empty one removes what is there. Replies its length.
pub(crate) fn store(ctx: &mut Ctx<'_>, key: &[u8], set: SortedSet, event: &'static str) {
    let hash = ctx.node.data.hash(key);
    let len = set.len();
    if len > 0 {
        ctx.expire_if_due(key, hash);
        ctx.db_mut().set_object(key, hash, set, Expiry::Clear);
        ctx.changed(key);
        ctx.event(b'z', event, key);
    } else if ctx.remove(key, hash) {
        ctx.event(b'g', "del", key);
    }
    ctx.reply().int(len as i64);
}
