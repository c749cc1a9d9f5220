//! Entries that wait to be acknowledged: `XPENDING`.

use super::id::parse_end;
use super::{group_missing_at, millis, reply_id};
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::collections::{Delivery, Group, Stream, StreamId};
use tanist_resp::{Args, Reply};

/// Which entries are to be shown.
struct Wanted<'b> {
    /// Handed out at least so long ago, in milliseconds; zero is any.
    min_idle: i64,
    from: StreamId,
    to: StreamId,
    count: u64,
    consumer: Option<&'b [u8]>,
}

impl<'b> Wanted<'b> {
    fn parse(args: Args<'_, 'b>) -> Result<Wanted<'b>, Error> {
        let (mut first, mut min_idle) = (3, 0);
        if args.at(3).eq_ignore_ascii_case(b"IDLE") {
            min_idle = parse_int(args.at(4))?;
            if args.len() < 8 {
                return Err(Error::SYNTAX);
            }
            first = 5;
        }
        let count = u64::try_from(parse_int(args.at(first + 2))?).unwrap_or(0);
        let from = match parse_end(args.at(first), 0)? {
            (id, true) => id.next().ok_or(Error::fixed("ERR invalid start ID for the interval"))?,
            (id, false) => id,
        };
        let to = match parse_end(args.at(first + 1), u64::MAX)? {
            (id, true) => id.previous().ok_or(Error::fixed("ERR invalid end ID for the interval"))?,
            (id, false) => id,
        };
        Ok(Wanted { min_idle, from, to, count, consumer: args.get(first + 3) })
    }
}

/// `XPENDING key group [[IDLE min-idle-time] start end count [consumer]]`
pub(crate) fn xpending(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let wanted = match args.len() {
        3 => None,
        6..=9 => Some(Wanted::parse(args)?),
        _ => return Err(Error::SYNTAX),
    };
    let (now, hash) = (millis(ctx), ctx.hash(args, 1));
    ctx.view::<Stream, _>(args.at(1), hash, |stream, reply| {
        let group = stream.and_then(|stream| stream.groups().get(args.at(2)));
        let group = group.ok_or_else(|| group_missing_at(args.at(1), args.at(2), ""))?;
        match wanted {
            None => summarize(reply, group),
            Some(wanted) => list(reply, group, &wanted, now),
        }
        Ok(())
    })?
}

fn summarize(reply: &mut Reply<'_>, group: &Group) {
    reply.array(4);
    reply.int(group.pending_len() as i64);
    let ends = (group.pending(..).next(), group.pending(..).next_back());
    let (Some((first, ..)), Some((last, ..))) = ends else {
        reply.null();
        reply.null();
        reply.null_array();
        return;
    };
    reply_id(reply, first);
    reply_id(reply, last);
    let busy = || group.consumers().filter(|consumer| !consumer.pending().is_empty());
    reply.array(busy().count());
    for consumer in busy() {
        reply.array(2);
        reply.bulk(&consumer.name);
        reply.bulk_int(consumer.pending().len() as i64);
    }
}

fn list(reply: &mut Reply<'_>, group: &Group, wanted: &Wanted<'_>, now: u64) {
    let place = wanted.consumer.map(|name| group.place(name));
    if place == Some(None) || wanted.from > wanted.to {
        reply.array(0);
        return;
    }
    let mark = reply.deferred();
    let mut shown = 0;
    let mut show = |(id, delivery, name): (StreamId, Delivery, &[u8])| {
        let idle = now.wrapping_sub(delivery.at) as i64;
        if shown as u64 == wanted.count {
            return false;
        }
        if wanted.min_idle == 0 || idle >= wanted.min_idle {
            shown += 1;
            reply.array(4);
            reply_id(reply, id);
            reply.bulk(name);
            reply.int(idle.max(0));
            reply.int(delivery.count as i64);
        }
        true
    };
    let range = wanted.from..=wanted.to;
    match place.flatten() {
        Some(place) => {
            let consumer = group.at(place);
            let entries = consumer.pending().range(range);
            let mut entries = entries.filter_map(|id| Some((*id, group.delivery(*id)?, &*consumer.name)));
            let _ = entries.all(&mut show);
        }
        None => {
            let mut entries =
                group.pending(range).map(|(id, delivery, consumer)| (id, delivery, &*consumer.name));
            let _ = entries.all(&mut show);
        }
    }
    reply.finish_array(mark, shown);
}
