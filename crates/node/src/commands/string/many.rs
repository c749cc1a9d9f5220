//! Several strings at once: `MGET`, `MSET`, `MSETNX`, `MSETEX`.

use super::options::{Condition, Family, Options};
use super::{put, reply_str, str_of};
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::Expiry;
use tanist_resp::Args;
use tanist_types::UnixMs;

/// `MGET key [key ...]`; a key of another type is as one that is missing.
pub(crate) fn mget(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    ctx.reply().array(args.len() - 1);
    ctx.each_key(args, 1..args.len(), |ctx, i, hash| {
        ctx.read(args.at(i), hash, |found, reply| match found.map(str_of) {
            Some(Ok(value)) => reply_str(reply, value),
            _ => reply.null(),
        });
    });
    Ok(())
}

/// `MSET key value [key value ...]`
pub(crate) fn mset(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if args.len().is_multiple_of(2) {
        return Err(ctx.arity_error());
    }
    put_pairs(ctx, args, 1, args.len(), Expiry::Clear);
    ctx.reply().ok();
    Ok(())
}

/// `MSETNX key value [key value ...]`
pub(crate) fn msetnx(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if args.len().is_multiple_of(2) {
        return Err(ctx.arity_error());
    }
    let free = (1..args.len()).step_by(2).all(|i| !exists(ctx, args, i));
    if free {
        put_pairs(ctx, args, 1, args.len(), Expiry::Clear);
    }
    ctx.reply().int(free.into());
    Ok(())
}

/// `MSETEX numkeys key value [key value ...] [NX | XX] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]`
pub(crate) fn msetex(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let end = pairs_end(args)?;
    let options = Options::parse(args, end, Family::MSetEx)?;
    let until = options.until(ctx)?;
    let mut keys = (2..end).step_by(2);
    let passes = match options.condition {
        Some(Condition::Absent) => keys.all(|i| !exists(ctx, args, i)),
        Some(Condition::Present) => keys.all(|i| exists(ctx, args, i)),
        _ => true,
    };
    if passes {
        let expiry = options.expiry(until);
        put_pairs(ctx, args, 2, end, expiry);
        log_pairs(ctx, args, end, expiry);
    }
    ctx.reply().int(passes.into());
    Ok(())
}

/// Where the pairs of `MSETEX` end and its options begin.
fn pairs_end(args: Args<'_, '_>) -> Result<usize, Error> {
    let count = parse_int(args.at(1)).ok().and_then(|n| i32::try_from(n).ok()).filter(|n| *n > 0);
    let Some(count) = count else {
        return Err(Error::new("ERR invalid numkeys value or out of range"));
    };
    let end = 2 + count as usize * 2;
    if end > args.len() { Err(Error::SYNTAX) } else { Ok(end) }
}

fn exists(ctx: &mut Ctx<'_>, args: Args<'_, '_>, i: usize) -> bool {
    let hash = ctx.hash(args, i);
    ctx.exists(args.at(i), hash)
}

/// Sets the pairs from argument `from` up to `end`.
fn put_pairs(ctx: &mut Ctx<'_>, args: Args<'_, '_>, from: usize, end: usize, expiry: Expiry) {
    ctx.each_key(args, (from..end).step_by(2), |ctx, i, hash| {
        put(ctx, args.at(i), hash, args.at(i + 1), expiry);
    });
}

/// `MSETEX` is newer than many replicas: it is logged as one `SET` for each pair.
fn log_pairs(ctx: &mut Ctx<'_>, args: Args<'_, '_>, end: usize, expiry: Expiry) {
    for i in (2..end).step_by(2) {
        let (key, value) = (args.at(i), args.at(i + 1));
        match expiry {
            Expiry::At(UnixMs(at)) => {
                ctx.effect(&[b"SET", key, value, b"PXAT", itoa::Buffer::new().format(at).as_bytes()]);
            }
            Expiry::Keep => ctx.effect(&[b"SET", key, value, b"KEEPTTL"]),
            Expiry::Clear => ctx.effect(&[b"SET", key, value]),
        }
    }
}
