//! `SLOWLOG` and `COMMANDLOG`: what the logs of slow, large and talkative commands hold.

use super::{parse_int, reply_help};
use crate::command_log::LogKind;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_resp::Args;

/// `SLOWLOG GET [count]`
pub(crate) fn slowlog_get(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    match args.get(2) {
        _ if args.len() > 3 => Err(Error::new(format!(
            "ERR unknown subcommand or wrong number of arguments for '{}'. Try SLOWLOG HELP.",
            String::from_utf8_lossy(args.at(1))
        ))),
        Some(count) => get(ctx, LogKind::Slow, count),
        None => get(ctx, LogKind::Slow, b"10"),
    }
}

/// `SLOWLOG LEN`
pub(crate) fn slowlog_len(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    len(ctx, LogKind::Slow)
}

/// `SLOWLOG RESET`
pub(crate) fn slowlog_reset(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    reset(ctx, LogKind::Slow)
}

/// `COMMANDLOG GET count type`
pub(crate) fn commandlog_get(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let log = kind(args.at(3))?;
    get(ctx, log, args.at(2))
}

/// `COMMANDLOG LEN type`
pub(crate) fn commandlog_len(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    len(ctx, kind(args.at(2))?)
}

/// `COMMANDLOG RESET type`
pub(crate) fn commandlog_reset(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    reset(ctx, kind(args.at(2))?)
}

fn kind(word: &[u8]) -> Result<LogKind, Error> {
    match word.to_ascii_lowercase().as_slice() {
        b"slow" => Ok(LogKind::Slow),
        b"large-request" => Ok(LogKind::LargeRequest),
        b"large-reply" => Ok(LogKind::LargeReply),
        _ => Err(Error::new("ERR type should be one of the following: slow, large-request, large-reply")),
    }
}

fn get(ctx: &mut Ctx<'_>, log: LogKind, count: &[u8]) -> Outcome {
    let count = match parse_int(count) {
        Ok(-1) => usize::MAX,
        Ok(n) if n >= 0 => n as usize,
        _ => return Err(Error::new("ERR count should be greater than or equal to -1")),
    };
    let mut reply = tanist_resp::Reply::new(ctx.out, ctx.session.proto);
    let entries = &ctx.node.command_logs.ring(log).entries;
    reply.array(count.min(entries.len()));
    for entry in entries.iter().take(count) {
        reply.array(6);
        reply.int(entry.id as i64);
        reply.int(entry.at.secs());
        reply.int(entry.measure as i64);
        reply.array(entry.args.len());
        for arg in &entry.args {
            reply.bulk(arg);
        }
        reply.bulk(entry.addr.as_bytes());
        reply.bulk(&entry.client);
    }
    Ok(())
}

fn len(ctx: &mut Ctx<'_>, log: LogKind) -> Outcome {
    let len = ctx.node.command_logs.ring(log).entries.len();
    ctx.reply().int(len as i64);
    Ok(())
}

fn reset(ctx: &mut Ctx<'_>, log: LogKind) -> Outcome {
    ctx.node.command_logs.ring(log).entries.clear();
    ctx.reply().ok();
    Ok(())
}

/// `SLOWLOG HELP`
pub(crate) fn slowlog_help(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    reply_help(
        ctx,
        "SLOWLOG",
        &[
            (
                "GET [<count>]",
                "Show the latest <count> entries (10 unless told, -1 for all): number, time of day, microseconds, \
                 arguments, address and name of the client.",
            ),
            ("LEN", "Tell how many entries there are."),
            ("RESET", "Clear the log."),
        ],
    )
}

/// `COMMANDLOG HELP`
pub(crate) fn commandlog_help(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    reply_help(
        ctx,
        "COMMANDLOG",
        &[
            (
                "GET <count> <type>",
                "Show the latest <count> entries (-1 for all) of a log (slow, large-request, large-reply): number, \
                 time of day, microseconds or bytes, arguments, address and name of the client.",
            ),
            ("LEN <type>", "Tell how many entries a log has."),
            ("RESET <type>", "Clear a log."),
        ],
    )
}
