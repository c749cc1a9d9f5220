//! Entries read: `XLEN`, `XRANGE`, `XREVRANGE`, `XREAD`.

use super::id::{parse_end, parse_strict};
use super::reply_entries;
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::Typed;
use tanist_keyspace::collections::{Collection, Stream, StreamId};
use tanist_resp::{Args, Proto};

/// `XLEN key`
pub(crate) fn xlen(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.view::<Stream, _>(args.at(1), hash, |stream, reply| {
        reply.int(stream.map_or(0, Stream::len) as i64);
    })
}

/// `XRANGE key start end [COUNT count]`
pub(crate) fn xrange(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    range(ctx, args, false)
}

/// `XREVRANGE key end start [COUNT count]`
pub(crate) fn xrevrange(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    range(ctx, args, true)
}

fn range(ctx: &mut Ctx<'_>, args: Args<'_, '_>, reverse: bool) -> Outcome {
    let (start, end) = if reverse { (3, 2) } else { (2, 3) };
    let from = match parse_end(args.at(start), 0)? {
        (id, true) => id.next().ok_or(Error::fixed("ERR invalid start ID for the interval"))?,
        (id, false) => id,
    };
    let to = match parse_end(args.at(end), u64::MAX)? {
        (id, true) => id.previous().ok_or(Error::fixed("ERR invalid end ID for the interval"))?,
        (id, false) => id,
    };
    // Negative in the arguments is none, too.
    let mut most = None;
    let mut i = 4;
    while let Some(word) = args.get(i) {
        let Some(count) = args.get(i + 1).filter(|_| word.eq_ignore_ascii_case(b"COUNT")) else {
            return Err(Error::SYNTAX);
        };
        most = Some(u64::try_from(parse_int(count)?).unwrap_or(0));
        i += 2;
    }
    let hash = ctx.hash(args, 1);
    ctx.view::<Stream, _>(args.at(1), hash, |stream, reply| match (stream, most) {
        (None, _) => reply.array(0),
        (Some(_), Some(0)) => reply.null_array(),
        (Some(stream), most) => {
            let entries = stream.range(from, to);
            if reverse {
                reply_entries(reply, entries.rev(), most.unwrap_or(0));
            } else {
                reply_entries(reply, entries, most.unwrap_or(0));
            }
        }
    })
}

/// `XREAD [COUNT count] STREAMS key [key ...] id [id ...]`
pub(crate) fn xread(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (mut count, mut keys, mut blocks) = (0, None, false);
    let mut i = 1;
    while let Some(word) = args.get(i) {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        let more = args.len() - i - 1;
        match () {
            () if is(b"BLOCK") && more > 0 => {
                let timeout = parse_int(args.at(i + 1))
                    .map_err(|_| Error::fixed("ERR timeout is not an integer or out of range"))?;
                if timeout < 0 {
                    return Err(Error::fixed("ERR timeout is negative"));
                }
                blocks = true;
                i += 1;
            }
            () if is(b"COUNT") && more > 0 => {
                count = u64::try_from(parse_int(args.at(i + 1))?).unwrap_or(0);
                i += 1;
            }
            () if is(b"STREAMS") && more > 0 => {
                if !more.is_multiple_of(2) {
                    return Err(Error::fixed(
                        "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.",
                    ));
                }
                keys = Some(i + 1..i + 1 + more / 2);
                break;
            }
            () if is(b"GROUP") && more > 1 => {
                return Err(Error::fixed(
                    "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
                ));
            }
            () if is(b"NOACK") => {
                return Err(Error::fixed(
                    "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
                ));
            }
            () => return Err(Error::SYNTAX),
        }
        i += 1;
    }
    let keys = keys.ok_or(Error::SYNTAX)?;
    let mut behind = Vec::with_capacity(keys.len());
    for at in keys.clone() {
        behind.push(position(ctx, args.at(at), args.at(at + keys.len()))?);
    }
    let begin = ctx.reply().position();
    let mark = ctx.reply().deferred();
    let mut served = 0;
    for (at, behind) in keys.zip(behind) {
        let (key, hash) = (args.at(at), ctx.node.data.hash(args.at(at)));
        ctx.view::<Stream, _>(key, hash, |stream, reply| {
            let Some((stream, from)) = stream.zip(behind.next()) else { return };
            if stream.last_live() <= behind {
                return;
            }
            if reply.proto() == Proto::Resp2 {
                reply.array(2);
            }
            reply.bulk(key);
            reply_entries(reply, stream.range(from, StreamId::MAX), count);
            served += 1;
        })?;
    }
    let mut reply = ctx.reply();
    if served > 0 {
        match reply.proto() {
            Proto::Resp2 => reply.finish_array(mark, served),
            Proto::Resp3 => reply.finish_map(mark, served),
        }
        return Ok(());
    }
    reply.truncate(begin);
    if blocks && !ctx.in_transaction {
        return Err(Error::fixed("ERR waiting for entries with BLOCK is not supported"));
    }
    ctx.reply().null_array();
    Ok(())
}

/// The identifier behind which entries are wanted of a stream.
fn position(ctx: &mut Ctx<'_>, key: &[u8], text: &[u8]) -> Result<StreamId, Error> {
    let hash = ctx.node.data.hash(key);
    let found = ctx.lookup(key, hash).map(|entry| Stream::of(entry.value()).ok_or(Error::WRONG_TYPE));
    let stream = found.transpose()?;
    match text {
        b"$" => Ok(stream.map_or(StreamId::MIN, |stream| stream.about().last)),
        // The last entry itself is wanted, if it is still there.
        b"+" => Ok(stream.and_then(|stream| stream.about().last.previous()).unwrap_or(StreamId::MIN)),
        b">" => Err(Error::fixed(
            "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
        )),
        _ => parse_strict(text, 0),
    }
}
