//! `SORT` and `SORT_RO`. No type that can be sorted exists yet: what remains is a missing key, which sorts to nothing,
//! and every other one, which is of the wrong type.

use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_resp::Args;

/// `SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA] [STORE destination]`
pub(crate) fn sort(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let destination = options(ctx, args, true)?;
    check_source(ctx, args)?;
    match destination {
        Some(i) => store_nothing(ctx, args, i),
        None => ctx.reply().array(0),
    }
    Ok(())
}

/// `SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA]`
pub(crate) fn sort_ro(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    options(ctx, args, false)?;
    check_source(ctx, args)?;
    ctx.reply().array(0);
    Ok(())
}

fn check_source(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    let there = ctx.read(args.at(1), hash, |found, _| found.is_some());
    if there { Err(Error::WRONG_TYPE) } else { Ok(()) }
}

/// Checks the options; gives the place of `STORE`'s key.
fn options(ctx: &Ctx<'_>, args: Args<'_, '_>, may_store: bool) -> Result<Option<usize>, Error> {
    let mut destination = None;
    let mut i = 2;
    while let Some(word) = args.get(i) {
        let is = |name: &[u8], values: usize| word.eq_ignore_ascii_case(name) && i + values < args.len();
        i += if is(b"ASC", 0) || is(b"DESC", 0) || is(b"ALPHA", 0) {
            1
        } else if is(b"LIMIT", 2) {
            parse_int(args.at(i + 1))?;
            parse_int(args.at(i + 2))?;
            3
        } else if may_store && is(b"STORE", 1) {
            destination = Some(i + 1);
            2
        } else if is(b"BY", 1) || is(b"GET", 1) {
            let by = word.eq_ignore_ascii_case(b"BY");
            // A pattern leads to keys that nobody has named.
            if (!by || args.at(i + 1).contains(&b'*')) && !ctx.reads_every_key(args) {
                let option = if by { "BY" } else { "GET" };
                return Err(Error::new(format!(
                    "ERR {option} option of SORT denied due to insufficient ACL permissions."
                )));
            }
            2
        } else {
            return Err(Error::SYNTAX);
        };
    }
    Ok(destination)
}

/// An empty result is stored by removing what was there.
fn store_nothing(ctx: &mut Ctx<'_>, args: Args<'_, '_>, i: usize) {
    let (key, hash) = (args.at(i), ctx.hash(args, i));
    if ctx.remove(key, hash) {
        ctx.event(b'g', "del", key);
        ctx.effect(&[b"DEL", key]);
    }
    ctx.reply().int(0);
}
