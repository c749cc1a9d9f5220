//! Reading parts of a list: `LLEN`, `LINDEX`, `LRANGE`.

use super::reply_element;
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::Outcome;
use tanist_keyspace::collections::{Collection, List};
use tanist_resp::Args;

/// `LLEN key`
pub(crate) fn llen(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.view::<List, _>(args.at(1), hash, |list, reply| reply.int(list.map_or(0, Collection::len) as i64))
}

/// `LINDEX key index`: the index is looked at only if there is a list.
pub(crate) fn lindex(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.view::<List, _>(args.at(1), hash, |list, reply| {
        let Some(list) = list else {
            reply.null();
            return Ok(());
        };
        match list.get(parse_int(args.at(2))?) {
            Some(element) => reply_element(reply, element),
            None => reply.null(),
        }
        Ok(())
    })?
}

/// `LRANGE key start stop`
pub(crate) fn lrange(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (start, stop) = (parse_int(args.at(2))?, parse_int(args.at(3))?);
    let hash = ctx.hash(args, 1);
    ctx.view::<List, _>(args.at(1), hash, |list, reply| {
        let found = list.and_then(|list| Some((list, range(start, stop, list.len())?)));
        let Some((list, (from, to))) = found else {
            return reply.array(0);
        };
        reply.array(to - from);
        for element in list.iter_from(from).take(to - from) {
            reply_element(reply, element);
        }
    })
}

/// The indexes from `start` to `stop`, both counted from the end if negative, in a list of `len` elements, as a half-open
/// range; `None` if there are none.
pub(super) fn range(start: i64, stop: i64, len: usize) -> Option<(usize, usize)> {
    let index = |i: i64| if i < 0 { i.saturating_add(len as i64) } else { i };
    let from = usize::try_from(index(start).max(0)).ok()?;
    let to = usize::try_from(index(stop)).ok()?.saturating_add(1).min(len);
    (from < to).then_some((from, to))
}
