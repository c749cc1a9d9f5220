//! Scripts that are debugged: one session per script, after which its connection ends.
//!
//! Either in a process of its own, which is thrown away with all that the script has changed, or here, where everybody
//! waits and the changes stay. The session itself is `tanist_scripting`'s; here it gets its script and its connection.

use crate::context::Ctx;
use crate::dispatch::apply_reply_mode;
use crate::error::{Error, Outcome};
use crate::input::{DebugLink, Forked, Stopwatch};
use crate::output::LogLevel;
use crate::session::DebugMode;
use std::time::Duration;
use tanist_resp::{Args, Reply};
use tanist_scripting::{Answer, Debugger};

/// How long a script may run between two stops if no time is set (`busy-reply-threshold`).
const PATIENCE: Duration = Duration::from_secs(5);

/// Debugs the script of an `EVAL`, which `run` runs with the session.
pub(crate) fn debug<'a>(
    ctx: &mut Ctx<'a>,
    args: Args<'_, '_>,
    run: impl FnOnce(&mut Ctx<'a>, &mut Option<Box<Debugger>>) -> Outcome,
) -> Outcome {
    let watch = ctx.watch;
    let link = watch
        .debug_link()
        .filter(|_| ctx.session.unsent == 0)
        .ok_or(Error::fixed("ERR scripts cannot be debugged here, or while replies wait to be read"))?;
    let apart = ctx.session.debug == DebugMode::Apart;
    if apart {
        match link.fork() {
            Ok(Forked::Child) => {}
            Ok(Forked::Parent) => {
                // The reply is the other process' to give, and the connection's end.
                ctx.session.close_after_reply = true;
                return Ok(());
            }
            Err(why) => {
                return Err(Error::new(format!(
                    "ERR Fork() failed: can't run EVAL in debugging mode: {why}"
                )));
            }
        }
    } else {
        log(ctx, "Synchronous debugging session started");
    }
    let begin = ctx.out.len();
    let outcome = hold(ctx, link, args, run);
    if apart {
        if let Err(error) = &outcome {
            Reply::new(ctx.out, ctx.session.proto).error(error.text());
        }
        apply_reply_mode(ctx.session, ctx.out, begin);
        link.exit(ctx.out);
    }
    log(ctx, "Synchronous debugging session ended");
    ctx.session.close_after_reply = true;
    outcome
}

fn log(ctx: &mut Ctx<'_>, what: &str) {
    let id = ctx.session.id.0;
    ctx.outs.log(LogLevel::Notice, format!("{what} by client id={id}"));
}

/// Holds the session from its beginning to its last word; the reply follows.
fn hold<'a>(
    ctx: &mut Ctx<'a>,
    link: &dyn DebugLink,
    args: Args<'_, '_>,
    run: impl FnOnce(&mut Ctx<'a>, &mut Option<Box<Debugger>>) -> Outcome,
) -> Outcome {
    let patience = match ctx.node.config.busy_reply_threshold {
        0 => PATIENCE,
        millis => Duration::from_millis(millis),
    };
    let mut debugger = Some(Box::new(Debugger::new(args.at(1), patience.as_secs_f64())));
    let outcome = run(ctx, &mut debugger);
    // A script that has run has it; one that could not does not.
    let debugger = debugger.or_else(|| ctx.node.scripting.scripts.engine().ok()?.end_debugging());
    if let Some(debugger) = debugger {
        link.tell(&debugger.farewell());
    }
    outcome
}

/// Sends a message of the session.
pub(super) fn tell(watch: &dyn Stopwatch, request: &[&[u8]]) {
    if let (Some(link), [message]) = (watch.debug_link(), request) {
        // Who does not take it does not say anything either, which ends the session.
        link.tell(message);
    }
}

/// Waits for what the client says, which goes to `room`.
pub(super) fn hear(watch: &dyn Stopwatch, room: &mut Vec<u8>) -> Answer {
    match watch.debug_link() {
        Some(link) if link.hear(room) => Answer::Go,
        _ => Answer::Gone,
    }
}
