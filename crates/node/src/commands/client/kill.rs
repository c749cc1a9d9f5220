//! `CLIENT KILL` and `CLIENT UNBLOCK`.

use super::describe::{chosen, session};
use super::filter::Filters;
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::output::Output;
use crate::session::SessionId;
use tanist_resp::Args;

/// `CLIENT KILL addr` or `CLIENT KILL filter [value] ...`
pub(crate) fn kill(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if args.len() == 3 {
        return kill_address(ctx, args.at(2));
    }
    let filters = Filters::parse(ctx, args.skip(2), true)?;
    let ids = chosen(ctx, &filters);
    let count = ids.len() as i64;
    for id in ids {
        close(ctx, id);
    }
    ctx.reply().int(count);
    Ok(())
}

/// The form of old: one address, and an error if nobody has it.
fn kill_address(ctx: &mut Ctx<'_>, addr: &[u8]) -> Outcome {
    let has_it = |&id: &SessionId| session(ctx, id).is_some_and(|s| s.peer.addr.as_bytes() == addr);
    let found = ctx.node.sessions.ids().find(has_it);
    close(ctx, found.ok_or(Error::new("ERR No such client"))?);
    ctx.reply().ok();
    Ok(())
}

/// Ends a session: its own after the reply, another at once.
fn close(ctx: &mut Ctx<'_>, id: SessionId) {
    if id == ctx.session.id {
        ctx.session.close_after_reply = true;
        return;
    }
    ctx.node.closed(id);
    ctx.outs.push(Output::Close { session: id, flush: false });
}

/// `CLIENT UNBLOCK id [TIMEOUT | ERROR]`: only for who waits in a command that may time out. What ends by itself is
/// waited for.
pub(crate) fn unblock(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let id = parse_int(args.at(2))?;
    let as_error = match args.get(3) {
        None => false,
        Some(word) if word.eq_ignore_ascii_case(b"timeout") => false,
        Some(word) if word.eq_ignore_ascii_case(b"error") => true,
        Some(_) => return Err(Error::new("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")),
    };
    let id = SessionId(u64::try_from(id).unwrap_or(0));
    let error = Error::fixed("UNBLOCKED client unblocked via CLIENT UNBLOCK");
    let done = ctx.node.unblock(id, as_error.then_some(&error), ctx.outs)
        || ctx.node.unblock_waiter(id, as_error, ctx.outs);
    ctx.reply().int(i64::from(done));
    Ok(())
}
