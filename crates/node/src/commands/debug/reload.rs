//! `DEBUG RELOAD`: saves the data and loads them again, or loads the file that is there.

use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::session::Waiting;
use crate::snapshot::{Reload, Stay};
use tanist_resp::Args;

/// `DEBUG RELOAD [MERGE] [NOFLUSH] [NOSAVE]`. Writes wait until it is over: what is loaded is what was there.
pub(super) fn reload(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (mut save, mut flush, mut merge) = (true, true, false);
    for word in args.iter().skip(2) {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        if is(b"NOSAVE") {
            save = false;
        } else if is(b"NOFLUSH") {
            flush = false;
        } else if is(b"MERGE") {
            merge = true;
        } else {
            return Err(Error::fixed(
                "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.",
            ));
        }
    }
    if ctx.in_transaction {
        return Err(Error::fixed("ERR DEBUG RELOAD must wait and is not allowed in a transaction"));
    }
    if ctx.node.is_replica() {
        return Err(Error::fixed(
            "ERR DEBUG RELOAD is not possible on a replica, whose data follow its primary",
        ));
    }
    if ctx.node.snapshot_running() || ctx.node.saving.reloading.is_some() || ctx.node.migration.is_some() {
        return Err(Error::fixed("ERR Background save already in progress"));
    }
    let stay = match (flush, merge) {
        (true, _) => Stay::None,
        (false, true) => Stay::Others,
        (false, false) => Stay::All,
    };
    ctx.session.waiting = Some(Waiting::Busy);
    ctx.node.reload_begin(ctx.now, Reload { session: ctx.session.id, stay }, save, ctx.outs);
    Ok(())
}
