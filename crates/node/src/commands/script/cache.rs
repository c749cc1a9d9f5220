//! `SCRIPT`: the cache of scripts.

use super::{flush_mode, kill, wrong_subcommand};
use crate::commands::reply_help;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::session::DebugMode;
use tanist_resp::Args;
use tanist_scripting::{Purpose, sha1};

/// `SCRIPT LOAD script`
pub(crate) fn load(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let found = ctx.node.scripting.scripts.load(args.at(2), false).map_err(Error::new)?;
    ctx.reply().bulk(&sha1::hex(&found.sha));
    Ok(())
}

/// `SCRIPT EXISTS sha1 [sha1 ...]`
pub(crate) fn exists(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    ctx.reply().array(args.len() - 2);
    for name in args.iter().skip(2) {
        let there = body(ctx, name).is_some();
        ctx.reply().int(there.into());
    }
    Ok(())
}

/// `SCRIPT SHOW sha1`
pub(crate) fn show(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let body = body(ctx, args.at(2)).ok_or(Error::NO_SCRIPT)?.to_vec();
    ctx.reply().bulk(&body);
    Ok(())
}

fn body<'c>(ctx: &'c Ctx<'_>, name: &[u8]) -> Option<&'c [u8]> {
    sha1::parse_hex(name).and_then(|sha| ctx.node.scripting.scripts.body(&sha))
}

/// `SCRIPT FLUSH [SYNC | ASYNC]`
pub(crate) fn flush(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    flush_mode(args.get(2), args.len() > 3, "ERR SCRIPT FLUSH only support SYNC|ASYNC option")?;
    ctx.node.scripting.scripts.flush();
    ctx.reply().ok();
    Ok(())
}

/// `SCRIPT KILL`
pub(crate) fn kill_script(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    kill(ctx, Purpose::Scripts)
}

/// `SCRIPT DEBUG YES | SYNC | NO [engine]`
pub(crate) fn debug(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if args.len() > 4 {
        return Err(wrong_subcommand("SCRIPT", args.at(1)));
    }
    // A session speaks past the replies that wait.
    if !ctx.out.is_empty() || ctx.session.unsent > 0 {
        return Err(Error::fixed("ERR SCRIPT DEBUG must be called outside a pipeline"));
    }
    if let Some(name) = args.get(3).filter(|name| !name.eq_ignore_ascii_case(b"lua")) {
        let name = String::from_utf8_lossy(name).replace(['\r', '\n'], " ");
        return Err(Error::new(format!("ERR No scripting engine found with name '{name}' to enable debug")));
    }
    let mode = match args.at(2).to_ascii_lowercase().as_slice() {
        b"no" => DebugMode::Off,
        b"yes" => DebugMode::Apart,
        b"sync" => DebugMode::Here,
        _ => return Err(Error::fixed("ERR Use SCRIPT DEBUG YES/SYNC/NO")),
    };
    if mode != DebugMode::Off && ctx.watch.debug_link().is_none() {
        return Err(Error::fixed("ERR scripts cannot be debugged over this connection"));
    }
    ctx.session.debug = mode;
    ctx.reply().ok();
    Ok(())
}

/// `SCRIPT HELP`
pub(crate) fn help(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    reply_help(
        ctx,
        "SCRIPT",
        &[
            ("DEBUG (YES|SYNC|NO) [<engine>]", "Choose how scripts of this connection are debugged."),
            ("EXISTS <sha1> [<sha1> ...]", "Tell which of these scripts are in the cache."),
            ("FLUSH [ASYNC|SYNC]", "Forget all scripts."),
            ("KILL", "End the script that is running, if it has not written anything."),
            ("LOAD <script>", "Put a script into the cache without running it."),
            ("SHOW <sha1>", "Show the text of a script in the cache."),
        ],
    )
}
