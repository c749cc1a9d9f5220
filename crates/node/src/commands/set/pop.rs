//! Random members: `SPOP` removes what it picks, `SRANDMEMBER` does not.

use super::{Picks, reply_value};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::collections::{Set, Value};
use tanist_keyspace::{Collection, Missing};
use tanist_resp::{Args, number};
use tanist_types::Rng;

/// `SPOP key [count]`
pub(crate) fn spop(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    match args.len() {
        2 => pop_one(ctx, args),
        3 => pop_many(ctx, args),
        _ => Err(Error::SYNTAX),
    }
}

/// A generator of its own, so that a change of data can draw from it.
fn rng(ctx: &mut Ctx<'_>) -> Rng {
    Rng::from_seed(ctx.node.rng.next_u64())
}

fn owned(member: Value<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    member.write_to(&mut bytes);
    bytes
}

fn pop_one(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (key, hash, mut rng) = (args.at(1), ctx.hash(args, 1), rng(ctx));
    let edited = ctx.edit(key, hash, Missing::Leave, |set: &mut Set, _| {
        let member = set.random(&mut rng).map(owned).unwrap_or_default();
        set.remove(&member);
        member
    })?;
    let Some(edited) = edited else {
        ctx.reply().null();
        return Ok(());
    };
    let member = &edited.result[..];
    ctx.changed(key);
    ctx.event(b's', "spop", key);
    ctx.effect(&[b"SREM", key, member]);
    if edited.emptied {
        ctx.event(b'g', "del", key);
    }
    ctx.reply().bulk(member);
    Ok(())
}

fn pop_many(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let count = number::parse_i64(args.at(2)).and_then(|n| usize::try_from(n).ok());
    let count = count.ok_or(Error::fixed("ERR value is out of range, must be positive"))?;
    let (key, hash, mut rng) = (args.at(1), ctx.hash(args, 1), rng(ctx));
    let len = ctx.lookup(key, hash).map(super::read::set_of).transpose()?.map_or(0, Set::len);
    if count == 0 || len == 0 {
        ctx.reply().set(0);
        return Ok(());
    }
    if count >= len {
        // All are read, as by `SUNION`, before they go.
        ctx.count_hit();
    }
    let edited = ctx.edit(key, hash, Missing::Leave, |set: &mut Set, policy| {
        if count >= set.len() {
            let all = set.iter().map(owned).collect();
            set.clear();
            return all;
        }
        // The fewer of the two are picked one by one, as the set's form afterwards shows.
        const MANY: usize = 5;
        let left = set.len() - count;
        if count < left.saturating_mul(MANY) {
            return pick(set, count, &mut rng);
        }
        let kept = pick(set, left, &mut rng);
        let popped = set.iter().map(owned).collect();
        set.keep(kept.iter().map(Vec::as_slice), policy);
        popped
    })?;
    let Some(edited) = edited else { return Ok(()) };
    ctx.changed_by(key, edited.result.len());
    ctx.event(b's', "spop", key);
    if edited.emptied {
        ctx.event(b'g', "del", key);
        let verb: &[u8] = if ctx.node.config.lazyfree_lazy_server_del { b"UNLINK" } else { b"DEL" };
        ctx.effect(&[verb, key]);
    } else {
        log_removals(ctx, key, &edited.result);
    }
    let mut reply = ctx.reply();
    reply.set(edited.result.len());
    edited.result.iter().for_each(|member| reply.bulk(member));
    Ok(())
}

/// Removes and returns `count` random members, which are there.
fn pick(set: &mut Set, count: usize, rng: &mut Rng) -> Vec<Vec<u8>> {
    let mut picked = Vec::new();
    for _ in 0..count {
        let Some(member) = set.random(rng).map(owned) else { break };
        set.remove(&member);
        picked.push(member);
    }
    picked
}

/// Logs which members are gone, in commands of bounded length.
fn log_removals(ctx: &mut Ctx<'_>, key: &[u8], members: &[Vec<u8>]) {
    const MOST: usize = 1022;
    for some in members.chunks(MOST) {
        let mut words: Vec<&[u8]> = vec![b"SREM", key];
        words.extend(some.iter().map(Vec::as_slice));
        ctx.effect(&words);
    }
}

/// `SRANDMEMBER key [count]`
pub(crate) fn srandmember(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let bound = ctx.reply_bound();
    let picks = match args.len() {
        2 => None,
        3 => Some(Picks::parse(args, 2, bound)?),
        _ => return Err(Error::SYNTAX),
    };
    let (hash, mut rng) = (ctx.hash(args, 1), rng(ctx));
    ctx.view(args.at(1), hash, |set: Option<&Set>, reply| match (set, picks) {
        (None, None) => reply.null(),
        (None, Some(_)) => reply.array(0),
        (Some(set), None) => match set.random(&mut rng) {
            Some(member) => reply_value(reply, member),
            None => reply.null(),
        },
        (Some(set), Some(Picks::Repeating(count))) => {
            reply.array(count as usize);
            for _ in 0..count {
                if reply.position() >= bound {
                    break;
                }
                let Some(member) = set.random(&mut rng) else { break };
                reply_value(reply, member);
            }
        }
        (Some(set), Some(Picks::Distinct(count))) => {
            reply.array(count.min(set.len()));
            set.sample(count, &mut rng, &mut |member| reply_value(reply, member));
        }
    })
}
