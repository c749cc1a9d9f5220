//! Taking elements from an end: `LPOP`, `RPOP`, `LMPOP`.

use super::{end, pop_verb, reply_element, report_pop};
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::Missing;
use tanist_keyspace::collections::{Collection, End, List};
use tanist_resp::Args;

/// `LPOP key [count]`
pub(crate) fn lpop(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    pop(ctx, args, End::Front)
}

/// `RPOP key [count]`
pub(crate) fn rpop(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    pop(ctx, args, End::Back)
}

fn pop(ctx: &mut Ctx<'_>, args: Args<'_, '_>, end: End) -> Outcome {
    if args.len() > 3 {
        return Err(ctx.arity_error());
    }
    let count = args.get(2).map(count).transpose()?;
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let edited = ctx.edit_replying::<List, _>(key, hash, Missing::Leave, |list, policy, reply| {
        let Some(count) = count else {
            list.pop(end, policy, |element| reply_element(reply, element));
            return 1;
        };
        reply.array(count.min(list.len()));
        list.pop_many(end, count, policy, |element| reply_element(reply, element))
    })?;
    match edited {
        Some(edited) if edited.result > 0 => report_pop(ctx, key, end, edited.emptied),
        Some(_) => {}
        None if count.is_some() => ctx.reply().null_array(),
        None => ctx.reply().null(),
    }
    Ok(())
}

fn count(text: &[u8]) -> Result<usize, Error> {
    let count = parse_int(text).ok().and_then(|n| usize::try_from(n).ok());
    count.ok_or(Error::fixed("ERR value is out of range, must be positive"))
}

/// What `LMPOP` and `BLMPOP` are asked for: from which keys, from which end, and how many elements.
#[derive(Clone, Copy)]
pub(super) struct Choice {
    first: usize,
    keys: usize,
    end: End,
    count: usize,
}

impl Choice {
    /// Reads `numkeys key [key ...] LEFT | RIGHT [COUNT count]` from argument `from` on.
    pub(super) fn parse(args: Args<'_, '_>, from: usize) -> Result<Choice, Error> {
        let most = i64::try_from(args.len()).unwrap_or(i64::MAX);
        let keys = positive(args.at(from)).ok_or(NO_KEYS)?;
        // The end is named behind the keys.
        if keys >= most {
            return Err(Error::SYNTAX);
        }
        let (first, keys) = (from + 1, keys as usize);
        let mut choice = Choice { first, keys, end: End::Front, count: 1 };
        choice.end = end(args.get(first + keys).ok_or(Error::SYNTAX)?)?;
        let mut i = first + keys + 1;
        let mut counted = false;
        while let Some(word) = args.get(i) {
            let value = args.get(i + 1).filter(|_| !counted && word.eq_ignore_ascii_case(b"COUNT"));
            let count = positive(value.ok_or(Error::SYNTAX)?).ok_or(NO_COUNT)?;
            choice.count = usize::try_from(count).unwrap_or(usize::MAX);
            counted = true;
            i += 2;
        }
        Ok(choice)
    }

    /// The keys.
    pub(super) fn keys<'b>(self, args: Args<'_, 'b>) -> impl Iterator<Item = &'b [u8]> {
        (self.first..self.first + self.keys).map(move |i| args.at(i))
    }

    /// Takes the elements from the first list that is there, and answers; says whether there is one.
    pub(super) fn pop(self, ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Result<bool, Error> {
        for i in self.first..self.first + self.keys {
            let (key, hash) = (args.at(i), ctx.hash(args, i));
            let popped = ctx.edit_replying::<List, _>(key, hash, Missing::Leave, |list, policy, reply| {
                reply.array(2);
                reply.bulk(key);
                reply.array(self.count.min(list.len()));
                list.pop_many(self.end, self.count, policy, |element| reply_element(reply, element))
            })?;
            if let Some(popped) = popped {
                report_pop(ctx, key, self.end, popped.emptied);
                let mut digits = itoa::Buffer::new();
                ctx.effect(&[pop_verb(self.end), key, digits.format(popped.result).as_bytes()]);
                return Ok(true);
            }
        }
        Ok(false)
    }
}

const NO_KEYS: Error = Error::fixed("ERR numkeys should be greater than 0");
const NO_COUNT: Error = Error::fixed("ERR count should be greater than 0");

fn positive(text: &[u8]) -> Option<i64> {
    parse_int(text).ok().filter(|&n| n > 0)
}

/// `LMPOP numkeys key [key ...] LEFT | RIGHT [COUNT count]`
pub(crate) fn lmpop(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if !Choice::parse(args, 1)?.pop(ctx, args)? {
        ctx.reply().null_array();
    }
    Ok(())
}
