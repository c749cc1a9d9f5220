//! Several sorted sets made one: `ZUNION`, `ZINTER`, `ZDIFF`, their storing forms, `ZINTERCARD`.

use super::span::parse_double;
use super::{Layout, begin_members, put_member, store};
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use std::ops::Range;
use tanist_keyspace::ValueRef;
use tanist_keyspace::collections::{Collection, Set, SortedSet};
use tanist_resp::Args;

/// How members of several sets are put together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

/// How the scores of one member are put together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn join(self, one: f64, two: f64) -> f64 {
        match self {
            Aggregate::Sum => {
                let sum = one + two;
                // Infinities of both signs: nothing is what they have in common.
                if sum.is_nan() { 0.0 } else { sum }
            }
            // What is no number does not count, and of equal ones the first is kept.
            Aggregate::Min if two < one => two,
            Aggregate::Max if two > one => two,
            Aggregate::Min | Aggregate::Max => one,
        }
    }
}

/// A set or sorted set that is read; a member of a set has the score 1.
#[derive(Clone, Copy)]
enum Input<'a> {
    Missing,
    Scored(&'a SortedSet),
    Plain(&'a Set),
}

impl Input<'_> {
    fn len(&self) -> usize {
        match self {
            Input::Missing => 0,
            Input::Scored(set) => set.len(),
            Input::Plain(set) => set.len(),
        }
    }

    fn score(&self, member: &[u8]) -> Option<f64> {
        match self {
            Input::Missing => None,
            Input::Scored(set) => set.score(member),
            Input::Plain(set) => set.contains(member).then_some(1.0),
        }
    }

    /// Calls `see` with every member until it says to stop.
    fn walk(&self, see: &mut dyn FnMut(&[u8], f64) -> bool) {
        let mut digits = itoa::Buffer::new();
        match self {
            Input::Missing => {}
            Input::Scored(set) => {
                set.walk(0, false, &mut |member, score| see(member.value().as_bytes(&mut digits), score));
            }
            Input::Plain(set) => {
                for member in set.iter() {
                    if !see(member.as_bytes(&mut digits), 1.0) {
                        return;
                    }
                }
            }
        }
    }
}

/// A question: the keys (positions of arguments), the weight of each, and what to do with the scores.
struct Query {
    keys: Range<usize>,
    weights: Vec<f64>,
    aggregate: Aggregate,
    scores: bool,
}

/// A score, without the sign that a zero may have: the encodings would not all keep it.
fn unsigned_zero(score: f64) -> f64 {
    score + 0.0
}

impl Query {
    /// Reads the question whose number of keys is argument `at`, and looks at the types of the keys.
    fn parse(
        ctx: &mut Ctx<'_>,
        args: Args<'_, '_>,
        at: usize,
        operation: Operation,
        stores: bool,
    ) -> Result<Query, Error> {
        let keys = number_of_keys(ctx, args, at)?;
        let first = at + 1;
        check_types(ctx, args, first..first + keys)?;
        let mut weights = vec![1.0; keys];
        let (mut aggregate, mut scores) = (Aggregate::Sum, false);
        let mut i = first + keys;
        while let Some(word) = args.get(i) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            let left = args.len() - i;
            if operation != Operation::Difference && left > keys && is(b"WEIGHTS") {
                for (n, weight) in weights.iter_mut().enumerate() {
                    *weight = parse_double(args.at(i + 1 + n))
                        .ok_or(Error::fixed("ERR weight value is not a float"))?;
                }
                i += keys + 1;
            } else if operation != Operation::Difference && left >= 2 && is(b"AGGREGATE") {
                let kind = args.at(i + 1);
                aggregate = match kind {
                    _ if kind.eq_ignore_ascii_case(b"SUM") => Aggregate::Sum,
                    _ if kind.eq_ignore_ascii_case(b"MIN") => Aggregate::Min,
                    _ if kind.eq_ignore_ascii_case(b"MAX") => Aggregate::Max,
                    _ => return Err(Error::SYNTAX),
                };
                i += 2;
            } else if !stores && is(b"WITHSCORES") {
                scores = true;
                i += 1;
            } else {
                return Err(Error::SYNTAX);
            }
        }
        Ok(Query { keys: first..first + keys, weights, aggregate, scores })
    }

    fn combine(&self, ctx: &Ctx<'_>, args: Args<'_, '_>, operation: Operation) -> SortedSet {
        let policy = ctx.node.data.policy();
        let inputs = self.keys.clone().map(|at| input(ctx, args.at(at)));
        let mut inputs: Vec<(Input<'_>, f64)> = inputs.zip(self.weights.iter().copied()).collect();
        let mut result = SortedSet::default();
        let aggregate = self.aggregate;
        let weighted = |score: f64, weight: f64| {
            let product = score * weight;
            if product.is_nan() { 0.0 } else { product }
        };
        // From the smallest to the largest, as in Redis: the order shows in sums of three that are rounded, or that
        // infinities are part of.
        if operation != Operation::Difference {
            inputs.sort_by_key(|(input, _)| input.len());
        }
        match operation {
            Operation::Union => {
                for (input, weight) in &inputs {
                    input.walk(&mut |member, score| {
                        let score = weighted(score, *weight);
                        let joined = result.score(member).map_or(score, |old| aggregate.join(old, score));
                        result.set(member, unsigned_zero(joined), policy);
                        true
                    });
                }
            }
            Operation::Intersection => {
                if let Some(((smallest, weight), others)) = inputs.split_first() {
                    smallest.walk(&mut |member, score| {
                        let mut joined = weighted(score, *weight);
                        for (other, weight) in others {
                            let Some(score) = other.score(member) else { return true };
                            // Infinity times zero stays no number here.
                            joined = aggregate.join(joined, score * weight);
                        }
                        result.set(member, unsigned_zero(joined), policy);
                        true
                    });
                }
            }
            Operation::Difference => {
                if let Some(((first, _), others)) = inputs.split_first() {
                    first.walk(&mut |member, score| {
                        if others.iter().all(|(other, _)| other.score(member).is_none()) {
                            result.set(member, score, policy);
                        }
                        true
                    });
                }
            }
        }
        result
    }
}

