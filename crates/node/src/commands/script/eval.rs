//! `EVAL`, `EVALSHA`, `FCALL` and their read-only forms.

use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::node::Node;
use crate::scripting::{Script, debug, run};
use crate::session::DebugMode;
use tanist_resp::Args;
use tanist_scripting::{Answer, Debugger, Engine, Flags, Kept, Purpose, sha1};

/// What is to be run.
struct Target {
    purpose: Purpose,
    function: Kept,
    flags: Option<Flags>,
}

/// `EVAL script numkeys [key ...] [arg ...]`
pub(crate) fn eval(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    by_text(ctx, args, false)
}

/// `EVAL_RO script numkeys [key ...] [arg ...]`
pub(crate) fn eval_ro(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    by_text(ctx, args, true)
}

/// `EVALSHA sha1 numkeys [key ...] [arg ...]`
pub(crate) fn evalsha(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    by_sha(ctx, args, false)
}

/// `EVALSHA_RO sha1 numkeys [key ...] [arg ...]`
pub(crate) fn evalsha_ro(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    by_sha(ctx, args, true)
}

/// `FCALL function numkeys [key ...] [arg ...]`
pub(crate) fn fcall(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    by_name(ctx, args, false)
}

/// `FCALL_RO function numkeys [key ...] [arg ...]`
pub(crate) fn fcall_ro(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    by_name(ctx, args, true)
}

fn by_text(ctx: &mut Ctx<'_>, args: Args<'_, '_>, read_only: bool) -> Outcome {
    if ctx.session.debug != DebugMode::Off {
        return debug(ctx, args, |ctx, debugger| text(ctx, args, read_only, debugger));
    }
    text(ctx, args, read_only, &mut None)
}

/// Runs a script by its text, debugged by the session if there is one.
fn text(
    ctx: &mut Ctx<'_>,
    args: Args<'_, '_>,
    read_only: bool,
    debugger: &mut Option<Box<Debugger>>,
) -> Outcome {
    let keys = count_keys(args, Error::NOT_AN_INTEGER)?;
    show_monitors(ctx, args);
    let found = ctx.node.scripting.scripts.load(args.at(1), true).map_err(Error::new)?;
    begin(ctx, args, keys, &script(found), read_only, debugger)
}

fn by_sha(ctx: &mut Ctx<'_>, args: Args<'_, '_>, read_only: bool) -> Outcome {
    let sha = sha1::parse_hex(args.at(1));
    if args.at(1).len() != 40 {
        return Err(Error::NO_SCRIPT);
    }
    if ctx.session.debug != DebugMode::Off {
        return Err(Error::fixed("ERR Please use EVAL instead of EVALSHA for debugging"));
    }
    let keys = count_keys(args, Error::NOT_AN_INTEGER)?;
    show_monitors(ctx, args);
    let found = sha.and_then(|sha| ctx.node.scripting.scripts.find(&sha)).ok_or(Error::NO_SCRIPT)?;
    begin(ctx, args, keys, &script(found), read_only, &mut None)
}

fn by_name(ctx: &mut Ctx<'_>, args: Args<'_, '_>, read_only: bool) -> Outcome {
    show_monitors(ctx, args);
    let found = ctx.node.scripting.libraries.find(args.at(1));
    let (function, flags) = found.ok_or(Error::fixed("ERR Function not found"))?;
    let keys = count_keys(args, Error::fixed("ERR Bad number of keys provided"))?;
    let target = Target { purpose: Purpose::Functions, function, flags: Some(flags) };
    begin(ctx, args, keys, &target, read_only, &mut None)
}

fn script(found: tanist_scripting::Found) -> Target {
    Target { purpose: Purpose::Scripts, function: found.function, flags: found.flags }
}

/// The number of keys, which stands behind what is to be run.
fn count_keys(args: Args<'_, '_>, unreadable: Error) -> Result<usize, Error> {
    let n = parse_int(args.at(2)).map_err(|_| unreadable)?;
    if n > (args.len() - 3) as i64 {
        return Err(Error::fixed("ERR Number of keys can't be greater than number of args"));
    }
    usize::try_from(n).map_err(|_| Error::fixed("ERR Number of keys can't be negative"))
}

/// Who monitors sees the script before its commands; the dispatcher leaves that to the handler.
fn show_monitors(ctx: &mut Ctx<'_>, args: Args<'_, '_>) {
    if !ctx.node.monitors.is_empty() {
        let (now, command) = (ctx.now, ctx.command);
        let amid = ctx.in_transaction;
        ctx.node.feed_monitors(now, ctx.session, command, args, (ctx.out, ctx.outs), amid);
    }
}

fn begin(
    ctx: &mut Ctx<'_>,
    args: Args<'_, '_>,
    keys: usize,
    target: &Target,
    read_only: bool,
    debugger: &mut Option<Box<Debugger>>,
) -> Outcome {
    let mut rules = Node::rules(ctx, target.flags, read_only)?;
    let taken = match target.purpose {
        Purpose::Scripts => ctx.node.scripting.scripts.take_engine(),
        Purpose::Functions => ctx.node.scripting.libraries.take_engine(),
    };
    let mut engine: Box<Engine> = taken.ok_or_else(|| Error::fixed("ERR a script is running"))?;
    let limit = ctx.node.config.lua_memory_limit;
    engine.set_memory_limit(if limit == 0 {
        usize::MAX
    } else {
        usize::try_from(limit).unwrap_or(usize::MAX)
    });
    if let Some(debugger) = debugger.take() {
        rules.debugged = true;
        engine.debug(debugger);
    }
    let rest = args.skip(3);
    let arguments = rest.skip(keys);
    engine.begin(target.function, rest.iter().take(keys), arguments.iter(), ctx.session.proto);
    let script = Script {
        engine,
        purpose: target.purpose,
        began: ctx.now,
        rules,
        db: ctx.session.db,
        answer: Answer::Go,
        kill: false,
    };
    run(ctx, script, args);
    Ok(())
}
