//! Writing fields: `HSET` and its older forms, `HDEL`.

use super::{judged_at, log_fields, report_expired};
use crate::context::Ctx;
use crate::error::Outcome;
use tanist_keyspace::Missing;
use tanist_keyspace::collections::{FieldExpiry, Hash, NEVER, Was};
use tanist_resp::Args;

/// `HSET key field value [field value ...]`
pub(crate) fn hset(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let new = set_pairs(ctx, args)?;
    ctx.reply().int(new as i64);
    Ok(())
}

/// `HMSET key field value [field value ...]`
pub(crate) fn hmset(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    set_pairs(ctx, args)?;
    ctx.reply().ok();
    Ok(())
}

/// Sets all pairs; how many fields are new.
fn set_pairs(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Result<usize, crate::Error> {
    if !args.len().is_multiple_of(2) {
        return Err(ctx.arity_error());
    }
    let (key, hash, now) = (args.at(1), ctx.hash(args, 1), judged_at(ctx));
    let pairs = args.len() / 2 - 1;
    let (mut new, mut expired) = (0, 0);
    ctx.edit(key, hash, Missing::Create, |hash: &mut Hash, policy| {
        hash.expect(pairs, args.skip(2).iter(), policy);
        for i in (2..args.len()).step_by(2) {
            match hash.set(args.at(i), args.at(i + 1), FieldExpiry::Clear, now, policy) {
                Was::New => new += 1,
                Was::Expired => expired += 1,
                Was::Old => {}
            }
        }
    })?;
    ctx.changed_by(key, pairs);
    report_expired(ctx, key, expired);
    ctx.event(b'h', "hset", key);
    Ok(new + expired)
}

/// `HSETNX key field value`
pub(crate) fn hsetnx(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (key, field, value) = (args.at(1), args.at(2), args.at(3));
    let (hash, now) = (ctx.hash(args, 1), judged_at(ctx));
    let edited = ctx.edit(key, hash, Missing::Create, |hash: &mut Hash, policy| {
        hash.get(field, now).is_none().then(|| hash.set(field, value, FieldExpiry::Clear, now, policy))
    })?;
    let was = edited.and_then(|edited| edited.result);
    if let Some(was) = was {
        ctx.changed(key);
        if was == Was::Expired {
            report_expired(ctx, key, 1);
            // For a replica, the field is there.
            ctx.effect(&[b"HSET", key, field, value]);
        }
        ctx.event(b'h', "hset", key);
    }
    ctx.reply().int(was.is_some().into());
    Ok(())
}

/// `HDEL key field [field ...]`
pub(crate) fn hdel(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (key, hash, now) = (args.at(1), ctx.hash(args, 1), judged_at(ctx));
    let edited = ctx.edit(key, hash, Missing::Leave, |hash: &mut Hash, _| {
        let (mut removed, mut hidden) = (0, false);
        for name in args.skip(2).iter() {
            if hash.remove(name, now) {
                removed += 1;
            } else {
                hidden |= hash.get(name, NEVER).is_some();
            }
        }
        // A field past its time stays here, and is there for a replica, where it must stay as well: with it the last one
        // could go, and the key.
        let gone = |name: &&[u8]| hash.get(name, NEVER).is_none();
        (removed, hidden.then(|| args.skip(2).iter().filter(gone).collect::<Vec<&[u8]>>()))
    })?;
    let ((removed, gone), emptied) =
        edited.map_or(((0, None), false), |edited| (edited.result, edited.emptied));
    report_removed(ctx, key, removed, emptied);
    if let Some(gone) = gone.filter(|_| removed > 0) {
        log_fields(ctx, &[b"HDEL", key], &gone);
    }
    ctx.reply().int(removed as i64);
    Ok(())
}

/// Reports that a client has removed fields, if it has.
pub(super) fn report_removed(ctx: &mut Ctx<'_>, key: &[u8], removed: usize, emptied: bool) {
    if removed > 0 {
        ctx.changed_by(key, removed);
        ctx.event(b'h', "hdel", key);
        if emptied {
            ctx.event(b'g', "del", key);
        }
    }
}
