//! Switches of `DEBUG` that suites of tests turn. Those for what this server does not do (forking, cluster links, fixed
//! reply buffers, tables that are resized at a stroke) are accepted and change nothing, as on a Redis server at rest.

use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_resp::Args;
use tanist_types::ReplId;

/// Subcommands with one argument that is not even looked at, as in Redis.
const WITHOUT_EFFECT: [&[u8]; 11] = [
    b"aof-flush-sleep",
    b"client-enforce-reply-list",
    b"close-cluster-link-on-packet-drop",
    b"dict-resizing",
    b"disable-cluster-random-ping",
    b"disable-cluster-reconnection",
    b"drop-cluster-packet-filter",
    b"force-free-primary-async",
    b"force-tls-write-error",
    b"hashtable-can-abort-shrink",
    b"pause-after-fork",
];

/// Whether `name`, in lower case, is a switch without effect.
pub(super) fn has_no_effect(name: &[u8]) -> bool {
    WITHOUT_EFFECT.contains(&name)
}

/// `DEBUG SET-ACTIVE-EXPIRE 0|1`
pub(super) fn set_active_expire(ctx: &mut Ctx<'_>, value: &[u8]) -> Outcome {
    ctx.node.active_expire = parse_int(value).unwrap_or(0) != 0;
    ctx.reply().ok();
    Ok(())
}

/// `DEBUG SET-DISABLE-DENY-SCRIPTS 0|1`: scripts may carry out every command meanwhile.
pub(super) fn unbind_scripts(ctx: &mut Ctx<'_>, value: &[u8]) -> Outcome {
    ctx.node.scripts_unbound = parse_int(value).unwrap_or(0) != 0;
    ctx.reply().ok();
    Ok(())
}

/// `DEBUG SET-SKIP-CHECKSUM-VALIDATION 0|1`: payloads are read whatever their checksums meanwhile, so that what is in
/// them can be wrong.
pub(super) fn leave_checksums_unread(ctx: &mut Ctx<'_>, value: &[u8]) -> Outcome {
    ctx.node.checksums_unread = parse_int(value).unwrap_or(0) != 0;
    ctx.reply().ok();
    Ok(())
}

/// `DEBUG PAUSE-CRON 0|1`: nothing is done by time meanwhile: no expiry, no idle clients, no save
/// points, no signals.
pub(super) fn pause_cron(ctx: &mut Ctx<'_>, value: &[u8]) -> Outcome {
    ctx.node.cron_paused = parse_int(value).unwrap_or(0) != 0;
    ctx.reply().ok();
    Ok(())
}

/// `DEBUG QUICKLIST-PACKED-THRESHOLD size`: checked, and without effect: no element has a node of its own for its size.
pub(super) fn packed_threshold(ctx: &mut Ctx<'_>, size: &[u8]) -> Outcome {
    let size = std::str::from_utf8(size).ok().and_then(tanist_config::units::parse_memory);
    if size.is_none_or(|size| size >= 1 << 32) {
        return Err(Error::fixed("ERR argument must be a memory value bigger than 1 and smaller than 4gb"));
    }
    ctx.reply().ok();
    Ok(())
}

/// `DEBUG REPLYBUFFER RESIZING 0|1`, `DEBUG REPLYBUFFER PEAK-RESET-TIME NEVER|RESET|milliseconds`: checked, and without
/// effect: reply buffers belong to threads and have no peak.
pub(super) fn reply_buffer(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let is = |i: usize, name: &[u8]| args.at(i).eq_ignore_ascii_case(name);
    if is(2, b"peak-reset-time") {
        if !is(3, b"never") && !is(3, b"reset") {
            parse_int(args.at(3))?;
        }
    } else if !is(2, b"resizing") {
        return Err(super::unknown(args));
    }
    ctx.reply().ok();
    Ok(())
}

/// `DEBUG REPLICATE word [word ...]`: a command for the log alone. Replicas have other data afterwards.
pub(super) fn replicate(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let words: Vec<&[u8]> = args.iter().skip(2).collect();
    let known = ctx.node.prepare_one(args.skip(2)).is_known();
    if !known {
        return Err(Error::fixed("ERR DEBUG REPLICATE takes a command that replicas know"));
    }
    ctx.effect(&words);
    ctx.reply().ok();
    Ok(())
}

/// `DEBUG CHANGE-REPL-ID`: the log goes on under a name that nobody has heard of, so replicas need all data again.
pub(super) fn change_repl_id(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.node.is_replica() || ctx.node.belongs_to_group() {
        return Err(Error::fixed(
            "ERR the history of a replica or of a group's node is not its own to change",
        ));
    }
    let id = ReplId::random(&mut ctx.node.rng);
    ctx.node.rename_history(id, ctx.outs);
    ctx.reply().ok();
    Ok(())
}
