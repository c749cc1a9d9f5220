//! What is known of a stream: `XINFO`.

use super::{group_missing, millis, reply_entry, reply_id, subcommand_error};
use crate::commands::{parse_int, reply_help};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::collections::{Group, Stream};
use tanist_resp::{Args, Reply};

/// How many entries are shown unless told.
const SHOWN: u64 = 10;

/// `XINFO HELP`
pub(crate) fn xinfo_help(ctx: &mut Ctx<'_>, _: Args<'_, '_>) -> Outcome {
    reply_help(
        ctx,
        "XINFO",
        &[
            ("CONSUMERS <key> <groupname>", "Show consumers of <groupname>."),
            ("GROUPS <key>", "Show the stream consumer groups."),
            ("STREAM <key> [FULL [COUNT <count>]", "Show information about the stream."),
        ],
    )
}

/// `XINFO STREAM key [FULL [COUNT count]]`
pub(crate) fn xinfo_stream(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 2);
    ctx.view::<Stream, _>(args.at(2), hash, |stream, reply| {
        let stream = stream.ok_or(Error::NO_SUCH_KEY)?;
        let full = options(args)?;
        reply.map(if full.is_some() { 9 } else { 10 });
        describe(reply, stream);
        match full {
            Some(count) => {
                reply.bulk_str("entries");
                super::reply_entries(reply, stream.iter(), count);
                reply.bulk_str("groups");
                reply.array(stream.groups().len());
                for (name, group) in stream.groups() {
                    describe_group(reply, stream, name, group, count);
                }
            }
            None => {
                reply.bulk_str("groups");
                reply.int(stream.groups().len() as i64);
                for (name, entry) in
                    [("first-entry", stream.iter().next()), ("last-entry", stream.iter().next_back())]
                {
                    reply.bulk_str(name);
                    match entry {
                        Some(entry) => reply_entry(reply, &entry),
                        None => reply.null(),
                    }
                }
            }
        }
        Ok(())
    })?
}

/// How many entries `FULL` is to show; `None` without it.
fn options(args: Args<'_, '_>) -> Result<Option<u64>, Error> {
    let is = |at: usize, name: &[u8]| args.get(at).is_some_and(|word| word.eq_ignore_ascii_case(name));
    match args.len() {
        3 => Ok(None),
        4 if is(3, b"FULL") => Ok(Some(SHOWN)),
        6 if is(3, b"FULL") && is(4, b"COUNT") => {
            Ok(Some(u64::try_from(parse_int(args.at(5))?).unwrap_or(SHOWN)))
        }
        _ => Err(subcommand_error(args, "XINFO")),
    }
}

fn describe(reply: &mut Reply<'_>, stream: &Stream) {
    let about = stream.about();
    let numbers = [
        ("length", about.len),
        ("radix-tree-keys", stream.nodes().len() as u64),
        ("radix-tree-nodes", tree_nodes(stream)),
    ];
    for (name, n) in numbers {
        reply.bulk_str(name);
        reply.int(n as i64);
    }
    reply.bulk_str("last-generated-id");
    reply_id(reply, about.last);
    reply.bulk_str("max-deleted-entry-id");
    reply_id(reply, about.max_deleted);
    reply.bulk_str("entries-added");
    reply.int(about.added as i64);
    reply.bulk_str("recorded-first-entry-id");
    reply_id(reply, about.first);
}

/// How many nodes Redis' radix tree of these listpacks would have: one for each place where identifiers part, one for
/// each stretch of bytes between two such places, and one at each end.
fn tree_nodes(stream: &Stream) -> u64 {
    let mut count = stream.nodes().len().max(1) as u64;
    // The lengths at which the identifiers so far part, the longest last.
    let mut open: Vec<usize> = Vec::new();
    let mut before: Option<[u8; 16]> = None;
    for (id, _) in stream.nodes() {
        let bytes = id.to_bytes();
        if let Some(before) = before {
            let shared = before.iter().zip(&bytes).take_while(|(a, b)| a == b).count();
            close(&mut open, Some(shared), 16, &mut count);
            if open.last() != Some(&shared) {
                open.push(shared);
            }
        }
        before = Some(bytes);
    }
    if before.is_some() {
        close(&mut open, None, 16, &mut count);
    }
    count
}

