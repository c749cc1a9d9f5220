//! Strings.

use crate::context::Ctx;
use crate::error::Outcome;
use tanist_keyspace::{Expiry, StrRef, StrValue, ValueRef};
use tanist_resp::{Args, Reply};

/// Writes a string value as a bulk string.
pub(crate) fn reply_str(reply: &mut Reply<'_>, value: StrRef<'_>) {
    match value {
        StrRef::Bytes(bytes) => reply.bulk(bytes),
        StrRef::Int(n) => reply.bulk_int(n),
    }
}

/// `GET key`
pub(crate) fn get(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    let (found, mut reply) = ctx.lookup_read(args.at(1), hash);
    match found.map(|e| e.value()) {
        Some(ValueRef::Str(value)) => reply_str(&mut reply, value),
        Some(_) => return Err(crate::Error::WRONG_TYPE),
        None => reply.null(),
    }
    Ok(())
}

/// `SET key value`
pub(crate) fn set(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.db_mut().set(args.at(1), hash, StrValue::Bytes(args.at(2)), Expiry::Clear);
    ctx.changed(args.at(1));
    ctx.reply().ok();
    Ok(())
}
