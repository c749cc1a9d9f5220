//! Members removed: `ZREM`, `ZREMRANGEBYRANK`, `ZREMRANGEBYSCORE`, `ZREMRANGEBYLEX`.

use super::span::Span;
use crate::context::Ctx;
use crate::error::Outcome;
use tanist_keyspace::Missing;
use tanist_keyspace::collections::SortedSet;
use tanist_resp::Args;

/// `ZREM key member [member ...]`
pub(crate) fn zrem(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    remove(ctx, args, "zrem", |set| args.iter().skip(2).filter(|member| set.remove(member).is_some()).count())
}

/// `ZREMRANGEBYRANK key start stop`
pub(crate) fn zremrangebyrank(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let span = Span::ranks(args.at(2), args.at(3))?;
    remove(ctx, args, "zremrangebyrank", |set| cut(set, span))
}

/// `ZREMRANGEBYSCORE key min max`
pub(crate) fn zremrangebyscore(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let span = Span::scores(args.at(2), args.at(3))?;
    remove(ctx, args, "zremrangebyscore", |set| cut(set, span))
}

/// `ZREMRANGEBYLEX key min max`
pub(crate) fn zremrangebylex(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let span = Span::lex(args.at(2), args.at(3))?;
    remove(ctx, args, "zremrangebylex", |set| cut(set, span))
}

fn cut(set: &mut SortedSet, span: Span<'_>) -> usize {
    let range = span.of(set, false);
    set.remove_ranks(range.start, range.len(), &mut |_, _| {});
    range.len()
}

/// Lets `take` remove members and say how many; reports and replies that.
fn remove(
    ctx: &mut Ctx<'_>,
    args: Args<'_, '_>,
    event: &'static str,
    take: impl FnOnce(&mut SortedSet) -> usize,
) -> Outcome {
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let done = ctx.edit::<SortedSet, _>(key, hash, Missing::Leave, |set, _| take(set))?;
    let (count, emptied) = done.map_or((0, false), |done| (done.result, done.emptied));
    if count > 0 {
        ctx.changed(key);
        ctx.event(b'z', event, key);
        if emptied {
            ctx.event(b'g', "del", key);
        }
    }
    ctx.reply().int(count as i64);
    Ok(())
}
