//! `SAVE`, `BGSAVE`, `LASTSAVE`: snapshots to the disk; `BGREWRITEAOF`. None of them forks, and none holds up other
//! clients.

use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::session::Waiting;
use crate::snapshot::SaveKind;
use tanist_resp::Args;

const IN_PROGRESS: Error = Error::fixed("ERR Background save already in progress");

/// `SAVE`: this client waits for the end, others go on.
pub(crate) fn save(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    if ctx.node.snapshot_running() {
        return Err(IN_PROGRESS);
    }
    if ctx.in_transaction {
        return Err(Error::new("ERR SAVE cannot wait inside a transaction, use BGSAVE"));
    }
    ctx.session.waiting = Some(Waiting::Busy);
    ctx.node.save_begin(ctx.now, SaveKind::For(ctx.session.id), ctx.outs);
    Ok(())
}

/// `BGSAVE [SCHEDULE | CANCEL]`
pub(crate) fn bgsave(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let word = args.get(1).map(<[u8]>::to_ascii_lowercase);
    let schedule = match word.as_deref() {
        None => false,
        Some(b"schedule") if args.len() == 2 => true,
        Some(b"cancel") if args.len() == 2 => return cancel(ctx),
        Some(_) => return Err(Error::SYNTAX),
    };
    if ctx.node.saving.is_running() {
        return Err(IN_PROGRESS);
    }
    if ctx.node.snapshot_running() {
        // A full sync holds the key space's one snapshot.
        if !schedule {
            return Err(Error::new(
                "ERR Another snapshot is being sent to a replica: can't BGSAVE right now. Use BGSAVE SCHEDULE in \
                 order to schedule a BGSAVE whenever possible.",
            ));
        }
        ctx.node.saving.scheduled = true;
        ctx.reply().simple("Background saving scheduled");
        return Ok(());
    }
    ctx.node.save_begin(ctx.now, SaveKind::Background, ctx.outs);
    ctx.reply().simple("Background saving started");
    Ok(())
}

fn cancel(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.node.saving.is_running() {
        ctx.node.save_cancel(ctx.now, ctx.outs);
        ctx.reply().simple("Background saving cancelled");
    } else if std::mem::take(&mut ctx.node.saving.scheduled) {
        ctx.reply().simple("Scheduled background saving cancelled");
    } else {
        return Err(Error::new("ERR Background saving is currently not in progress or scheduled"));
    }
    Ok(())
}

/// `BGREWRITEAOF`: whoever asks counts on a file that is not written.
pub(crate) fn bgrewriteaof(_ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    Err(Error::fixed(
        "ERR There is no append-only file to rewrite: 'appendonly' has no effect in this version, use 'save' or BGSAVE",
    ))
}

/// `LASTSAVE`
pub(crate) fn lastsave(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let at = ctx.node.saving.last_save.secs();
    ctx.reply().int(at);
    Ok(())
}
