//! `OBJECT`: how values are stored and used. Looking leaves no trace of use.

use crate::commands::reply_help;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::Entry;
use tanist_resp::{Args, Reply};

/// Answers for the entry of the key argument; null if there is none.
fn inspect(ctx: &mut Ctx<'_>, args: Args<'_, '_>, answer: impl FnOnce(Entry<'_>, &mut Reply<'_>)) -> Outcome {
    let (key, hash) = (args.at(2), ctx.hash(args, 2));
    ctx.inspect(key, hash, |found, reply| match found {
        Some(entry) => answer(entry, reply),
        None => reply.null(),
    });
    Ok(())
}

/// `OBJECT ENCODING key`
pub(crate) fn object_encoding(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    inspect(ctx, args, |entry, reply| reply.bulk_str(entry.encoding().name()))
}

/// `OBJECT REFCOUNT key`: values are never shared.
pub(crate) fn object_refcount(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    inspect(ctx, args, |_, reply| reply.int(1))
}

/// `OBJECT FREQ key`
pub(crate) fn object_freq(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (usage, now) = (ctx.node.usage, ctx.wall());
    if !usage.is_lfu() {
        return refuse(
            ctx,
            args,
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when \
             switching between policies at runtime LRU and LFU data will take some time to adjust.",
        );
    }
    inspect(ctx, args, |entry, reply| reply.int(usage.frequency(entry, now).into()))
}

/// `OBJECT IDLETIME key`
pub(crate) fn object_idletime(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if ctx.node.usage.is_lfu() {
        return refuse(
            ctx,
            args,
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching \
             between policies at runtime LRU and LFU data will take some time to adjust.",
        );
    }
    let now = ctx.wall();
    inspect(ctx, args, |entry, reply| reply.int(entry.access().lru_idle_secs(now).into()))
}

/// Nobody has noted what is asked for: null without the key, else why.
fn refuse(ctx: &mut Ctx<'_>, args: Args<'_, '_>, why: &'static str) -> Outcome {
    let (key, hash) = (args.at(2), ctx.hash(args, 2));
    ctx.inspect(key, hash, |found, reply| match found {
        Some(_) => Err(Error::fixed(why)),
        None => {
            reply.null();
            Ok(())
        }
    })
}

/// `OBJECT HELP`
pub(crate) fn object_help(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    reply_help(
        ctx,
        "OBJECT",
        &[
            ("ENCODING <key>", "Tell how the value at <key> is stored."),
            (
                "FREQ <key>",
                "Tell how often <key> is used: a counter that grows with the logarithm of its uses.",
            ),
            ("IDLETIME <key>", "Tell for about how many seconds <key> has not been used."),
            ("REFCOUNT <key>", "Tell how many references there are to the value at <key>."),
        ],
    )
}
