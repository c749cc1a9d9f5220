//! The forms that wait for a member: `BZPOPMIN`, `BZPOPMAX`, `BZMPOP`.

use super::pop::{End, parse_mpop, take, take_from_first};
use crate::blocking::{Wait, Wanted};
use crate::context::Ctx;
use crate::error::Outcome;
use std::ops::Range;
use tanist_resp::Args;
use tanist_types::Mono;

/// `BZPOPMIN key [key ...] timeout`
pub(crate) fn bzpopmin(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    pop_or_wait(ctx, args, End::Min)
}

/// `BZPOPMAX key [key ...] timeout`
pub(crate) fn bzpopmax(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    pop_or_wait(ctx, args, End::Max)
}

fn pop_or_wait(ctx: &mut Ctx<'_>, args: Args<'_, '_>, end: End) -> Outcome {
    let last = args.len() - 1;
    let until = ctx.seconds(args.at(last))?;
    for at in 1..last {
        let key = args.at(at);
        let Some(popped) = take(ctx, key, end, 1)? else { continue };
        ctx.effect(&[end.verb(), key]);
        let mut reply = ctx.reply();
        reply.array(1 + 2 * popped.len());
        reply.bulk(key);
        for (member, score) in &popped {
            reply.bulk(member);
            reply.double(*score);
        }
        return Ok(());
    }
    wait(ctx, args, 1..last, until);
    Ok(())
}

/// `BZMPOP timeout numkeys key [key ...] <MIN | MAX> [COUNT count]`
pub(crate) fn bzmpop(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (keys, end, count) = parse_mpop(args, 2)?;
    let until = ctx.seconds(args.at(1))?;
    if !take_from_first(ctx, args, keys.clone(), end, count)? {
        wait(ctx, args, keys, until);
    }
    Ok(())
}

fn wait(ctx: &mut Ctx<'_>, args: Args<'_, '_>, keys: Range<usize>, until: Option<Mono>) {
    let keys = keys.map(|at| args.at(at));
    ctx.block(args, keys, Wait { wanted: Wanted::SortedSet, until, or_gone: false });
}
