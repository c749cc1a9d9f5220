//! Entries handed to the consumers of a group: `XREADGROUP`.

use super::effects::{Claim, log_claims, log_consumer, log_group};
use super::id::parse_strict;
use super::request::Request;
use super::{group_missing_at, millis, reply_entry, reply_id};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::Missing;
use tanist_keyspace::collections::{Group, Stream, StreamId, StreamView};
use tanist_resp::{Args, Proto, Reply};

/// What is wanted of one stream.
#[derive(Clone, Copy)]
enum Source {
    /// What the group has not been handed yet.
    New,
    /// What the consumer has not acknowledged, behind this identifier.
    History(StreamId),
}

/// What became of one stream's group.
#[derive(Default)]
struct Handed {
    /// The stream is part of the reply.
    served: bool,
    new_consumer: bool,
    moved: bool,
    claims: Vec<Claim>,
    last: StreamId,
    read: Option<u64>,
}

/// `XREADGROUP GROUP group consumer [COUNT count] [BLOCK ms] [NOACK] STREAMS key [key ...] id [id ...]`
pub(crate) fn xreadgroup(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let request = Request::parse(ctx, args, true)?;
    let Some(group_at) = request.group else { return Err(Error::SYNTAX) };
    let (group, consumer) = (args.at(group_at), args.at(group_at + 1));
    let mut wanted = Vec::with_capacity(request.keys.len());
    for at in request.keys.clone() {
        wanted.push(position(ctx, args.at(at), group, args.at(at + request.keys.len()))?);
    }
    let begin = ctx.reply().position();
    let mark = ctx.reply().deferred();
    let (now, mut served) = (millis(ctx), 0);
    for (at, from) in request.keys.clone().zip(wanted) {
        let (key, hash) = (args.at(at), ctx.node.data.hash(args.at(at)));
        let done = ctx.edit_replying::<Stream, _>(key, hash, Missing::Leave, |stream, _, reply| {
            let mut handed = Handed::default();
            if let Some((stream, group)) = stream.view_and_group(group) {
                hand(stream, group, (key, consumer), from, &request, now, reply, &mut handed);
                (handed.last, handed.read) = (group.last, group.read);
            }
            handed
        })?;
        if let Some(done) = done {
            ctx.count_hit();
            report(ctx, (key, group, consumer), &done.result);
            served += usize::from(done.result.served);
        }
    }
    // What there is to log has been logged.
    ctx.no_effect();
    let mut reply = ctx.reply();
    if served == 0 {
        reply.truncate(begin);
        request.wait(ctx, args, &[]);
        return Ok(());
    }
    match reply.proto() {
        Proto::Resp2 => reply.finish_array(mark, served),
        Proto::Resp3 => reply.finish_map(mark, served),
    }
    Ok(())
}

/// What is wanted of a stream; the group must be there.
fn position(ctx: &mut Ctx<'_>, key: &[u8], group: &[u8], text: &[u8]) -> Result<Source, Error> {
    let hash = ctx.node.data.hash(key);
    let there = ctx.look::<Stream>(key, hash)?.map(|stream| stream.groups().contains_key(group));
    if there.is_none() {
        ctx.event(b'm', "keymiss", key);
    }
    if there != Some(true) {
        return Err(group_missing_at(key, group, " in XREADGROUP with GROUP option"));
    }
    match text {
        b">" => Ok(Source::New),
        b"$" | b"+" => Err(Error::new(format!(
            "ERR The {0} ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer \
             by specifying a proper ID, or use the > ID to get new messages. The {0} ID would just return an empty \
             result set.",
            char::from(text[0])
        ))),
        _ => Ok(match parse_strict(text, 0)? {
            StreamId::MAX => Source::New,
            id => Source::History(id),
        }),
    }
}

#[allow(clippy::too_many_arguments, reason = "one stream of a command, and where its results go")]
fn hand(
    stream: StreamView<'_>,
    group: &mut Group,
    (key, consumer): (&[u8], &[u8]),
    from: Source,
    request: &Request,
    now: u64,
    reply: &mut Reply<'_>,
    handed: &mut Handed,
) {
    let place = group.place(consumer).unwrap_or_else(|| {
        handed.new_consumer = true;
        group.add_consumer(consumer, now)
    });
    group.at_mut(place).seen = now;
    if matches!(from, Source::New) && stream.last_live() <= group.last {
        return;
    }
    handed.served = true;
    if reply.proto() == Proto::Resp2 {
        reply.array(2);
    }
    reply.bulk(key);
    let mark = reply.deferred();
    let most = if request.count == 0 { usize::MAX } else { request.count as usize };
    let mut count = 0;
    match from {
        Source::New => {
            let Some(first) = group.last.next() else { return };
            for entry in stream.range(first, StreamId::MAX).take(most) {
                group.advance(stream, entry.id);
                handed.moved = true;
                reply_entry(reply, &entry);
                count += 1;
                if !request.no_ack {
                    group.deliver(entry.id, place, now, 1);
                    group.at_mut(place).active = Some(now);
                    handed.claims.push(Claim {
                        id: entry.id,
                        owner: None,
                        at: now,
                        count: 1,
                        last: group.last,
                    });
                }
            }
        }
        Source::History(behind) => {
            let first = behind.next().unwrap_or(StreamId::MAX);
            let ids: Vec<StreamId> = group.at(place).pending().range(first..).take(most).copied().collect();
            count = ids.len();
            for id in ids {
                show_again(stream, group, (id, place), now, reply, handed);
            }
        }
    }
    reply.finish_array(mark, count);
}

/// Shows an entry that the consumer at a place has been handed before.
fn show_again(
    stream: StreamView<'_>,
    group: &mut Group,
    (id, place): (StreamId, usize),
    now: u64,
    reply: &mut Reply<'_>,
    handed: &mut Handed,
) {
    match (stream.range(id, id).next(), group.delivery(id)) {
        (Some(entry), Some(delivery)) => {
            let count = delivery.count.wrapping_add(1);
            group.deliver(id, place, now, count);
            handed.claims.push(Claim { id, owner: None, at: now, count, last: group.last });
            reply_entry(reply, &entry);
        }
        _ => {
            reply.array(2);
            reply_id(reply, id);
            reply.null_array();
        }
    }
}

/// The events and the log of what was done to one stream.
fn report(ctx: &mut Ctx<'_>, (key, group, consumer): (&[u8], &[u8], &[u8]), handed: &Handed) {
    if handed.new_consumer {
        ctx.event(b't', "xgroup-createconsumer", key);
        if handed.claims.is_empty() {
            log_consumer(ctx, key, group, consumer);
        }
    }
    log_claims(ctx, (key, group, consumer), &handed.claims);
    if handed.moved {
        log_group(ctx, key, group, (handed.last, handed.read));
    }
    ctx.node.dirty += u64::from(handed.served) + u64::from(handed.new_consumer);
}
