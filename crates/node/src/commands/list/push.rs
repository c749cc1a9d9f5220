//! Adding elements at an end: `LPUSH`, `RPUSH`, and the forms that create no list.

use super::report_push;
use crate::context::Ctx;
use crate::error::Outcome;
use tanist_keyspace::Missing;
use tanist_keyspace::collections::{Collection, End, List};
use tanist_resp::Args;

/// `LPUSH key element [element ...]`
pub(crate) fn lpush(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    push(ctx, args, End::Front, Missing::Create)
}

/// `RPUSH key element [element ...]`
pub(crate) fn rpush(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    push(ctx, args, End::Back, Missing::Create)
}

/// `LPUSHX key element [element ...]`
pub(crate) fn lpushx(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    push(ctx, args, End::Front, Missing::Leave)
}

/// `RPUSHX key element [element ...]`
pub(crate) fn rpushx(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    push(ctx, args, End::Back, Missing::Leave)
}

fn push(ctx: &mut Ctx<'_>, args: Args<'_, '_>, end: End, missing: Missing) -> Outcome {
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let edited = ctx.edit::<List, _>(key, hash, missing, |list, policy| {
        list.push(end, args.skip(2).iter(), policy);
        list.len()
    })?;
    if edited.is_some() {
        report_push(ctx, key, end, args.len() - 2);
    }
    ctx.reply().int(edited.map_or(0, |edited| edited.result as i64));
    Ok(())
}
