//! `CLIENT`: what connections tell about each other and do to each other.

mod describe;
mod filter;
mod kill;
mod pause;
mod tracking;

pub(crate) use describe::{Running, info, line, list};
pub(crate) use kill::{kill, unblock};
pub(crate) use pause::{pause, unpause};
pub(crate) use tracking::{caching, getredir, stop as stop_tracking, tracking, trackinginfo};

use super::connection::check_name;
use super::reply_help;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::session::ReplyMode;
use tanist_resp::Args;

/// `CLIENT ID`
pub(crate) fn id(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let id = ctx.session.id.0 as i64;
    ctx.reply().int(id);
    Ok(())
}

/// `CLIENT GETNAME`
pub(crate) fn getname(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let name = ctx.session.name.clone();
    match name.is_empty() {
        true => ctx.reply().null(),
        false => ctx.reply().bulk(&name),
    }
    Ok(())
}

/// `CLIENT SETNAME name`
pub(crate) fn setname(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    check_name(args.at(2))?;
    ctx.session.name = args.at(2).into();
    ctx.reply().ok();
    Ok(())
}

/// `CLIENT SETINFO (lib-name | lib-ver) value`
pub(crate) fn setinfo(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let option = String::from_utf8_lossy(args.at(2)).to_ascii_lowercase();
    let slot = match option.as_str() {
        "lib-name" => &mut ctx.session.lib_name,
        "lib-ver" => &mut ctx.session.lib_version,
        _ => {
            let given = String::from_utf8_lossy(args.at(2));
            return Err(Error::new(format!("ERR Unrecognized option '{given}'")));
        }
    };
    if check_name(args.at(3)).is_err() {
        let text = format!("ERR {option} cannot contain spaces, newlines or special characters.");
        return Err(Error::new(text));
    }
    *slot = args.at(3).into();
    ctx.reply().ok();
    Ok(())
}

/// `CLIENT REPLY (ON | OFF | SKIP)`
pub(crate) fn reply(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let mode = args.at(2);
    if mode.eq_ignore_ascii_case(b"on") {
        ctx.session.reply_mode = ReplyMode::On;
        ctx.reply().ok();
    } else if mode.eq_ignore_ascii_case(b"off") {
        ctx.session.reply_mode = ReplyMode::Off;
    } else if mode.eq_ignore_ascii_case(b"skip") {
        if ctx.session.reply_mode != ReplyMode::Off {
            ctx.session.reply_mode = ReplyMode::SkipNext;
        }
    } else {
        return Err(Error::SYNTAX);
    }
    Ok(())
}

/// `CLIENT NO-EVICT (ON | OFF)`
pub(crate) fn no_evict(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    ctx.session.no_evict = on_or_off(args.at(2))?;
    ctx.reply().ok();
    Ok(())
}

/// `CLIENT NO-TOUCH (ON | OFF)`
pub(crate) fn no_touch(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    ctx.session.no_touch = on_or_off(args.at(2))?;
    ctx.reply().ok();
    Ok(())
}

/// `CLIENT IMPORT-SOURCE (ON | OFF)`
pub(crate) fn import_source(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if !ctx.node.config.import_mode && !args.at(2).eq_ignore_ascii_case(b"off") {
        return Err(Error::fixed("ERR Server is not in import mode"));
    }
    ctx.session.import_source = on_or_off(args.at(2))?;
    ctx.reply().ok();
    Ok(())
}

fn on_or_off(word: &[u8]) -> Result<bool, Error> {
    if word.eq_ignore_ascii_case(b"on") {
        Ok(true)
    } else if word.eq_ignore_ascii_case(b"off") {
        Ok(false)
    } else {
        Err(Error::SYNTAX)
    }
}

/// `CLIENT CAPA capability [capability ...]`: unknown ones are passed over, as clients of later versions expect.
pub(crate) fn capa(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    ctx.session.redirects |= args.iter().skip(2).any(|c| c.eq_ignore_ascii_case(b"redirect"));
    ctx.reply().ok();
    Ok(())
}

/// `CLIENT HELP`
pub(crate) fn help(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    reply_help(
        ctx,
        "CLIENT",
        &[
            ("CACHING (YES|NO)", "Say whether the keys that the next command reads are to be tracked."),
            ("CAPA <capability> [<capability> ...]", "Say what this client is able to do (REDIRECT)."),
            ("GETNAME", "Give the name of this connection."),
            ("GETREDIR", "Tell where invalidation messages of this connection go."),
            ("ID", "Give the number of this connection."),
            ("IMPORT-SOURCE (ON|OFF)", "Say that this connection copies data into a server in import-mode."),
            ("INFO", "Describe this connection."),
            ("KILL <ip:port>", "Close the connection that comes from <ip:port>."),
            (
                "KILL <filter> [<value>] [<filter> [<value>] ...]",
                "Close the connections that pass all filters: ID, TYPE, USER, ADDR, LADDR, IP, NAME, FLAGS, DB, \
                 LIB-NAME, LIB-VER, CAPA, MAXAGE, IDLE, each also with NOT- before it; SKIPME (YES|NO).",
            ),
            ("LIST [<filter> [<value>] ...]", "Describe the connections that pass all filters (see KILL)."),
            ("NO-EVICT (ON|OFF)", "Keep this connection when client memory is short."),
            ("NO-TOUCH (ON|OFF)", "Do not refresh the access time of keys that this connection reads."),
            ("PAUSE <milliseconds> [WRITE|ALL]", "Let commands wait, all of them or those that write."),
            ("REPLY (ON|OFF|SKIP)", "Say whether this connection wants replies."),
            ("SETINFO (LIB-NAME|LIB-VER) <value>", "Tell the name or the version of the client's library."),
            ("SETNAME <name>", "Name this connection."),
            (
                "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> ...] [OPTIN] [OPTOUT] [NOLOOP]",
                "Tell this connection, or another, when keys that it has read change.",
            ),
            ("TRACKINGINFO", "Tell what this connection has asked of client-side caching."),
            ("UNBLOCK <id> [TIMEOUT|ERROR]", "End the wait of a blocked connection."),
            ("UNPAUSE", "End what PAUSE began."),
        ],
    )
}
