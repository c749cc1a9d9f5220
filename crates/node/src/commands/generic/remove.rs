//! `DEL` and `UNLINK`.

use crate::context::Ctx;
use crate::error::Outcome;
use tanist_resp::Args;

/// `DEL key [key ...]`
pub(crate) fn del(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let mut removed = 0;
    ctx.each_key(args, 1..args.len(), |ctx, i, hash| {
        let key = args.at(i);
        if ctx.remove(key, hash) {
            ctx.event(b'g', "del", key);
            removed += 1;
        }
    });
    ctx.reply().int(removed);
    Ok(())
}

/// `UNLINK key [key ...]`: strings are freed in constant time here, so it does what `DEL` does.
pub(crate) fn unlink(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    del(ctx, args)
}
