//! When fields expire: setting it, removing it, telling it.

use super::options::{Conditions, Fields, Unit, moment};
use super::{judged_at, log_counted, log_fields};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::Missing;
use tanist_keyspace::collections::Hash;
use tanist_resp::Args;
use tanist_types::UnixMs;

/// `HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`
pub(crate) fn hexpire(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    expire(ctx, args, Unit::Secs)
}

/// `HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`
pub(crate) fn hpexpire(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    expire(ctx, args, Unit::Millis)
}

/// `HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`
pub(crate) fn hexpireat(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    expire(ctx, args, Unit::UnixSecs)
}

/// `HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`
pub(crate) fn hpexpireat(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    expire(ctx, args, Unit::UnixMillis)
}

/// There is no such field.
const NONE: i64 = -2;
/// The condition does not hold, or there is nothing to do.
const LEFT: i64 = 0;
const SET: i64 = 1;
/// The moment has passed: the field is removed.
const REMOVED: i64 = 2;

fn expire(ctx: &mut Ctx<'_>, args: Args<'_, '_>, unit: Unit) -> Outcome {
    let (conditions, fields) = Conditions::parse(args)?;
    let at = moment(ctx, unit, args.at(2))?;
    let (key, hash, now) = (args.at(1), ctx.hash(args, 1), judged_at(ctx));
    let passed = ctx.has_passed(at);
    let edited = ctx.edit(key, hash, Missing::Leave, |hash: &mut Hash, policy| {
        let judge = |field| {
            let Some(pair) = hash.get(field, now) else { return NONE };
            if !conditions.hold(pair.expiry, at) {
                return LEFT;
            }
            if passed {
                hash.remove(field, now);
                return REMOVED;
            }
            hash.set_expiry(field, Some(at), policy);
            SET
        };
        fields.of(args).map(judge).collect::<Vec<i64>>()
    })?;
    let (codes, emptied) = edited.map_or((Vec::new(), false), |edited| (edited.result, edited.emptied));
    let mut reply = ctx.reply();
    reply.array(fields.count);
    (0..fields.count).for_each(|i| reply.int(codes.get(i).copied().unwrap_or(NONE)));
    let changed = of_code(args, fields, &codes, if passed { REMOVED } else { SET });
    if changed.is_empty() {
        return Ok(());
    }
    ctx.changed_by(key, changed.len());
    if passed {
        report_passed(ctx, key, &changed, emptied);
        return Ok(());
    }
    ctx.event(b'h', "hexpire", key);
    log_expiry(ctx, key, at, &changed);
    Ok(())
}

/// The fields that this became of. Others are not logged: one past its time is there for a replica, and would come to life
/// again.
fn of_code<'b>(args: Args<'_, 'b>, fields: Fields, codes: &[i64], wanted: i64) -> Vec<&'b [u8]> {
    fields.of(args).zip(codes).filter(|(_, code)| **code == wanted).map(|(field, _)| field).collect()
}

/// Reports that fields were removed because they were given a moment that had passed.
pub(super) fn report_passed(ctx: &mut Ctx<'_>, key: &[u8], removed: &[&[u8]], emptied: bool) {
    ctx.node.stats.expired_fields += removed.len() as u64;
    ctx.event(b'h', "hexpired", key);
    if emptied {
        ctx.event(b'g', "del", key);
    }
    log_fields(ctx, &[b"HDEL", key], removed);
}

/// `HPERSIST key FIELDS numfields field [field ...]`
pub(crate) fn hpersist(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    /// The field does not expire.
    const UNLIMITED: i64 = -1;
    let fields = Fields::only(args, Fields::MISMATCH)?;
    let (key, hash, now) = (args.at(1), ctx.hash(args, 1), judged_at(ctx));
    let edited = ctx.edit(key, hash, Missing::Leave, |hash: &mut Hash, policy| {
        let persist = |field| match hash.get(field, now).map(|pair| pair.expiry) {
            None => NONE,
            Some(None) => UNLIMITED,
            Some(Some(_)) => {
                hash.set_expiry(field, None, policy);
                SET
            }
        };
        fields.of(args).map(persist).collect::<Vec<i64>>()
    })?;
    let codes = edited.map_or(Vec::new(), |edited| edited.result);
    let mut reply = ctx.reply();
    reply.array(fields.count);
    (0..fields.count).for_each(|i| reply.int(codes.get(i).copied().unwrap_or(NONE)));
    report_persisted(ctx, key, &of_code(args, fields, &codes, SET));
    Ok(())
}

/// Reports and logs that these fields will not expire any more, if there are any.
pub(super) fn report_persisted(ctx: &mut Ctx<'_>, key: &[u8], changed: &[&[u8]]) {
    if !changed.is_empty() {
        ctx.changed_by(key, changed.len());
        ctx.event(b'h', "hpersist", key);
        log_counted(ctx, &[b"HPERSIST", key], changed.len(), changed);
    }
}

/// Logs that fields expire at a moment.
pub(super) fn log_expiry(ctx: &mut Ctx<'_>, key: &[u8], at: UnixMs, fields: &[&[u8]]) {
    let mut digits = itoa::Buffer::new();
    log_counted(ctx, &[b"HPEXPIREAT", key, digits.format(at.0).as_bytes()], fields.len(), fields);
}

/// `HTTL key FIELDS numfields field [field ...]`
pub(crate) fn httl(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let now = ctx.wall().0;
    tell(ctx, args, |at| ((at - now).max(0) + 500) / 1000)
}

/// `HPTTL key FIELDS numfields field [field ...]`
pub(crate) fn hpttl(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let now = ctx.wall().0;
    tell(ctx, args, |at| (at - now).max(0))
}

/// `HEXPIRETIME key FIELDS numfields field [field ...]`
pub(crate) fn hexpiretime(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    tell(ctx, args, |at| at.saturating_add(500) / 1000)
}

/// `HPEXPIRETIME key FIELDS numfields field [field ...]`
pub(crate) fn hpexpiretime(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    tell(ctx, args, |at| at)
}

/// Tells of each field when it expires, in the form that `form` makes of the milliseconds.
fn tell(ctx: &mut Ctx<'_>, args: Args<'_, '_>, form: impl Fn(i64) -> i64) -> Outcome {
    const UNLIMITED: i64 = -1;
    let fields = Fields::only(args, Error::SYNTAX)?;
    let (hash, now) = (ctx.hash(args, 1), ctx.judged());
    ctx.view(args.at(1), hash, |hash: Option<&Hash>, reply| {
        reply.array(fields.count);
        for field in fields.of(args) {
            let pair = hash.and_then(|hash| hash.get(field, now));
            reply.int(pair.map_or(NONE, |pair| pair.expiry.map_or(UNLIMITED, |at| form(at.0))));
        }
    })
}
