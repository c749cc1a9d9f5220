//! `CLIENT PAUSE` and `CLIENT UNPAUSE`.

use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::node::Pause;
use std::time::Duration;
use tanist_resp::Args;

/// `CLIENT PAUSE milliseconds [WRITE | ALL]`: a running pause is only ever made longer or stricter.
pub(crate) fn pause(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let all = match args.get(3) {
        None => true,
        Some(word) if word.eq_ignore_ascii_case(b"all") => true,
        Some(word) if word.eq_ignore_ascii_case(b"write") => false,
        Some(_) => return Err(Error::new("ERR CLIENT PAUSE mode must be WRITE or ALL")),
    };
    let millis =
        parse_int(args.at(2)).map_err(|_| Error::new("ERR timeout is not an integer or out of range"))?;
    let millis = u64::try_from(millis).map_err(|_| Error::new("ERR timeout is negative"))?;
    let until = ctx.now.mono + Duration::from_millis(millis);
    let running = ctx.node.pause;
    ctx.node.pause = Some(Pause {
        until: running.map_or(until, |p| p.until.max(until)),
        all: all || running.is_some_and(|p| p.all),
    });
    ctx.node.refresh_gates();
    ctx.reply().ok();
    Ok(())
}

/// `CLIENT UNPAUSE`
pub(crate) fn unpause(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    ctx.node.unpause(ctx.outs);
    ctx.reply().ok();
    Ok(())
}
