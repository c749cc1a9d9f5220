//! What a sorted set holds: scores, ranks, counts, random members, scans.

use super::span::Span;
use super::{Layout, begin_members, put_member, reply_member};
use crate::commands::generic::parse_cursor;
use crate::commands::parse_int;
use crate::commands::set::Picks;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::collections::{Collection, Encoding, SortedSet};
use tanist_resp::Args;
use tanist_text::{double, glob};

/// `ZCARD key`
pub(crate) fn zcard(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.view::<SortedSet, _>(args.at(1), hash, |set, reply| {
        reply.int(set.map_or(0, |set| set.len() as i64));
    })
}

/// `ZSCORE key member`
pub(crate) fn zscore(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.view::<SortedSet, _>(args.at(1), hash, |set, reply| match set.and_then(|set| set.score(args.at(2))) {
        Some(score) => reply.double(score),
        None => reply.null(),
    })
}

/// `ZMSCORE key member [member ...]`
pub(crate) fn zmscore(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.view::<SortedSet, _>(args.at(1), hash, |set, reply| {
        reply.array(args.len() - 2);
        for member in args.iter().skip(2) {
            match set.and_then(|set| set.score(member)) {
                Some(score) => reply.double(score),
                None => reply.null(),
            }
        }
    })
}

/// `ZRANK key member [WITHSCORE]`
pub(crate) fn zrank(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    rank(ctx, args, false)
}

/// `ZREVRANK key member [WITHSCORE]`
pub(crate) fn zrevrank(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    rank(ctx, args, true)
}

fn rank(ctx: &mut Ctx<'_>, args: Args<'_, '_>, reverse: bool) -> Outcome {
    let with_score = match args.get(3) {
        None => false,
        Some(_) if args.len() > 4 => return Err(ctx.arity_error()),
        Some(word) if word.eq_ignore_ascii_case(b"WITHSCORE") => true,
        Some(_) => return Err(Error::SYNTAX),
    };
    let hash = ctx.hash(args, 1);
    ctx.view::<SortedSet, _>(args.at(1), hash, |set, reply| {
        let found = set.and_then(|set| Some((set.len(), set.rank(args.at(2))?)));
        let Some((len, (rank, score))) = found else {
            if with_score {
                reply.null_array();
            } else {
                reply.null();
            }
            return;
        };
        let rank = if reverse { len - 1 - rank } else { rank };
        if with_score {
            reply.array(2);
        }
        reply.int(rank as i64);
        if with_score {
            reply.double(score);
        }
    })
}

/// `ZCOUNT key min max`
pub(crate) fn zcount(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let span = Span::scores(args.at(2), args.at(3))?;
    count(ctx, args, span)
}

/// `ZLEXCOUNT key min max`
pub(crate) fn zlexcount(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let span = Span::lex(args.at(2), args.at(3))?;
    count(ctx, args, span)
}

fn count(ctx: &mut Ctx<'_>, args: Args<'_, '_>, span: Span<'_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.view::<SortedSet, _>(args.at(1), hash, |set, reply| {
        reply.int(set.map_or(0, |set| span.of(set, false).len() as i64));
    })
}

