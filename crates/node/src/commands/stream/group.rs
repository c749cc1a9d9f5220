//! Groups made, moved and ended: `XGROUP`; entries done with: `XACK`.

use super::id::{parse, parse_strict};
use super::{group_missing, subcommand_error};
use crate::commands::{parse_int, reply_help};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::Missing;
use tanist_keyspace::collections::{Group, Stream, StreamId};
use tanist_resp::Args;

const KEY_MISSING: Error = Error::fixed(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.",
);
const BUSY: Error = Error::fixed("BUSYGROUP Consumer Group name already exists");

/// `XGROUP HELP`
pub(crate) fn xgroup_help(ctx: &mut Ctx<'_>, _: Args<'_, '_>) -> Outcome {
    reply_help(
        ctx,
        "XGROUP",
        &[
            ("CREATE <key> <groupname> <id|$> [option]", "Create a new consumer group. Options are:"),
            ("    * MKSTREAM", "  Create the empty stream if it does not exist."),
            ("    * ENTRIESREAD entries_read", "  Set the group's entries_read counter (internal use)."),
            ("CREATECONSUMER <key> <groupname> <consumer>", "Create a new consumer in the specified group."),
            ("DELCONSUMER <key> <groupname> <consumer>", "Remove the specified consumer."),
            ("DESTROY <key> <groupname>", "Remove the specified group."),
            (
                "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
                "Set the current group ID and entries_read counter.",
            ),
        ],
    )
}

/// What follows the identifier of `XGROUP CREATE` and `XGROUP SETID`.
#[derive(Default)]
struct Options {
    make: bool,
    read: Option<u64>,
}

fn options(args: Args<'_, '_>, may_make: bool) -> Result<Options, Error> {
    let mut o = Options::default();
    let mut i = 5;
    while let Some(word) = args.get(i) {
        if may_make && word.eq_ignore_ascii_case(b"MKSTREAM") {
            o.make = true;
            i += 1;
        } else if word.eq_ignore_ascii_case(b"ENTRIESREAD") && i + 1 < args.len() {
            o.read = match parse_int(args.at(i + 1))? {
                -1 => None,
                n => Some(
                    u64::try_from(n)
                        .map_err(|_| Error::fixed("ERR value for ENTRIESREAD must be positive or -1"))?,
                ),
            };
            i += 2;
        } else {
            return Err(subcommand_error(args, "XGROUP"));
        }
    }
    Ok(o)
}

/// Gives `f` the stream at argument 2 and how its group is called, which is argument 3.
fn with_stream<R>(
    ctx: &mut Ctx<'_>,
    args: Args<'_, '_>,
    f: impl FnOnce(&mut Stream, &[u8]) -> Result<R, Error>,
) -> Result<R, Error> {
    let hash = ctx.hash(args, 2);
    let done = ctx.edit::<Stream, _>(args.at(2), hash, Missing::Leave, |stream, _| f(stream, args.at(3)))?;
    done.ok_or(KEY_MISSING)?.result
}

fn no_group(args: Args<'_, '_>) -> Error {
    group_missing(args.at(2), args.at(3))
}

/// `XGROUP CREATE key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]`
pub(crate) fn xgroup_create(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let options = options(args, true)?;
    let (key, hash, name) = (args.at(2), ctx.hash(args, 2), args.at(3));
    let known = ctx.edit::<Stream, _>(key, hash, Missing::Leave, |stream, _| stream.about().last)?;
    if known.is_none() && !options.make {
        return Err(KEY_MISSING);
    }
    if args.len() > 8 {
        return Err(subcommand_error(args, "XGROUP"));
    }
    let id = match args.at(4) {
        b"$" => known.map_or(StreamId::MIN, |known| known.result),
        text => parse_strict(text, 0)?,
    };
    let done = ctx.edit::<Stream, _>(key, hash, Missing::Create, |stream, _| {
        let there = stream.groups().contains_key(name);
        if !there {
            stream.groups_mut().insert(name.into(), Group::new(id, options.read));
        }
        !there
    })?;
    let Some(done) = done else { return Err(KEY_MISSING) };
    if !done.result {
        return Err(BUSY);
    }
    if done.created {
        ctx.changed(key);
    } else {
        ctx.node.dirty += 1;
    }
    ctx.event(b't', "xgroup-create", key);
    ctx.reply().ok();
    Ok(())
}

