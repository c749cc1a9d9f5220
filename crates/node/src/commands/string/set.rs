//! Writing one string: `SET` and its older forms, `DELIFEQ`.

use super::options::{Condition, Family, Options, Unit, moment};
use super::{overwrite, put, reply_found, report_set, str_of};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::{Change, Entry, Expiry, KeyHash, StrValue};
use tanist_resp::Args;
use tanist_types::UnixMs;

/// `SET key value [NX | XX | IFEQ value] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]`
pub(crate) fn set(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    if args.len() > 3 {
        return set_with_options(ctx, args, hash);
    }
    // Whatever was there, even if past its time, is overwritten: one look-up in the table.
    put(ctx, args.at(1), hash, args.at(2), Expiry::Clear);
    ctx.reply().ok();
    Ok(())
}

fn set_with_options(ctx: &mut Ctx<'_>, args: Args<'_, '_>, hash: KeyHash) -> Outcome {
    let options = Options::parse(args, 3, Family::Set)?;
    let until = options.until(ctx)?;
    let (key, value) = (args.at(1), args.at(2));
    if options.get {
        answer_old(ctx, key, hash)?;
    }
    let passed = until.is_some_and(|at| ctx.has_passed(at));
    let expiry = options.expiry(until);
    let mut judged = Ok((true, false));
    if options.condition.is_some() || passed {
        ctx.update(key, hash, |found| {
            judged = holds(options.condition, found).map(|holds| (holds, found.is_some()));
            match judged {
                Ok((true, _)) if !passed => Change::Set(StrValue::Bytes(value), expiry),
                _ => Change::Leave,
            }
        });
    } else {
        overwrite(ctx, key, hash, value, expiry);
    }
    let (holds, there) = judged?;
    if holds && !passed {
        report_set(ctx, key, expiry);
        log_set(ctx, key, value, &options, until);
    } else if holds && there {
        ctx.remove_expired(key, hash);
    }
    match (options.get, holds) {
        (true, _) => {}
        (false, true) => ctx.reply().ok(),
        (false, false) => ctx.reply().null(),
    }
    Ok(())
}

/// Answers `GET` with what is there before.
fn answer_old(ctx: &mut Ctx<'_>, key: &[u8], hash: KeyHash) -> Outcome {
    ctx.read(key, hash, reply_found)
}

/// Whether what is there satisfies the condition.
fn holds(condition: Option<Condition<'_>>, found: Option<Entry<'_>>) -> Result<bool, Error> {
    Ok(match (condition, found) {
        (None, _) => true,
        (Some(Condition::Absent), found) => found.is_none(),
        (Some(Condition::Present), found) => found.is_some(),
        (Some(Condition::Equals(_)), None) => false,
        (Some(Condition::Equals(wanted)), Some(entry)) => {
            str_of(entry)?.as_bytes(&mut itoa::Buffer::new()) == wanted
        }
    })
}

/// Logs what the options came to. `NX`, `XX` and `KEEPTTL` may stand as they are.
fn log_set(ctx: &mut Ctx<'_>, key: &[u8], value: &[u8], options: &Options<'_>, until: Option<UnixMs>) {
    if let Some(at) = until {
        return log_set_until(ctx, key, value, at);
    }
    // Not every replica knows IFEQ, and no replica needs GET.
    if options.get || matches!(options.condition, Some(Condition::Equals(_))) {
        match options.expiry(None) {
            Expiry::Keep => ctx.effect(&[b"SET", key, value, b"KEEPTTL"]),
            _ => ctx.effect(&[b"SET", key, value]),
        }
    }
}

fn log_set_until(ctx: &mut Ctx<'_>, key: &[u8], value: &[u8], at: UnixMs) {
    ctx.effect(&[b"SET", key, value, b"PXAT", itoa::Buffer::new().format(at.0).as_bytes()]);
}

/// `SETEX key seconds value`
pub(crate) fn setex(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    set_for(ctx, args, Unit::Secs)
}

/// `PSETEX key milliseconds value`
pub(crate) fn psetex(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    set_for(ctx, args, Unit::Millis)
}

fn set_for(ctx: &mut Ctx<'_>, args: Args<'_, '_>, unit: Unit) -> Outcome {
    let at = moment(ctx, unit, args.at(2))?;
    let (key, value, hash) = (args.at(1), args.at(3), ctx.hash(args, 1));
    put(ctx, key, hash, value, Expiry::At(at));
    log_set_until(ctx, key, value, at);
    ctx.reply().ok();
    Ok(())
}

/// `SETNX key value`
pub(crate) fn setnx(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let mut absent = false;
    ctx.update(key, hash, |found| {
        absent = found.is_none();
        if absent { Change::Set(StrValue::Bytes(args.at(2)), Expiry::Clear) } else { Change::Leave }
    });
    if absent {
        report_set(ctx, key, Expiry::Clear);
    }
    ctx.reply().int(absent.into());
    Ok(())
}

/// `DELIFEQ key value`
pub(crate) fn delifeq(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let equal = match ctx.lookup(key, hash) {
        Some(entry) => str_of(entry)?.as_bytes(&mut itoa::Buffer::new()) == args.at(2),
        None => false,
    };
    if equal {
        ctx.db_mut().remove(key, hash);
        ctx.changed(key);
        ctx.event(b'g', "del", key);
        ctx.effect(&[b"DEL", key]);
    }
    ctx.reply().int(equal.into());
    Ok(())
}