/// Ends the stretches that lie deeper than `to`; the deepest one ends at `depth`.
fn close(open: &mut Vec<usize>, to: Option<usize>, mut depth: usize, count: &mut u64) {
    loop {
        let parent = open.last().copied().max(to);
        // Bytes between what hangs here and what it hangs on, whose own byte is not among them.
        *count += u64::from(depth > parent.map_or(0, |parent| parent + 1));
        match open.last() {
            Some(&top) if to.is_none_or(|to| top > to) => {
                open.pop();
                *count += 1;
                depth = top;
            }
            _ => return,
        }
    }
}

fn describe_group(reply: &mut Reply<'_>, stream: &Stream, name: &[u8], group: &Group, count: u64) {
    let most = if count == 0 { usize::MAX } else { count as usize };
    reply.map(7);
    reply.bulk_str("name");
    reply.bulk(name);
    progress(reply, stream, group);
    reply.bulk_str("pel-count");
    reply.int(group.pending_len() as i64);
    reply.bulk_str("pending");
    reply.array(group.pending_len().min(most));
    for (id, delivery, consumer) in group.pending(..).take(most) {
        reply.array(4);
        reply_id(reply, id);
        reply.bulk(&consumer.name);
        reply.int(delivery.at as i64);
        reply.int(delivery.count as i64);
    }
    reply.bulk_str("consumers");
    reply.array(group.consumers().len());
    for consumer in group.consumers() {
        reply.map(5);
        reply.bulk_str("name");
        reply.bulk(&consumer.name);
        reply.bulk_str("seen-time");
        reply.int(consumer.seen as i64);
        reply.bulk_str("active-time");
        reply.int(consumer.active.map_or(-1, |at| at as i64));
        reply.bulk_str("pel-count");
        reply.int(consumer.pending().len() as i64);
        reply.bulk_str("pending");
        reply.array(consumer.pending().len().min(most));
        for &id in consumer.pending().iter().take(most) {
            let (at, count) = group.delivery(id).map_or((0, 0), |delivery| (delivery.at, delivery.count));
            reply.array(3);
            reply_id(reply, id);
            reply.int(at as i64);
            reply.int(count as i64);
        }
    }
}

/// How far a group has read: three fields of its description.
fn progress(reply: &mut Reply<'_>, stream: &Stream, group: &Group) {
    reply.bulk_str("last-delivered-id");
    reply_id(reply, group.last);
    reply.bulk_str("entries-read");
    number_or_null(reply, group.read);
    reply.bulk_str("lag");
    lag(reply, stream, group);
}

/// `XINFO GROUPS key`
pub(crate) fn xinfo_groups(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 2);
    ctx.view::<Stream, _>(args.at(2), hash, |stream, reply| {
        let stream = stream.ok_or(Error::NO_SUCH_KEY)?;
        reply.array(stream.groups().len());
        for (name, group) in stream.groups() {
            reply.map(6);
            reply.bulk_str("name");
            reply.bulk(name);
            reply.bulk_str("consumers");
            reply.int(group.consumers().len() as i64);
            reply.bulk_str("pending");
            reply.int(group.pending_len() as i64);
            progress(reply, stream, group);
        }
        Ok(())
    })?
}

/// `XINFO CONSUMERS key group`
pub(crate) fn xinfo_consumers(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (hash, now) = (ctx.hash(args, 2), millis(ctx));
    ctx.view::<Stream, _>(args.at(2), hash, |stream, reply| {
        let stream = stream.ok_or(Error::NO_SUCH_KEY)?;
        let group = stream.groups().get(args.at(3));
        let group = group.ok_or_else(|| group_missing(args.at(2), args.at(3)))?;
        reply.array(group.consumers().len());
        for consumer in group.consumers() {
            reply.map(4);
            reply.bulk_str("name");
            reply.bulk(&consumer.name);
            reply.bulk_str("pending");
            reply.int(consumer.pending().len() as i64);
            reply.bulk_str("idle");
            reply.int((now.wrapping_sub(consumer.seen) as i64).max(0));
            reply.bulk_str("inactive");
            reply.int(consumer.active.map_or(-1, |at| now.wrapping_sub(at) as i64));
        }
        Ok(())
    })?
}

fn lag(reply: &mut Reply<'_>, stream: &Stream, group: &Group) {
    match stream.view().lag(group) {
        Some(lag) => reply.int(lag),
        None => reply.null(),
    }
}

fn number_or_null(reply: &mut Reply<'_>, n: Option<u64>) {
    match n {
        Some(n) => reply.int(n as i64),
        None => reply.null(),
    }
}
