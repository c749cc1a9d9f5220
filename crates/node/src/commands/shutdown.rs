//! `SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [SAFE] [FAILOVER]`, `SHUTDOWN ABORT`.

use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::session::Waiting;
use crate::shutdown::ShutdownRequest;
use tanist_resp::Args;

/// Ends the server; the client hears of it only if nothing comes of it.
pub(crate) fn shutdown(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let mut request = ShutdownRequest::default();
    let (mut failover, mut abort) = (false, false);
    for word in args.iter().skip(1) {
        match word.to_ascii_lowercase().as_slice() {
            b"nosave" if request.save.is_none() => request.save = Some(false),
            b"save" if request.save.is_none() => request.save = Some(true),
            b"now" => request.now = true,
            b"force" => request.force = true,
            // It spares the primaries of a cluster mode that we do not have.
            b"safe" => {}
            b"failover" => failover = true,
            b"abort" => abort = true,
            _ => return Err(Error::SYNTAX),
        }
    }
    if abort {
        if args.len() > 2 {
            return Err(Error::SYNTAX);
        }
        ctx.node.shutdown_abort(ctx.outs)?;
        ctx.reply().ok();
        return Ok(());
    }
    if failover {
        return Err(Error::new("ERR SHUTDOWN FAILOVER is only supported in cluster mode."));
    }
    if ctx.in_transaction {
        return Err(Error::not_in_multi(ctx.command.full_name));
    }
    // What would be saved is in the middle of a script's changes.
    if request.save != Some(false)
        && let Some(script) = ctx.node.suspended_script()
    {
        return Err(script.busy_error());
    }
    ctx.session.waiting = Some(Waiting::Busy);
    ctx.node.shutdown(ctx.now, request, Some(ctx.session.id), ctx.outs);
    Ok(())
}
