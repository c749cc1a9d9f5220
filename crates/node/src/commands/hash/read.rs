//! Reading one hash.

use super::fields::{reply_all, reply_text, reply_value};
use crate::commands::reply_scan;
use crate::commands::set::Picks;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::Collection;
use tanist_keyspace::collections::{Hash, Pair};
use tanist_resp::{Args, Proto, Reply};
use tanist_types::Rng;

/// `HGET key field`
pub(crate) fn hget(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (hash, now) = (ctx.hash(args, 1), ctx.judged());
    ctx.view(args.at(1), hash, |hash: Option<&Hash>, reply| {
        reply_value(reply, hash.and_then(|hash| hash.get(args.at(2), now)));
    })
}

/// `HMGET key field [field ...]`
pub(crate) fn hmget(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (hash, now) = (ctx.hash(args, 1), ctx.judged());
    ctx.view(args.at(1), hash, |hash: Option<&Hash>, reply| {
        reply.array(args.len() - 2);
        for field in args.skip(2).iter() {
            reply_value(reply, hash.and_then(|hash| hash.get(field, now)));
        }
    })
}

/// `HEXISTS key field`
pub(crate) fn hexists(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (hash, now) = (ctx.hash(args, 1), ctx.judged());
    ctx.view(args.at(1), hash, |hash: Option<&Hash>, reply| {
        reply.int(hash.is_some_and(|hash| hash.get(args.at(2), now).is_some()).into());
    })
}

/// `HSTRLEN key field`
pub(crate) fn hstrlen(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (hash, now) = (ctx.hash(args, 1), ctx.judged());
    ctx.view(args.at(1), hash, |hash: Option<&Hash>, reply| {
        let pair = hash.and_then(|hash| hash.get(args.at(2), now));
        reply.int(pair.map_or(0, |pair| pair.value.len()) as i64);
    })
}

/// `HLEN key`: fields past their time count until they are removed.
pub(crate) fn hlen(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.view(args.at(1), hash, |hash: Option<&Hash>, reply| {
        reply.int(hash.map_or(0, Hash::len) as i64);
    })
}

/// `HGETALL key`
pub(crate) fn hgetall(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (hash, now) = (ctx.hash(args, 1), ctx.judged());
    ctx.view(args.at(1), hash, |hash: Option<&Hash>, reply| {
        reply_all(reply, hash, now, Reply::map, Reply::finish_map, |reply, pair| {
            reply_text(reply, pair.field);
            reply_text(reply, pair.value);
        });
    })
}

/// `HKEYS key`
pub(crate) fn hkeys(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (hash, now) = (ctx.hash(args, 1), ctx.judged());
    ctx.view(args.at(1), hash, |hash: Option<&Hash>, reply| {
        reply_all(reply, hash, now, Reply::array, Reply::finish_array, |reply, pair| {
            reply_text(reply, pair.field);
        });
    })
}

/// `HVALS key`
pub(crate) fn hvals(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (hash, now) = (ctx.hash(args, 1), ctx.judged());
    ctx.view(args.at(1), hash, |hash: Option<&Hash>, reply| {
        reply_all(reply, hash, now, Reply::array, Reply::finish_array, |reply, pair| {
            reply_text(reply, pair.value);
        });
    })
}

/// `HRANDFIELD key [count [WITHVALUES]]`
pub(crate) fn hrandfield(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let bound = ctx.reply_bound();
    let picks = if args.len() > 2 { Some(Picks::parse(args, 2, bound)?) } else { None };
    let values = args.get(3).is_some();
    if args.len() > 4 || args.get(3).is_some_and(|word| !word.eq_ignore_ascii_case(b"WITHVALUES")) {
        return Err(Error::SYNTAX);
    }
    let (hash, now) = (ctx.hash(args, 1), ctx.judged());
    let mut rng = Rng::from_seed(ctx.node.rng.next_u64());
    ctx.view(args.at(1), hash, |hash: Option<&Hash>, reply| {
        let Some(picks) = picks else {
            match hash.and_then(|hash| hash.random(now, &mut rng)) {
                Some(pair) => reply_text(reply, pair.field),
                None => reply.null(),
            }
            return;
        };
        let nested = values && reply.proto() == Proto::Resp3;
        let (mark, mut count) = (reply.deferred(), 0);
        let see = |reply: &mut Reply<'_>, pair: Pair<'_>| {
            if nested {
                reply.array(2);
            }
            reply_text(reply, pair.field);
            if values {
                reply_text(reply, pair.value);
            }
        };
        match (hash, picks) {
            (None, _) => {}
            (Some(hash), Picks::Distinct(most)) => {
                count = hash.sample(most, now, &mut rng, &mut |pair| see(reply, pair));
            }
            (Some(hash), Picks::Repeating(wanted)) => {
                while (count as u64) < wanted
                    && reply.position() < bound
                    && let Some(pair) = hash.random(now, &mut rng)
                {
                    see(reply, pair);
                    count += 1;
                }
            }
        }
        reply.finish_array(mark, if values && !nested { 2 * count } else { count });
    })
}

/// `HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]`
pub(crate) fn hscan(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let now = ctx.judged();
    reply_scan(ctx, args, true, |hash: &Hash, scan, reply| {
        let (mut replies, mut digits) = (0, itoa::Buffer::new());
        let next = hash.scan(scan.cursor.0, scan.count, &mut |pair| {
            let field = pair.field.as_bytes(&mut digits);
            if pair.is_live(now) && scan.wants(field) {
                reply.bulk(field);
                replies += 1;
                if !scan.no_values {
                    reply_text(reply, pair.value);
                    replies += 1;
                }
            }
        });
        (replies, next)
    })
}
