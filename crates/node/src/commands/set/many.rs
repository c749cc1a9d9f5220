//! Changing members that the command names: `SADD`, `SREM`, `SMOVE`.

use crate::context::Ctx;
use crate::error::Outcome;
use tanist_keyspace::Missing;
use tanist_keyspace::collections::Set;
use tanist_resp::Args;

/// `SADD key member [member ...]`
pub(crate) fn sadd(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let count = args.len() - 2;
    let edited = ctx.edit(key, hash, Missing::Create, |set: &mut Set, policy| {
        set.expect(args.at(2), count, policy);
        (2..args.len()).filter(|&i| set.insert(args.at(i), policy)).count()
    })?;
    let added = edited.map_or(0, |edited| edited.result);
    if added > 0 {
        ctx.changed_by(key, added);
        ctx.event(b's', "sadd", key);
    }
    ctx.reply().int(added as i64);
    Ok(())
}

/// `SREM key member [member ...]`
pub(crate) fn srem(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let edited = ctx.edit(key, hash, Missing::Leave, |set: &mut Set, _| {
        (2..args.len()).filter(|&i| set.remove(args.at(i))).count()
    })?;
    let (removed, emptied) = edited.map_or((0, false), |edited| (edited.result, edited.emptied));
    if removed > 0 {
        ctx.changed_by(key, removed);
        ctx.event(b's', "srem", key);
        if emptied {
            ctx.event(b'g', "del", key);
        }
    }
    ctx.reply().int(removed as i64);
    Ok(())
}

/// `SMOVE source destination member`
pub(crate) fn smove(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (from, to, member) = (args.at(1), args.at(2), args.at(3));
    let (from_hash, to_hash) = (ctx.hash(args, 1), ctx.hash(args, 2));
    let here = ctx.lookup(from, from_hash).map(super::read::set_of).transpose()?;
    let Some(here) = here.map(|set| set.contains(member)) else {
        ctx.reply().int(0);
        return Ok(());
    };
    ctx.lookup(to, to_hash).map(super::read::set_of).transpose()?;
    if here && from != to {
        let removed = ctx.edit(from, from_hash, Missing::Leave, |set: &mut Set, _| set.remove(member))?;
        ctx.changed(from);
        ctx.event(b's', "srem", from);
        if removed.is_some_and(|edited| edited.emptied) {
            ctx.event(b'g', "del", from);
        }
        // After that, so that the key it may make is told of behind the loss.
        let added = ctx.edit(to, to_hash, Missing::Create, |set: &mut Set, policy| {
            set.expect(member, 1, policy);
            set.insert(member, policy)
        })?;
        if added.is_some_and(|edited| edited.result) {
            ctx.changed(to);
            ctx.event(b's', "sadd", to);
        }
    }
    ctx.reply().int(here.into());
    Ok(())
}