/// `ZRANDMEMBER key [count [WITHSCORES]]`
pub(crate) fn zrandmember(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let mut rng = ctx.node.rng.clone();
    if args.len() == 2 {
        let done = ctx.view::<SortedSet, _>(key, hash, |set, reply| {
            match set.and_then(|set| set.random(&mut rng)) {
                Some((member, _)) => reply_member(reply, member.value()),
                None => reply.null(),
            }
        });
        ctx.node.rng = rng;
        return done;
    }
    let count = parse_int(args.at(2))?;
    let layout = match args.get(3) {
        None => Layout::Members,
        Some(word) if args.len() == 4 && word.eq_ignore_ascii_case(b"WITHSCORES") => Layout::Pairs,
        Some(_) => return Err(Error::SYNTAX),
    };
    const MOST: i64 = i64::MAX / 2;
    if layout == Layout::Pairs && !(-MOST..=MOST).contains(&count) || count == i64::MIN {
        return Err(Error::new(format!(
            "ERR value is out of range, value must between {} and {MOST}",
            -MOST
        )));
    }
    let bound = ctx.reply_bound();
    if count < 0 {
        Picks::check_repeating(count.unsigned_abs(), bound)?;
    }
    let done = ctx.view::<SortedSet, _>(key, hash, |set, reply| {
        let Some(set) = set else { return reply.array(0) };
        let wanted = count.unsigned_abs() as usize;
        if count < 0 {
            begin_members(reply, layout, wanted);
            for _ in 0..wanted {
                if reply.position() >= bound {
                    break;
                }
                if let Some((member, score)) = set.random(&mut rng) {
                    put_member(reply, layout, member.value(), score);
                }
            }
            return;
        }
        // Each rank is taken with the chance that as many as are still wanted among those left have.
        let (mut wanted, mut left) = (wanted.min(set.len()), set.len());
        begin_members(reply, layout, wanted);
        if wanted == 0 {
            return;
        }
        set.walk(0, false, &mut |member, score| {
            if rng.below(left as u64) < wanted as u64 {
                put_member(reply, layout, member.value(), score);
                wanted -= 1;
            }
            left -= 1;
            wanted > 0
        });
    });
    ctx.node.rng = rng;
    done
}

/// `ZSCAN key cursor [MATCH pattern] [COUNT count] [NOSCORES]`
pub(crate) fn zscan(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let cursor = parse_cursor(args.at(2))?.0;
    let hash = ctx.hash(args, 1);
    ctx.view::<SortedSet, _>(args.at(1), hash, |set, reply| {
        let Some(set) = set else {
            reply.array(2);
            reply.bulk(b"0");
            reply.array(0);
            return Ok(());
        };
        // A key that is not there is told before the options are read, as ever.
        let (pattern, count, scores) = scan_options(args)?;
        reply.array(2);
        let mut found: Vec<u8> = Vec::new();
        let mut elements = 0;
        let mut part = tanist_resp::Reply::new(&mut found, reply.proto());
        let mut digits = itoa::Buffer::new();
        let next = set.scan(cursor, count, &mut |member, score| {
            let name = member.value().as_bytes(&mut digits);
            if pattern.is_none_or(|p| p == b"*" || glob::matches(p, name)) {
                part.bulk(name);
                elements += 1;
                if scores {
                    // As ever, a large set's scores are printed in another way.
                    match set.encoding() {
                        Encoding::Skiplist => part.bulk(double::seventeen_digits(score).as_bytes()),
                        _ => part.bulk(double::format(score).as_bytes()),
                    }
                    elements += 1;
                }
            }
        });
        reply.bulk(itoa::Buffer::new().format(next).as_bytes());
        reply.array(elements);
        reply.raw(&found);
        Ok(())
    })?
}

/// The pattern, the number of members to look at, and whether scores are asked for.
fn scan_options<'b>(args: Args<'_, 'b>) -> Result<(Option<&'b [u8]>, usize, bool), Error> {
    let (mut pattern, mut count, mut scores) = (None, 10, true);
    let mut i = 3;
    while let Some(word) = args.get(i) {
        let value = args.get(i + 1);
        if word.eq_ignore_ascii_case(b"NOSCORES") {
            scores = false;
            i += 1;
            continue;
        }
        let value = value.ok_or(Error::SYNTAX)?;
        if word.eq_ignore_ascii_case(b"COUNT") {
            count = usize::try_from(parse_int(value)?).ok().filter(|n| *n > 0).ok_or(Error::SYNTAX)?;
        } else if word.eq_ignore_ascii_case(b"MATCH") {
            pattern = Some(value);
        } else {
            return Err(Error::SYNTAX);
        }
        i += 2;
    }
    Ok((pattern, count, scores))
}
