//! Writing one string: `SET` and its older forms, `DELIFEQ`.

use super::options::{Condition, Family, Options, Unit, moment};
use super::{put, reply_str, str_of};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::{Expiry, KeyHash, StrRef};
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
    let found = examine(ctx, key, hash, &options)?;
    if !found.passes {
        if !options.get {
            ctx.reply().null();
        }
        return Ok(());
    }
    match until {
        Some(at) if ctx.has_passed(at) => {
            if found.there {
                ctx.remove_expired(key, hash);
            }
        }
        _ => {
            put(ctx, key, hash, value, options.expiry(until));
            log_set(ctx, key, value, &options, until);
        }
    }
    if !options.get {
        ctx.reply().ok();
    }
    Ok(())
}

/// What a conditional `SET` has found.
struct Found {
    there: bool,
    /// The condition holds.
    passes: bool,
}

/// Looks at what is there; answers it for `GET`.
fn examine(ctx: &mut Ctx<'_>, key: &[u8], hash: KeyHash, options: &Options<'_>) -> Result<Found, Error> {
    let judge = |old: Option<Result<StrRef<'_>, Error>>| -> Result<Found, Error> {
        let there = old.is_some();
        let passes = match options.condition {
            None => true,
            Some(Condition::Absent) => !there,
            Some(Condition::Present) => there,
            Some(Condition::Equals(wanted)) => match old {
                Some(old) => old?.as_bytes(&mut itoa::Buffer::new()) == wanted,
                None => false,
            },
        };
        Ok(Found { there, passes })
    };
    if !options.get {
        return judge(ctx.lookup(key, hash).map(str_of));
    }
    ctx.read(key, hash, |entry, reply| {
        let old = entry.map(str_of).transpose()?;
        match old {
            Some(old) => reply_str(reply, old),
            None => reply.null(),
        }
        judge(old.map(Ok))
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
    let hash = ctx.hash(args, 1);
    let absent = ctx.lookup(args.at(1), hash).is_none();
    if absent {
        put(ctx, args.at(1), hash, args.at(2), Expiry::Clear);
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
