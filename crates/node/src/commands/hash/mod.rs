//! Hashes.
//!
//! A field past its time is hidden from whoever reads, and counts as none for whoever writes, but is removed only by the
//! active cycle ([`crate::field_expiry`]) or by being overwritten. A replica does not judge what its primary writes.

mod count;
mod expire;
mod fields;
mod options;
mod read;
mod timed;
mod write;

pub(crate) use count::{hincrby, hincrbyfloat};
pub(crate) use expire::{
    hexpire, hexpireat, hexpiretime, hpersist, hpexpire, hpexpireat, hpexpiretime, hpttl, httl,
};
pub(crate) use read::{hexists, hget, hgetall, hkeys, hlen, hmget, hrandfield, hscan, hstrlen, hvals};
pub(crate) use timed::{hgetdel, hgetex, hsetex};
pub(crate) use write::{hdel, hmset, hset, hsetnx};

use crate::context::Ctx;
use tanist_keyspace::collections::NEVER;
use tanist_types::UnixMs;

/// The moment by which a write judges fields: none on a replica, whose primary has judged.
fn judged_at(ctx: &Ctx<'_>) -> UnixMs {
    if ctx.node.is_replica() { NEVER } else { ctx.judged() }
}

/// Reports that fields past their time were removed or overwritten.
fn report_expired(ctx: &mut Ctx<'_>, key: &[u8], count: usize) {
    if count > 0 {
        ctx.node.stats.expired_fields += count as u64;
        ctx.event(b'h', "hexpired", key);
    }
}

/// Logs a command whose words are some before a list of fields.
fn log_fields(ctx: &mut Ctx<'_>, head: &[&[u8]], fields: &[&[u8]]) {
    let mut words = head.to_vec();
    words.extend_from_slice(fields);
    ctx.effect(&words);
}

/// Logs a command that is given its fields with their number.
fn log_counted(ctx: &mut Ctx<'_>, head: &[&[u8]], count: usize, fields: &[&[u8]]) {
    let mut digits = itoa::Buffer::new();
    let mut words = head.to_vec();
    words.extend_from_slice(&[b"FIELDS", digits.format(count).as_bytes()]);
    words.extend_from_slice(fields);
    ctx.effect(&words);
}
