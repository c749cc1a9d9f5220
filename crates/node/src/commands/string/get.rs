//! Reading one string: `GET` and the forms that change or remove it on the way.

use super::options::{Family, Lifetime, Options};
use super::{reply_found, str_of};
use crate::context::Ctx;
use crate::error::Outcome;
use tanist_keyspace::{Expiry, StrValue};
use tanist_resp::Args;
use tanist_types::UnixMs;

/// `GET key`
pub(crate) fn get(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.read(args.at(1), hash, reply_found)
}

/// `STRLEN key`
pub(crate) fn strlen(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.read(args.at(1), hash, |found, reply| {
        let len = found.map(str_of).transpose()?.map_or(0, |s| s.len());
        reply.int(len as i64);
        Ok(())
    })
}

/// `GETSET key value`
pub(crate) fn getset(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (key, value, hash) = (args.at(1), args.at(2), ctx.hash(args, 1));
    ctx.read(key, hash, reply_found)?;
    ctx.db_mut().set(key, hash, StrValue::Bytes(value), Expiry::Clear);
    ctx.changed(key);
    ctx.event(b'$', "set", key);
    ctx.effect(&[b"SET", key, value]);
    Ok(())
}

/// `GETDEL key`
pub(crate) fn getdel(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let there = ctx.read(key, hash, |found, reply| {
        reply_found(found, reply)?;
        Ok::<bool, crate::Error>(found.is_some())
    })?;
    if there {
        ctx.db_mut().remove(key, hash);
        ctx.changed(key);
        ctx.event(b'g', "del", key);
        ctx.effect(&[b"DEL", key]);
    }
    Ok(())
}

/// `GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]`
pub(crate) fn getex(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let options = Options::parse(args, 2, Family::GetEx)?;
    let until = options.until(ctx)?;
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let found = ctx.read(key, hash, |found, reply| {
        reply_found(found, reply)?;
        Ok::<_, crate::Error>(found.map(|e| e.expiry()))
    })?;
    let Some(before) = found else { return Ok(()) };
    match until {
        Some(at) if ctx.has_passed(at) => ctx.remove_expired(key, hash),
        Some(at) => set_expiry(ctx, args, at),
        None if options.lifetime == Lifetime::Persist && before.is_some() => {
            ctx.db_mut().set_expiry(key, hash, None);
            ctx.changed(key);
            ctx.event(b'g', "persist", key);
            ctx.effect(&[b"PERSIST", key]);
        }
        None => {}
    }
    Ok(())
}

fn set_expiry(ctx: &mut Ctx<'_>, args: Args<'_, '_>, at: UnixMs) {
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    ctx.db_mut().set_expiry(key, hash, Some(at));
    ctx.changed(key);
    ctx.event(b'g', "expire", key);
    ctx.effect(&[b"PEXPIREAT", key, itoa::Buffer::new().format(at.0).as_bytes()]);
}
