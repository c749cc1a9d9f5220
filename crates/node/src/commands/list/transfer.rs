//! From one list to another: `LMOVE`, `RPOPLPUSH`.

use super::{end, report_emptied, report_push};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::collections::{End, List};
use tanist_keyspace::{KeyHash, Missing, Typed};
use tanist_resp::Args;

/// From which end of which list to which end of which one.
#[derive(Clone, Copy)]
pub(super) struct Transfer<'b> {
    pub(super) from: (&'b [u8], KeyHash, End),
    pub(super) to: (&'b [u8], KeyHash, End),
}

impl<'b> Transfer<'b> {
    /// From the list that is argument 1 to the one that is argument 2.
    pub(super) fn new(ctx: &Ctx<'_>, args: Args<'_, 'b>, from: End, to: End) -> Transfer<'b> {
        Transfer { from: (args.at(1), ctx.hash(args, 1), from), to: (args.at(2), ctx.hash(args, 2), to) }
    }

    /// [`Transfer::new`] with the ends that arguments 3 and 4 name.
    pub(super) fn parse(ctx: &Ctx<'_>, args: Args<'_, 'b>) -> Result<Transfer<'b>, Error> {
        Ok(Transfer::new(ctx, args, end(args.at(3))?, end(args.at(4))?))
    }

    /// Moves an element and answers with it; says whether there was one. Both keys hold lists or nothing, or nothing is
    /// done.
    pub(super) fn run(self, ctx: &mut Ctx<'_>) -> Result<bool, Error> {
        let (from, from_hash, from_end) = self.from;
        let (to, to_hash, to_end) = self.to;
        match ctx.lookup(from, from_hash).map(|entry| List::of(entry.value()).is_some()) {
            None => return Ok(false),
            Some(false) => return Err(Error::WRONG_TYPE),
            Some(true) => {}
        }
        if ctx.lookup(to, to_hash).is_some_and(|entry| List::of(entry.value()).is_none()) {
            return Err(Error::WRONG_TYPE);
        }
        let mut element = Vec::new();
        let emptied = if from == to {
            ctx.edit::<List, _>(from, from_hash, Missing::Leave, |list, policy| {
                element = list.rotate(from_end, to_end, policy).unwrap_or_default();
            })?;
            false
        } else {
            let popped = ctx.edit::<List, _>(from, from_hash, Missing::Leave, |list, policy| {
                list.pop(from_end, policy, |popped| popped.write_to(&mut element));
            })?;
            ctx.edit::<List, _>(to, to_hash, Missing::Create, |list, policy| {
                list.push(to_end, std::iter::once(element.as_slice()), policy);
            })?;
            popped.is_some_and(|popped| popped.emptied)
        };
        report_push(ctx, to, to_end, 1);
        // The same change as that of the other list.
        ctx.notice_change(ctx.db_index(), from);
        ctx.event(b'l', if from_end == End::Front { "lpop" } else { "rpop" }, from);
        report_emptied(ctx, from, emptied);
        ctx.reply().bulk(&element);
        Ok(true)
    }
}

/// `LMOVE source destination LEFT | RIGHT LEFT | RIGHT`
pub(crate) fn lmove(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let transfer = Transfer::parse(ctx, args)?;
    run_or_null(ctx, transfer)
}

/// `RPOPLPUSH source destination`
pub(crate) fn rpoplpush(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let transfer = Transfer::new(ctx, args, End::Back, End::Front);
    run_or_null(ctx, transfer)
}

fn run_or_null(ctx: &mut Ctx<'_>, transfer: Transfer<'_>) -> Outcome {
    if !transfer.run(ctx)? {
        ctx.reply().null();
    }
    Ok(())
}
