//! Reading one set.

use super::reply_value;
use crate::commands::reply_scan;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::collections::Set;
use tanist_keyspace::{Collection, Entry, ValueRef};
use tanist_resp::Args;

/// The set of an entry.
///
/// # Errors
/// When its value is of another type.
pub(super) fn set_of(entry: Entry<'_>) -> Result<&Set, Error> {
    match entry.value() {
        ValueRef::Set(set) => Ok(set),
        _ => Err(Error::WRONG_TYPE),
    }
}

/// `SCARD key`
pub(crate) fn scard(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.view(args.at(1), hash, |set: Option<&Set>, reply| reply.int(set.map_or(0, Set::len) as i64))
}

/// `SISMEMBER key member`
pub(crate) fn sismember(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.view(args.at(1), hash, |set: Option<&Set>, reply| {
        reply.int(set.is_some_and(|set| set.contains(args.at(2))).into());
    })
}

/// `SMISMEMBER key member [member ...]`
pub(crate) fn smismember(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.view(args.at(1), hash, |set: Option<&Set>, reply| {
        reply.array(args.len() - 2);
        for member in args.skip(2).iter() {
            reply.int(set.is_some_and(|set| set.contains(member)).into());
        }
    })
}

/// `SMEMBERS key`
pub(crate) fn smembers(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.view(args.at(1), hash, |set: Option<&Set>, reply| {
        reply.set(set.map_or(0, Set::len));
        if let Some(set) = set {
            set.for_each(&mut |member| reply_value(reply, member));
        }
    })
}

/// `SSCAN key cursor [MATCH pattern] [COUNT count]`
pub(crate) fn sscan(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    reply_scan(ctx, args, false, |set: &Set, scan, reply| {
        let (mut replies, mut digits) = (0, itoa::Buffer::new());
        let next = set.scan(scan.cursor.0, scan.count, &mut |member| {
            let member = member.as_bytes(&mut digits);
            if scan.wants(member) {
                reply.bulk(member);
                replies += 1;
            }
        });
        (replies, next)
    })
}
