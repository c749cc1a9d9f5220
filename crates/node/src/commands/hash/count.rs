//! Numbers in fields: `HINCRBY`, `HINCRBYFLOAT`.

use super::{judged_at, log_counted, report_expired};
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::long_double::LongDouble;
use tanist_keyspace::Missing;
use tanist_keyspace::collections::{FieldExpiry, Hash, Pair, Was};
use tanist_resp::Args;
use tanist_types::UnixMs;

/// What a sum has come to.
struct Sum {
    was: Was,
    /// When the field expires.
    expiry: Option<UnixMs>,
}

/// Lets `add` make the new value from the field that is there, if any, and sets it; the expiry stays.
fn add_to(
    ctx: &mut Ctx<'_>,
    args: Args<'_, '_>,
    add: impl FnOnce(Option<Pair<'_>>) -> Result<String, Error>,
) -> Result<(String, Sum), Error> {
    let (key, field) = (args.at(1), args.at(2));
    let (hash, now) = (ctx.hash(args, 1), judged_at(ctx));
    let edited = ctx.edit(key, hash, Missing::Create, |hash: &mut Hash, policy| {
        let old = hash.get(field, now);
        let expiry = old.and_then(|pair| pair.expiry);
        let text = add(old)?;
        let was = hash.set(field, text.as_bytes(), FieldExpiry::Keep, now, policy);
        Ok((text, Sum { was, expiry }))
    })?;
    edited.map_or_else(|| unreachable!("a missing hash is created"), |edited| edited.result)
}

/// Logs that a field was set, with the expiry that it keeps.
fn log_set(ctx: &mut Ctx<'_>, args: Args<'_, '_>, value: &str, expiry: Option<UnixMs>) {
    let (key, field, value) = (args.at(1), args.at(2), value.as_bytes());
    match expiry {
        None => ctx.effect(&[b"HSET", key, field, value]),
        Some(at) => {
            let mut digits = itoa::Buffer::new();
            log_counted(ctx, &[b"HSETEX", key, b"PXAT", digits.format(at.0).as_bytes()], 1, &[field, value]);
        }
    }
}

/// `HINCRBY key field increment`
pub(crate) fn hincrby(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let n = parse_int(args.at(3))?;
    let mut new = 0;
    let (text, sum) = add_to(ctx, args, |old| {
        let old = old.map_or(Some(0), |pair| pair.value.to_int());
        let old = old.ok_or(Error::fixed("ERR hash value is not an integer"))?;
        new = old.checked_add(n).ok_or(Error::OVERFLOW)?;
        Ok(new.to_string())
    })?;
    report(ctx, args.at(1), &sum, "hincrby");
    if sum.was == Was::Expired || sum.expiry.is_some() {
        log_set(ctx, args, &text, sum.expiry);
    }
    ctx.reply().int(new);
    Ok(())
}

/// `HINCRBYFLOAT key field increment`
pub(crate) fn hincrbyfloat(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let n = LongDouble::parse(args.at(3)).ok_or(Error::NOT_A_FLOAT)?;
    if !n.is_finite() {
        return Err(Error::fixed("ERR value is NaN or Infinity"));
    }
    let (text, sum) = add_to(ctx, args, |old| {
        let old = match old {
            Some(pair) => LongDouble::parse(pair.value.as_bytes(&mut itoa::Buffer::new())),
            None => Some(LongDouble::ZERO),
        };
        let new = old.ok_or(Error::fixed("ERR hash value is not a float"))?.add(n);
        if new.is_finite() { Ok(new.to_string()) } else { Err(Error::NAN_OR_INFINITY) }
    })?;
    report(ctx, args.at(1), &sum, "hincrbyfloat");
    // Replicas need not compute: another machine might round otherwise.
    log_set(ctx, args, &text, sum.expiry);
    ctx.reply().bulk(text.as_bytes());
    Ok(())
}

fn report(ctx: &mut Ctx<'_>, key: &[u8], sum: &Sum, event: &str) {
    ctx.changed(key);
    report_expired(ctx, key, usize::from(sum.was == Was::Expired));
    ctx.event(b'h', event, key);
}
