//! Numbers in strings: `INCR` and its kin, `INCRBYFLOAT`.

use super::str_of;
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::long_double::LongDouble;
use tanist_keyspace::{Change, Entry, Expiry, StrValue};
use tanist_resp::Args;

/// `INCR key`
pub(crate) fn incr(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    add(ctx, args, 1)
}

/// `DECR key`
pub(crate) fn decr(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    add(ctx, args, -1)
}

/// `INCRBY key increment`
pub(crate) fn incrby(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let n = parse_int(args.at(2))?;
    add(ctx, args, n)
}

/// `DECRBY key decrement`
pub(crate) fn decrby(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let n = parse_int(args.at(2))?;
    let n = n.checked_neg().ok_or(Error::new("ERR decrement would overflow"))?;
    add(ctx, args, n)
}

fn add(ctx: &mut Ctx<'_>, args: Args<'_, '_>, n: i64) -> Outcome {
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let mut sum = Err(Error::OVERFLOW);
    ctx.update(key, hash, |found| {
        sum = add_to(found, n);
        sum.as_ref().map_or(Change::Leave, |new| Change::SetInt(*new))
    });
    let new = sum?;
    ctx.changed(key);
    ctx.event(b'$', "incrby", key);
    ctx.reply().int(new);
    Ok(())
}

/// The integer that is there, or zero, and `n`.
fn add_to(found: Option<Entry<'_>>, n: i64) -> Result<i64, Error> {
    let old = match found {
        Some(entry) => str_of(entry)?.to_int().ok_or(Error::NOT_AN_INTEGER)?,
        None => 0,
    };
    old.checked_add(n).ok_or(Error::OVERFLOW)
}

/// `INCRBYFLOAT key increment`
pub(crate) fn incrbyfloat(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let old = match ctx.lookup(key, hash) {
        Some(entry) => {
            let mut digits = itoa::Buffer::new();
            LongDouble::parse(str_of(entry)?.as_bytes(&mut digits))
        }
        None => Some(LongDouble::ZERO),
    };
    let (old, n) = old.zip(LongDouble::parse(args.at(2))).ok_or(Error::NOT_A_FLOAT)?;
    let new = old.add(n);
    if !new.is_finite() {
        return Err(Error::NAN_OR_INFINITY);
    }
    let text = new.to_string();
    ctx.db_mut().set(key, hash, StrValue::Text(text.as_bytes()), Expiry::Keep);
    ctx.changed(key);
    ctx.event(b'$', "incrbyfloat", key);
    // Replicas need not compute: another machine might round otherwise.
    ctx.effect(&[b"SET", key, text.as_bytes(), b"KEEPTTL"]);
    ctx.reply().bulk(text.as_bytes());
    Ok(())
}
