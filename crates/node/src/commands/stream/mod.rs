//! Streams.

mod add;
mod claim;
mod deliver;
mod effects;
mod group;
mod id;
mod info;
mod pending;
mod read;
mod remove;
mod request;

pub(crate) use add::{xadd, xsetid};
pub(crate) use claim::{xautoclaim, xclaim};
pub(crate) use deliver::xreadgroup;
pub(crate) use group::{
    xack, xgroup_create, xgroup_createconsumer, xgroup_delconsumer, xgroup_destroy, xgroup_help, xgroup_setid,
};
pub(crate) use info::{xinfo_consumers, xinfo_groups, xinfo_help, xinfo_stream};
pub(crate) use pending::xpending;
pub(crate) use read::{xlen, xrange, xread, xrevrange};
pub(crate) use remove::{xdel, xtrim};

use crate::context::Ctx;
use crate::error::Error;
use std::io::Write;
use tanist_keyspace::collections::{StreamEntry, StreamId, Value};
use tanist_resp::{Args, Reply};

/// The text of an identifier, which is at most 41 bytes long.
struct IdText {
    bytes: [u8; 41],
    len: usize,
}

impl IdText {
    fn new(id: StreamId) -> IdText {
        let mut text = IdText { bytes: [0; 41], len: 0 };
        let mut rest = &mut text.bytes[..];
        // Two numbers of 20 digits and a dash fit.
        let written = write!(rest, "{}-{}", id.ms, id.seq);
        let left = rest.len();
        text.len = if written.is_ok() { 41 - left } else { 0 };
        text
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

fn reply_id(reply: &mut Reply<'_>, id: StreamId) {
    reply.bulk(IdText::new(id).as_bytes());
}

fn reply_value(reply: &mut Reply<'_>, value: Value<'_>) {
    match value {
        Value::Int(n) => reply.bulk_int(n),
        Value::Str(bytes) => reply.bulk(bytes),
    }
}

fn reply_entry(reply: &mut Reply<'_>, entry: &StreamEntry<'_>) {
    reply.array(2);
    reply_id(reply, entry.id);
    let fields = entry.fields();
    reply.array(2 * fields.len());
    for (name, value) in fields {
        reply_value(reply, name);
        reply_value(reply, value);
    }
}

/// Writes an array of up to `most` entries (all, if that is zero); how many they were.
fn reply_entries<'a>(
    reply: &mut Reply<'_>,
    entries: impl Iterator<Item = StreamEntry<'a>>,
    most: u64,
) -> usize {
    let mark = reply.deferred();
    let most = if most == 0 { usize::MAX } else { usize::try_from(most).unwrap_or(usize::MAX) };
    let mut count = 0;
    for entry in entries.take(most) {
        reply_entry(reply, &entry);
        count += 1;
    }
    reply.finish_array(mark, count);
    count
}

/// The wall clock in milliseconds since 1970, as groups keep it.
fn millis(ctx: &Ctx<'_>) -> u64 {
    u64::try_from(ctx.wall().0).unwrap_or(0)
}

/// The arguments behind a container's subcommand are not what it takes.
fn subcommand_error(args: Args<'_, '_>, container: &str) -> Error {
    let word = String::from_utf8_lossy(args.at(1));
    Error::new(format!(
        "ERR unknown subcommand or wrong number of arguments for '{word}'. Try {container} HELP."
    ))
}

/// There is no such group at a key that is there.
fn group_missing(key: &[u8], group: &[u8]) -> Error {
    let (key, group) = (String::from_utf8_lossy(key), String::from_utf8_lossy(group));
    Error::new(format!("NOGROUP No such consumer group '{group}' for key name '{key}'"))
}

/// There is no such key, or no such group there; `where_from` ends the sentence.
fn group_missing_at(key: &[u8], group: &[u8], where_from: &str) -> Error {
    let (key, group) = (String::from_utf8_lossy(key), String::from_utf8_lossy(group));
    Error::new(format!("NOGROUP No such key '{key}' or consumer group '{group}'{where_from}"))
}
