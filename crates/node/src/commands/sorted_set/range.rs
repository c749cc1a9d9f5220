//! Stretches read: `ZRANGE` and its older forms, `ZRANGESTORE`.

use super::span::Span;
use super::{Layout, begin_members, put_member, store};
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use std::ops::Range;
use tanist_keyspace::collections::SortedSet;
use tanist_resp::Args;

/// What the limits of a stretch are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

/// A question for a stretch.
struct Query<'b> {
    span: Span<'b>,
    reverse: bool,
    /// How many to pass over, and how many to give at most (negative: all).
    limit: Option<(i64, i64)>,
    scores: bool,
}

impl<'b> Query<'b> {
    /// Reads a question whose limits begin at argument `at`. What is not given may be chosen by options.
    fn parse(
        args: Args<'_, 'b>,
        at: usize,
        by: Option<By>,
        direction: Option<bool>,
        may_have_scores: bool,
    ) -> Result<Query<'b>, Error> {
        let (mut kind, mut reverse) = (by.unwrap_or(By::Rank), direction.unwrap_or(false));
        let (mut limit, mut scores) = (None, false);
        let mut i = at + 2;
        while let Some(word) = args.get(i) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            if may_have_scores && is(b"WITHSCORES") {
                scores = true;
            } else if is(b"LIMIT") && args.len() - i > 2 {
                limit = Some((parse_int(args.at(i + 1))?, parse_int(args.at(i + 2))?));
                i += 2;
            } else if direction.is_none() && is(b"REV") {
                reverse = true;
            } else if by.is_none() && is(b"BYLEX") {
                kind = By::Lex;
            } else if by.is_none() && is(b"BYSCORE") {
                kind = By::Score;
            } else {
                return Err(Error::SYNTAX);
            }
            i += 1;
        }
        // A count of -1 counts as none given.
        if limit.is_some_and(|(_, count)| count != -1) && kind == By::Rank {
            return Err(Error::fixed(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ));
        }
        if scores && kind == By::Lex {
            return Err(Error::fixed("ERR syntax error, WITHSCORES not supported in combination with BYLEX"));
        }
        let (first, second) = (args.at(at), args.at(at + 1));
        // Downwards, the upper limit is named first.
        let (min, max) = if reverse { (second, first) } else { (first, second) };
        let span = match kind {
            By::Rank => Span::ranks(first, second)?,
            By::Score => Span::scores(min, max)?,
            By::Lex => Span::lex(min, max)?,
        };
        Ok(Query { span, reverse, limit, scores })
    }

    /// The ranks that are asked for, from the lowest.
    fn ranks(&self, set: &SortedSet) -> Range<usize> {
        let range = self.span.of(set, self.reverse);
        let limit = self.limit.filter(|_| !matches!(self.span, Span::Ranks(..)));
        let Some((offset, count)) = limit else { return range };
        let Ok(offset) = usize::try_from(offset) else { return 0..0 };
        let offset = offset.min(range.len());
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(range.len() - offset);
        if self.reverse {
            let end = range.end - offset;
            end - count..end
        } else {
            range.start + offset..range.start + offset + count
        }
    }

    /// Calls `see` with what is asked for, in the order that is asked for.
    fn walk(
        &self,
        set: &SortedSet,
        range: Range<usize>,
        see: &mut dyn FnMut(tanist_keyspace::collections::Value<'_>, f64),
    ) {
        let mut left = range.len();
        if left == 0 {
            return;
        }
        let from = if self.reverse { range.end - 1 } else { range.start };
        set.walk(from, self.reverse, &mut |member, score| {
            see(member.value(), score);
            left -= 1;
            left > 0
        });
    }

    fn answer(&self, ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
        let hash = ctx.hash(args, 1);
        let layout = if self.scores { Layout::Pairs } else { Layout::Members };
        ctx.view::<SortedSet, _>(args.at(1), hash, |set, reply| {
            let Some(set) = set else { return reply.array(0) };
            let range = self.ranks(set);
            begin_members(reply, layout, range.len());
            self.walk(set, range, &mut |member, score| put_member(reply, layout, member, score));
        })
    }
}

/// `ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]`
pub(crate) fn zrange(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    Query::parse(args, 2, None, None, true)?.answer(ctx, args)
}

/// `ZREVRANGE key start stop [WITHSCORES]`
pub(crate) fn zrevrange(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    Query::parse(args, 2, Some(By::Rank), Some(true), true)?.answer(ctx, args)
}

/// `ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]`
pub(crate) fn zrangebyscore(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    Query::parse(args, 2, Some(By::Score), Some(false), true)?.answer(ctx, args)
}

/// `ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]`
pub(crate) fn zrevrangebyscore(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    Query::parse(args, 2, Some(By::Score), Some(true), true)?.answer(ctx, args)
}

/// `ZRANGEBYLEX key min max [LIMIT offset count]`
pub(crate) fn zrangebylex(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    Query::parse(args, 2, Some(By::Lex), Some(false), true)?.answer(ctx, args)
}

/// `ZREVRANGEBYLEX key max min [LIMIT offset count]`
pub(crate) fn zrevrangebylex(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    Query::parse(args, 2, Some(By::Lex), Some(true), true)?.answer(ctx, args)
}

/// `ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]`
pub(crate) fn zrangestore(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let query = Query::parse(args, 3, None, None, false)?;
    let policy = *ctx.node.data.policy();
    let hash = ctx.hash(args, 2);
    let mut result = SortedSet::default();
    ctx.view::<SortedSet, _>(args.at(2), hash, |set, _| {
        if let Some(set) = set {
            let mut digits = itoa::Buffer::new();
            query.walk(set, query.ranks(set), &mut |member, score| {
                result.set(member.as_bytes(&mut digits), score, &policy);
            });
        }
    })?;
    store(ctx, args.at(1), result, "zrangestore");
    Ok(())
}
