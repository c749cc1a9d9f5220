//! Entries read: `XLEN`, `XRANGE`, `XREVRANGE`, `XREAD`.

use super::id::parse_end;
use super::reply_entries;
use super::request::{Request, position};
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
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

/// `XREAD [COUNT count] [BLOCK ms] STREAMS key [key ...] id [id ...]`
pub(crate) fn xread(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let request = Request::parse(ctx, args, false)?;
    let mut behind = Vec::with_capacity(request.keys.len());
    for at in request.keys.clone() {
        behind.push(position(ctx, args.at(at), args.at(at + request.keys.len()))?);
    }
    let begin = ctx.reply().position();
    let mark = ctx.reply().deferred();
    let mut served = 0;
    for (at, behind) in request.keys.clone().zip(&behind) {
        let (key, hash) = (args.at(at), ctx.node.data.hash(args.at(at)));
        ctx.view::<Stream, _>(key, hash, |stream, reply| {
            let Some((stream, from)) = stream.zip(behind.next()) else { return };
            if stream.view().last_live() <= *behind {
                return;
            }
            if reply.proto() == Proto::Resp2 {
                reply.array(2);
            }
            reply.bulk(key);
            reply_entries(reply, stream.range(from, StreamId::MAX), request.count);
            served += 1;
        })?;
    }
    let mut reply = ctx.reply();
    if served == 0 {
        reply.truncate(begin);
        request.wait(ctx, args, &behind);
        return Ok(());
    }
    match reply.proto() {
        Proto::Resp2 => reply.finish_array(mark, served),
        Proto::Resp3 => reply.finish_map(mark, served),
    }
    Ok(())
}
