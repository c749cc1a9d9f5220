//! Times to live: `EXPIRE` and its kin, `TTL` and its kin, `PERSIST`.

use crate::commands::{parse_int, quoted};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::Change;
use tanist_resp::Args;
use tanist_types::UnixMs;

/// How the command's number tells a moment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Secs,
    Millis,
}

/// On what the old expiry the new one depends.
#[derive(Clone, Copy, Default)]
struct Conditions {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
}

impl Conditions {
    fn parse(args: Args<'_, '_>) -> Result<Conditions, Error> {
        let mut c = Conditions::default();
        for word in args.skip(3).iter() {
            let flag = match () {
                () if word.eq_ignore_ascii_case(b"NX") => &mut c.nx,
                () if word.eq_ignore_ascii_case(b"XX") => &mut c.xx,
                () if word.eq_ignore_ascii_case(b"GT") => &mut c.gt,
                () if word.eq_ignore_ascii_case(b"LT") => &mut c.lt,
                () => {
                    return Err(Error::new(format!("ERR Unsupported option {}", quoted(word))));
                }
            };
            *flag = true;
        }
        if c.nx && (c.xx || c.gt || c.lt) {
            return Err(Error::new("ERR NX and XX, GT or LT options at the same time are not compatible"));
        }
        if c.gt && c.lt {
            return Err(Error::new("ERR GT and LT options at the same time are not compatible"));
        }
        Ok(c)
    }

    /// Whether the expiry may become `new`. No expiry counts as later than any.
    fn hold(self, old: Option<UnixMs>, new: UnixMs) -> bool {
        !(self.nx && old.is_some()
            || self.xx && old.is_none()
            || self.gt && old.is_none_or(|old| new <= old)
            || self.lt && old.is_some_and(|old| new >= old))
    }
}

/// `EXPIRE key seconds [NX | XX | GT | LT]`
pub(crate) fn expire(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let now = ctx.wall().0;
    set(ctx, args, Unit::Secs, now)
}

/// `PEXPIRE key milliseconds [NX | XX | GT | LT]`
pub(crate) fn pexpire(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let now = ctx.wall().0;
    set(ctx, args, Unit::Millis, now)
}

/// `EXPIREAT key unix-time-seconds [NX | XX | GT | LT]`
pub(crate) fn expireat(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    set(ctx, args, Unit::Secs, 0)
}

/// `PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]`
pub(crate) fn pexpireat(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    set(ctx, args, Unit::Millis, 0)
}

fn set(ctx: &mut Ctx<'_>, args: Args<'_, '_>, unit: Unit, base: i64) -> Outcome {
    let conditions = if args.len() > 3 { Conditions::parse(args)? } else { Conditions::default() };
    let n = parse_int(args.at(2))?;
    let at = n.checked_mul(if unit == Unit::Secs { 1000 } else { 1 }).and_then(|n| n.checked_add(base));
    let at = UnixMs(at.ok_or_else(|| Error::invalid_expire(ctx.command.full_name))?);
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let (passed, mut sets) = (ctx.has_passed(at), false);
    ctx.update(key, hash, |found| {
        sets = found.is_some_and(|e| conditions.hold(e.expiry(), at));
        if sets && !passed { Change::SetExpiry(Some(at)) } else { Change::Leave }
    });
    if sets && passed {
        ctx.remove_expired(key, hash);
    } else if sets {
        ctx.changed(key);
        ctx.event(b'g', "expire", key);
        // The conditions held here; a replica need not judge them again, nor know them.
        ctx.effect(&[b"PEXPIREAT", key, itoa::Buffer::new().format(at.0).as_bytes()]);
    }
    ctx.reply().int(sets.into());
    Ok(())
}

/// `PERSIST key`
pub(crate) fn persist(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let mut had = false;
    ctx.update(key, hash, |found| {
        had = found.is_some_and(|e| e.expiry().is_some());
        Change::SetExpiry(None)
    });
    if had {
        ctx.changed(key);
        ctx.event(b'g', "persist", key);
    }
    ctx.reply().int(had.into());
    Ok(())
}

/// `TTL key`
pub(crate) fn ttl(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let now = ctx.wall().0;
    tell(ctx, args, |at| secs((at - now).max(0)))
}

/// `PTTL key`
pub(crate) fn pttl(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let now = ctx.wall().0;
    tell(ctx, args, |at| (at - now).max(0))
}

/// `EXPIRETIME key`
pub(crate) fn expiretime(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    tell(ctx, args, secs)
}

/// `PEXPIRETIME key`
pub(crate) fn pexpiretime(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    tell(ctx, args, |at| at)
}

/// Milliseconds as the nearest number of seconds.
fn secs(millis: i64) -> i64 {
    millis / 1000 + i64::from(millis % 1000 >= 500)
}

/// Answers with what `show` makes of the expiry: -1 if there is none, -2 if there is no key.
fn tell(ctx: &mut Ctx<'_>, args: Args<'_, '_>, show: impl FnOnce(i64) -> i64) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.read_untouched(args.at(1), hash, |found, reply| {
        reply.int(match found.map(|e| e.expiry()) {
            None => -2,
            Some(None) => -1,
            Some(Some(at)) => show(at.0),
        });
    });
    Ok(())
}
