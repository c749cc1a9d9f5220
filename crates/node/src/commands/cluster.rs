//! What clients of a cluster send: this server is none, and says so in the words that they know.
//!
//! `READONLY` has a meaning all the same: a client that has announced `CLIENT CAPA redirect` is sent to the
//! primary by a replica, for reads too unless it asked to read here.

use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_resp::Args;

/// `CLUSTER ...`, `CLUSTERSCAN`, `ASKING`
pub(crate) fn disabled(_ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    Err(Error::fixed("ERR This instance has cluster support disabled"))
}

/// `READONLY`
pub(crate) fn readonly(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    ctx.session.readonly = true;
    ctx.reply().ok();
    Ok(())
}

/// `READWRITE`
pub(crate) fn readwrite(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    ctx.session.readonly = false;
    ctx.reply().ok();
    Ok(())
}
