//! Changing a list in the middle: `LINSERT`, `LSET`, `LREM`, `LTRIM`.

use super::range::range;
use super::report_emptied;
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::Missing;
use tanist_keyspace::collections::{Collection, List, Side};
use tanist_resp::Args;

/// `LINSERT key BEFORE | AFTER pivot element`
pub(crate) fn linsert(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let side = if args.at(2).eq_ignore_ascii_case(b"AFTER") {
        Side::After
    } else if args.at(2).eq_ignore_ascii_case(b"BEFORE") {
        Side::Before
    } else {
        return Err(Error::SYNTAX);
    };
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let edited = ctx.edit::<List, _>(key, hash, Missing::Leave, |list, policy| {
        list.insert(args.at(3), side, args.at(4), policy).then(|| list.len())
    })?;
    let len = match edited.map(|edited| edited.result) {
        None => 0,
        Some(None) => -1,
        Some(Some(len)) => {
            ctx.changed(key);
            ctx.event(b'l', "linsert", key);
            len as i64
        }
    };
    ctx.reply().int(len);
    Ok(())
}

/// `LSET key index element`
pub(crate) fn lset(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    // The index is looked at only if there is a list.
    let index = parse_int(args.at(2));
    let edited = ctx.edit::<List, _>(key, hash, Missing::Leave, |list, policy| {
        index.map(|index| list.set(index, args.at(3), policy))
    })?;
    if !edited.ok_or(Error::NO_SUCH_KEY)?.result? {
        return Err(Error::fixed("ERR index out of range"));
    }
    ctx.changed(key);
    ctx.event(b'l', "lset", key);
    ctx.reply().ok();
    Ok(())
}

/// `LREM key count element`
pub(crate) fn lrem(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let count = parse_int(args.at(2))?;
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let edited = ctx
        .edit::<List, _>(key, hash, Missing::Leave, |list, policy| list.remove(args.at(3), count, policy))?;
    let removed = edited.map_or(0, |edited| edited.result);
    if removed > 0 {
        ctx.changed(key);
        ctx.event(b'l', "lrem", key);
        report_emptied(ctx, key, edited.is_some_and(|edited| edited.emptied));
    }
    ctx.reply().int(removed as i64);
    Ok(())
}

/// `LTRIM key start stop`
pub(crate) fn ltrim(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (start, stop) = (parse_int(args.at(2))?, parse_int(args.at(3))?);
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let edited = ctx.edit::<List, _>(key, hash, Missing::Leave, |list, policy| {
        let (from, to) = range(start, stop, list.len()).unwrap_or((0, 0));
        list.keep(from, to, policy)
    })?;
    if let Some(edited) = edited {
        // As in Redis, who watches the key and who listens is told even if all elements are kept.
        if edited.result > 0 {
            ctx.changed(key);
        } else {
            ctx.notice_change(ctx.db_index(), key);
        }
        ctx.event(b'l', "ltrim", key);
        report_emptied(ctx, key, edited.emptied);
    }
    ctx.reply().ok();
    Ok(())
}
