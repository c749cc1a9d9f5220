//! Scores given and raised: `ZADD`, `ZINCRBY`.

use super::span::parse_double;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::Missing;
use tanist_keyspace::collections::{Policy, SortedSet};
use tanist_resp::Args;

/// The options of `ZADD`.
#[derive(Clone, Copy, Default)]
struct Options {
    only_new: bool,
    only_old: bool,
    greater: bool,
    less: bool,
    count_changes: bool,
    add: bool,
}

/// What became of one member.
#[derive(Clone, Copy, PartialEq)]
enum Done {
    Nothing,
    Added(f64),
    Changed(f64),
    /// The score that it has already.
    Same(f64),
    NotANumber,
}

impl Options {
    /// The options, and where the scores begin.
    fn parse(args: Args<'_, '_>) -> (Options, usize) {
        let mut o = Options::default();
        let mut i = 2;
        while let Some(word) = args.get(i) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            match () {
                () if is(b"NX") => o.only_new = true,
                () if is(b"XX") => o.only_old = true,
                () if is(b"GT") => o.greater = true,
                () if is(b"LT") => o.less = true,
                () if is(b"CH") => o.count_changes = true,
                () if is(b"INCR") => o.add = true,
                () => break,
            }
            i += 1;
        }
        (o, i)
    }

    fn check(self, members: usize) -> Outcome {
        if self.only_new && self.only_old {
            return Err(Error::fixed("ERR XX and NX options at the same time are not compatible"));
        }
        if self.greater && self.less || self.only_new && (self.greater || self.less) {
            return Err(Error::fixed("ERR GT, LT, and/or NX options at the same time are not compatible"));
        }
        if self.add && members > 1 {
            return Err(Error::fixed("ERR INCR option supports a single increment-element pair"));
        }
        Ok(())
    }

    fn apply(self, set: &mut SortedSet, member: &[u8], score: f64, policy: &Policy) -> Done {
        // A plain `ZADD` needs no look before it sets.
        if !(self.only_new || self.only_old || self.greater || self.less || self.add) {
            return match set.set(member, score, policy) {
                None => Done::Added(score),
                Some(old) if old == score => Done::Same(old),
                Some(_) => Done::Changed(score),
            };
        }
        let Some(old) = set.score(member) else {
            if self.only_old {
                return Done::Nothing;
            }
            set.set(member, score, policy);
            return Done::Added(score);
        };
        if self.only_new {
            return Done::Nothing;
        }
        let new = if self.add { old + score } else { score };
        if new.is_nan() {
            return Done::NotANumber;
        }
        if self.less && new >= old || self.greater && new <= old {
            return Done::Nothing;
        }
        if new == old {
            return Done::Same(new);
        }
        set.set(member, new, policy);
        Done::Changed(new)
    }
}

/// `ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]`
pub(crate) fn zadd(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (options, first) = Options::parse(args);
    let rest = args.len() - first;
    if rest == 0 || !rest.is_multiple_of(2) {
        return Err(Error::SYNTAX);
    }
    options.check(rest / 2)?;
    put(ctx, args, options, first)
}

/// `ZINCRBY key increment member`
pub(crate) fn zincrby(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    put(ctx, args, Options { add: true, ..Options::default() }, 2)
}

fn put(ctx: &mut Ctx<'_>, args: Args<'_, '_>, options: Options, first: usize) -> Outcome {
    // All scores are read before anything changes.
    for at in (first..args.len()).step_by(2) {
        parse_double(args.at(at)).ok_or(Error::NOT_A_FLOAT)?;
    }
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let missing = if options.only_old { Missing::Leave } else { Missing::Create };
    let (mut added, mut changed, mut last) = (0i64, 0i64, Done::Nothing);
    let longest = (first + 1..args.len()).step_by(2).map(|at| args.at(at).len()).max().unwrap_or(0);
    ctx.edit::<SortedSet, _>(key, hash, missing, |set, policy| {
        set.expect((args.len() - first) / 2, longest, policy);
        for at in (first..args.len()).step_by(2) {
            let score = parse_double(args.at(at)).unwrap_or_default();
            last = options.apply(set, args.at(at + 1), score, policy);
            match last {
                Done::Added(_) => added += 1,
                Done::Changed(_) => changed += 1,
                _ => {}
            }
        }
    })?;
    if last == Done::NotANumber {
        return Err(Error::fixed("ERR resulting score is not a number (NaN)"));
    }
    if added + changed > 0 {
        ctx.changed(key);
        ctx.event(b'z', if options.add { "zincr" } else { "zadd" }, key);
    }
    let mut reply = ctx.reply();
    match last {
        Done::Added(score) | Done::Changed(score) | Done::Same(score) if options.add => reply.double(score),
        _ if options.add => reply.null(),
        _ if options.count_changes => reply.int(added + changed),
        _ => reply.int(added),
    }
    Ok(())
}