/// `XGROUP SETID key group <id | $> [ENTRIESREAD entries-read]`
pub(crate) fn xgroup_setid(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let options = options(args, false)?;
    with_stream(ctx, args, |stream, name| {
        let last = stream.about().last;
        let group = stream.groups_mut().get_mut(name).ok_or_else(|| no_group(args))?;
        if args.len() > 7 {
            return Err(subcommand_error(args, "XGROUP"));
        }
        group.last = if args.at(4) == b"$" { last } else { parse(args.at(4), 0)? };
        group.read = options.read;
        Ok(())
    })?;
    ctx.node.dirty += 1;
    ctx.event(b't', "xgroup-setid", args.at(2));
    ctx.reply().ok();
    Ok(())
}

/// `XGROUP DESTROY key group`
pub(crate) fn xgroup_destroy(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let gone = with_stream(ctx, args, |stream, name| Ok(stream.groups_mut().remove(name).is_some()))?;
    if gone {
        ctx.node.dirty += 1;
        ctx.event(b't', "xgroup-destroy", args.at(2));
        // Who waits for entries of this group waits in vain.
        let db = ctx.db_index();
        ctx.node.blocking.signal(db, args.at(2));
    }
    ctx.reply().int(i64::from(gone));
    Ok(())
}

/// `XGROUP CREATECONSUMER key group consumer`
pub(crate) fn xgroup_createconsumer(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let now = super::millis(ctx);
    let new = with_stream(ctx, args, |stream, name| {
        let group = stream.groups_mut().get_mut(name).ok_or_else(|| no_group(args))?;
        let new = group.place(args.at(4)).is_none();
        if new {
            group.add_consumer(args.at(4), now);
        }
        Ok(new)
    })?;
    if new {
        ctx.node.dirty += 1;
        ctx.event(b't', "xgroup-createconsumer", args.at(2));
    }
    ctx.reply().int(i64::from(new));
    Ok(())
}

/// `XGROUP DELCONSUMER key group consumer`
pub(crate) fn xgroup_delconsumer(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let gone = with_stream(ctx, args, |stream, name| {
        let group = stream.groups_mut().get_mut(name).ok_or_else(|| no_group(args))?;
        Ok(group.remove_consumer(args.at(4)))
    })?;
    if gone.is_some() {
        ctx.node.dirty += 1;
        ctx.event(b't', "xgroup-delconsumer", args.at(2));
    }
    ctx.reply().int(gone.unwrap_or(0) as i64);
    Ok(())
}

/// `XACK key group id [id ...]`
pub(crate) fn xack(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let done = ctx.edit::<Stream, _>(key, hash, Missing::Leave, |stream, _| {
        let Some(group) = stream.groups_mut().get_mut(args.at(2)) else { return Ok(0) };
        // All are read before anything changes.
        for at in 3..args.len() {
            parse_strict(args.at(at), 0)?;
        }
        let mut gone = 0u64;
        for at in 3..args.len() {
            gone += u64::from(group.acknowledge(parse_strict(args.at(at), 0)?));
        }
        Ok::<_, Error>(gone)
    });
    if let Ok(None) = done {
        // A miss, which counts and is told of.
        ctx.read(key, hash, |_, reply| reply.int(0));
        return Ok(());
    }
    ctx.count_hit();
    let Some(done) = done? else { return Ok(()) };
    let gone = done.result?;
    ctx.node.dirty += gone;
    ctx.reply().int(gone as i64);
    Ok(())
}
