//! `DEL` and `UNLINK`.

use crate::context::Ctx;
use crate::error::Outcome;
use tanist_resp::Args;

/// `DEL key [key ...]`
pub(crate) fn del(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let mut removed = 0;
    for i in 1..args.len() {
        let (key, hash) = (args.at(i), ctx.hash(args, i));
        if ctx.remove(key, hash) {
            ctx.event(b'g', "del", key);
            removed += 1;
        }
    }
    ctx.reply().int(removed);
    Ok(())
}

/// `UNLINK key [key ...]`: strings are freed in constant time here, so it does what `DEL` does.
pub(crate) fn unlink(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    del(ctx, args)
}