/// Looks each key up, so that what is past its time goes, and hits and misses are counted.
fn check_types(ctx: &mut Ctx<'_>, args: Args<'_, '_>, keys: Range<usize>) -> Outcome {
    for at in keys {
        let hash = ctx.hash(args, at);
        ctx.read(args.at(at), hash, |found, _| match found.map(|entry| entry.value()) {
            None | Some(ValueRef::SortedSet(_) | ValueRef::Set(_)) => Ok(()),
            Some(_) => Err(Error::WRONG_TYPE),
        })?;
    }
    Ok(())
}

/// What is at a key whose type is right.
fn input<'a>(ctx: &'a Ctx<'_>, key: &[u8]) -> Input<'a> {
    let hash = ctx.node.data.hash(key);
    let found = ctx.node.find_live(ctx.session.db, key, hash, ctx.judged());
    match found.map(|entry| entry.value()) {
        Some(ValueRef::SortedSet(set)) => Input::Scored(set),
        Some(ValueRef::Set(set)) => Input::Plain(set),
        _ => Input::Missing,
    }
}

fn answer(ctx: &mut Ctx<'_>, args: Args<'_, '_>, operation: Operation) -> Outcome {
    let query = Query::parse(ctx, args, 1, operation, false)?;
    let layout = if query.scores { Layout::Pairs } else { Layout::Members };
    let result = query.combine(ctx, args, operation);
    let mut reply = ctx.reply();
    begin_members(&mut reply, layout, result.len());
    result.walk(0, false, &mut |member, score| {
        put_member(&mut reply, layout, member.value(), score);
        true
    });
    Ok(())
}

fn answer_stored(
    ctx: &mut Ctx<'_>,
    args: Args<'_, '_>,
    operation: Operation,
    event: &'static str,
) -> Outcome {
    let query = Query::parse(ctx, args, 2, operation, true)?;
    let result = query.combine(ctx, args, operation);
    store(ctx, args.at(1), result, event);
    Ok(())
}

/// `ZUNION numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]`
pub(crate) fn zunion(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    answer(ctx, args, Operation::Union)
}

/// `ZINTER numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]`
pub(crate) fn zinter(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    answer(ctx, args, Operation::Intersection)
}

/// `ZDIFF numkeys key [key ...] [WITHSCORES]`
pub(crate) fn zdiff(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    answer(ctx, args, Operation::Difference)
}

/// `ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX]`
pub(crate) fn zunionstore(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    answer_stored(ctx, args, Operation::Union, "zunionstore")
}

/// `ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX]`
pub(crate) fn zinterstore(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    answer_stored(ctx, args, Operation::Intersection, "zinterstore")
}

/// `ZDIFFSTORE destination numkeys key [key ...]`
pub(crate) fn zdiffstore(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    answer_stored(ctx, args, Operation::Difference, "zdiffstore")
}

/// The number of keys, argument `at`; so many arguments follow it at least.
fn number_of_keys(ctx: &Ctx<'_>, args: Args<'_, '_>, at: usize) -> Result<usize, Error> {
    let keys = usize::try_from(parse_int(args.at(at))?).ok().filter(|n| *n > 0).ok_or_else(|| {
        Error::new(format!("ERR at least 1 input key is needed for '{}' command", ctx.command.full_name))
    })?;
    if keys > args.len() - at - 1 { Err(Error::SYNTAX) } else { Ok(keys) }
}

/// `ZINTERCARD numkeys key [key ...] [LIMIT limit]`
pub(crate) fn zintercard(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let keys = number_of_keys(ctx, args, 1)?;
    check_types(ctx, args, 2..2 + keys)?;
    let mut limit = usize::MAX;
    let mut i = 2 + keys;
    while let Some(word) = args.get(i) {
        let (true, Some(text)) = (word.eq_ignore_ascii_case(b"LIMIT"), args.get(i + 1)) else {
            return Err(Error::SYNTAX);
        };
        let most = usize::try_from(parse_int(text).unwrap_or(-1));
        let most = most.map_err(|_| Error::fixed("ERR LIMIT can't be negative"))?;
        limit = if most == 0 { usize::MAX } else { most };
        i += 2;
    }
    let mut inputs: Vec<Input<'_>> = (2..2 + keys).map(|at| input(ctx, args.at(at))).collect();
    inputs.sort_by_key(Input::len);
    let mut count = 0;
    if let Some((smallest, others)) = inputs.split_first() {
        smallest.walk(&mut |member, _| {
            count += usize::from(others.iter().all(|other| other.score(member).is_some()));
            count < limit
        });
    }
    ctx.reply().int(count as i64);
    Ok(())
}
