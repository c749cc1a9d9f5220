//! The forms that wait for an element: `BLPOP`, `BRPOP`, `BLMPOP`, `BLMOVE`, `BRPOPLPUSH`.

use super::pop::Choice;
use super::transfer::Transfer;
use super::{pop_verb, reply_element, report_pop, word};
use crate::blocking::{Wait, Wanted};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::Missing;
use tanist_keyspace::collections::{End, List};
use tanist_resp::Args;
use tanist_types::Mono;

/// `BLPOP key [key ...] timeout`
pub(crate) fn blpop(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    pop_or_wait(ctx, args, End::Front)
}

/// `BRPOP key [key ...] timeout`
pub(crate) fn brpop(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    pop_or_wait(ctx, args, End::Back)
}

fn pop_or_wait(ctx: &mut Ctx<'_>, args: Args<'_, '_>, end: End) -> Outcome {
    let last = args.len() - 1;
    let until = ctx.seconds(args.at(last))?;
    for i in 1..last {
        if pop_one(ctx, args, i, end)? {
            return Ok(());
        }
    }
    wait(ctx, args, (1..last).map(|i| args.at(i)), until);
    Ok(())
}

/// Answers with the key that is argument `i` and an element of the list there, if there is one.
fn pop_one(ctx: &mut Ctx<'_>, args: Args<'_, '_>, i: usize, end: End) -> Result<bool, Error> {
    let (key, hash) = (args.at(i), ctx.hash(args, i));
    let popped = ctx.edit_replying::<List, _>(key, hash, Missing::Leave, |list, policy, reply| {
        reply.array(2);
        reply.bulk(key);
        list.pop(end, policy, |element| reply_element(reply, element));
    })?;
    let Some(popped) = popped else { return Ok(false) };
    report_pop(ctx, key, end, popped.emptied);
    ctx.effect(&[pop_verb(end), key]);
    Ok(true)
}

/// `BLMPOP timeout numkeys key [key ...] LEFT | RIGHT [COUNT count]`
pub(crate) fn blmpop(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let choice = Choice::parse(args, 2)?;
    let until = ctx.seconds(args.at(1))?;
    if !choice.pop(ctx, args)? {
        wait(ctx, args, choice.keys(args), until);
    }
    Ok(())
}

/// `BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout`
pub(crate) fn blmove(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let transfer = Transfer::parse(ctx, args)?;
    let until = ctx.seconds(args.at(5))?;
    let (from, to) = (word(transfer.from.2), word(transfer.to.2));
    move_or_wait(ctx, args, transfer, &[b"LMOVE", args.at(1), args.at(2), from, to], until)
}

/// `BRPOPLPUSH source destination timeout`
pub(crate) fn brpoplpush(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let until = ctx.seconds(args.at(3))?;
    let transfer = Transfer::new(ctx, args, End::Back, End::Front);
    move_or_wait(ctx, args, transfer, &[b"RPOPLPUSH", args.at(1), args.at(2)], until)
}

fn move_or_wait(
    ctx: &mut Ctx<'_>,
    args: Args<'_, '_>,
    transfer: Transfer<'_>,
    effect: &[&[u8]],
    until: Option<Mono>,
) -> Outcome {
    if transfer.run(ctx)? {
        ctx.effect(effect);
    } else if ctx.in_transaction {
        ctx.reply().null();
    } else {
        wait(ctx, args, std::iter::once(args.at(1)), until);
    }
    Ok(())
}

fn wait<'k>(
    ctx: &mut Ctx<'_>,
    args: Args<'_, '_>,
    keys: impl Iterator<Item = &'k [u8]>,
    until: Option<Mono>,
) {
    ctx.block(args, keys, Wait { wanted: Wanted::List, until, or_gone: false });
}
