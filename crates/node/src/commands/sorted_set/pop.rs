//! The ends taken off: `ZPOPMIN`, `ZPOPMAX`, `ZMPOP`.

use super::{Layout, begin_members, put_member};
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use std::ops::Range;
use tanist_keyspace::Missing;
use tanist_keyspace::collections::{Collection, SortedSet};
use tanist_resp::{Args, Reply};

/// Which end of a sorted set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The lowest scores.
    Min,
    /// The highest scores.
    Max,
}

impl End {
    fn event(self) -> &'static str {
        match self {
            End::Min => "zpopmin",
            End::Max => "zpopmax",
        }
    }

    /// The command that replicas are sent.
    pub(super) fn verb(self) -> &'static [u8] {
        match self {
            End::Min => b"ZPOPMIN",
            End::Max => b"ZPOPMAX",
        }
    }
}

/// `ZPOPMIN key [count]`
pub(crate) fn zpopmin(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    zpop(ctx, args, End::Min)
}

/// `ZPOPMAX key [count]`
pub(crate) fn zpopmax(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    zpop(ctx, args, End::Max)
}

fn zpop(ctx: &mut Ctx<'_>, args: Args<'_, '_>, end: End) -> Outcome {
    if args.len() > 3 {
        return Err(Error::SYNTAX);
    }
    let count = match args.get(2) {
        Some(text) => {
            let count = tanist_resp::number::parse_i64(text).and_then(|n| usize::try_from(n).ok());
            Some(count.ok_or(Error::fixed("ERR value is out of range, must be positive"))?)
        }
        None => None,
    };
    let popped = take(ctx, args.at(1), end, count.unwrap_or(1))?;
    let mut reply = ctx.reply();
    match (&popped, count) {
        (None, _) => reply.array(0),
        // One member without a count is a row of two in every version.
        (Some(popped), None) => {
            reply.array(2 * popped.len());
            for (member, score) in popped {
                reply.bulk(member);
                reply.double(*score);
            }
        }
        (Some(popped), Some(_)) => reply_pairs(&mut reply, popped),
    }
    Ok(())
}

fn reply_pairs(reply: &mut Reply<'_>, popped: &[(Vec<u8>, f64)]) {
    begin_members(reply, Layout::Pairs, popped.len());
    for (member, score) in popped {
        put_member(reply, Layout::Pairs, tanist_keyspace::collections::Value::Str(member), *score);
    }
}

/// A member that was taken off, and its score.
pub(super) type Popped = (Vec<u8>, f64);

/// Removes up to `count` members from an end and reports that; `None` if there is no such key. The caller may log
/// something else than the command.
pub(super) fn take(
    ctx: &mut Ctx<'_>,
    key: &[u8],
    end: End,
    count: usize,
) -> Result<Option<Vec<Popped>>, Error> {
    let hash = ctx.node.data.hash(key);
    let done = ctx.edit::<SortedSet, _>(key, hash, Missing::Leave, |set, _| {
        let count = count.min(set.len());
        let from = if end == End::Min { 0 } else { set.len() - count };
        let mut popped = Vec::with_capacity(count);
        set.remove_ranks(from, count, &mut |member, score| {
            popped.push((member.value().as_bytes(&mut itoa::Buffer::new()).to_vec(), score));
        });
        if end == End::Max {
            popped.reverse();
        }
        popped
    })?;
    let Some(done) = done else { return Ok(None) };
    if !done.result.is_empty() {
        ctx.changed(key);
        ctx.event(b'z', end.event(), key);
        if done.emptied {
            ctx.event(b'g', "del", key);
        }
    }
    Ok(Some(done.result))
}

/// `ZMPOP numkeys key [key ...] <MIN | MAX> [COUNT count]`
pub(crate) fn zmpop(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (keys, end, count) = parse_mpop(args, 1)?;
    if !take_from_first(ctx, args, keys, end, count)? {
        ctx.reply().null_array();
    }
    Ok(())
}

/// Takes up to `count` members off the first of these keys that is there, and answers; says whether there is one.
pub(super) fn take_from_first(
    ctx: &mut Ctx<'_>,
    args: Args<'_, '_>,
    keys: Range<usize>,
    end: End,
    count: usize,
) -> Result<bool, Error> {
    for at in keys {
        let key = args.at(at);
        let Some(popped) = take(ctx, key, end, count)? else { continue };
        let mut digits = itoa::Buffer::new();
        ctx.effect(&[end.verb(), key, digits.format(popped.len()).as_bytes()]);
        let mut reply = ctx.reply();
        reply.array(2);
        reply.bulk(key);
        reply.array(popped.len());
        for (member, score) in &popped {
            reply.array(2);
            reply.bulk(member);
            reply.double(*score);
        }
        return Ok(true);
    }
    Ok(false)
}

/// The keys (as positions of arguments), the end and the count of `ZMPOP`, whose number of keys is argument `at`.
pub(super) fn parse_mpop(args: Args<'_, '_>, at: usize) -> Result<(Range<usize>, End, usize), Error> {
    const NOT_ENOUGH: Error = Error::fixed("ERR numkeys should be greater than 0");
    let keys = parse_positive(args.at(at)).ok_or(NOT_ENOUGH)?;
    let first = at + 1;
    let where_at = first.checked_add(keys).ok_or(Error::SYNTAX)?;
    let word = args.get(where_at).ok_or(Error::SYNTAX)?;
    let end = match word {
        _ if word.eq_ignore_ascii_case(b"MIN") => End::Min,
        _ if word.eq_ignore_ascii_case(b"MAX") => End::Max,
        _ => return Err(Error::SYNTAX),
    };
    let count = match (args.get(where_at + 1), args.get(where_at + 2)) {
        (None, _) => 1,
        (Some(word), Some(text)) if word.eq_ignore_ascii_case(b"COUNT") => {
            parse_positive(text).ok_or(Error::fixed("ERR count should be greater than 0"))?
        }
        _ => return Err(Error::SYNTAX),
    };
    if args.len() > where_at + 3 {
        return Err(Error::SYNTAX);
    }
    Ok((first..where_at, end, count))
}

fn parse_positive(text: &[u8]) -> Option<usize> {
    parse_int(text).ok().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0)
}
