//! Several sets: intersection, union and difference, answered or stored.

use super::reply_value;
use crate::commands::parse_int;
use crate::context::{Ctx, live};
use crate::error::{Error, Outcome};
use tanist_keyspace::collections::{Set, Value};
use tanist_keyspace::{Collection, Expiry, Policy, ValueRef};
use tanist_resp::{Args, Reply, number};

/// Where the sets are among the arguments.
type Places = std::ops::Range<usize>;

/// What is made of the sets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Operation {
    Inter,
    Union,
    Diff,
}

/// `SINTER key [key ...]`
pub(crate) fn sinter(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    answer(ctx, args, Operation::Inter)
}

/// `SUNION key [key ...]`
pub(crate) fn sunion(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    answer(ctx, args, Operation::Union)
}

/// `SDIFF key [key ...]`
pub(crate) fn sdiff(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    answer(ctx, args, Operation::Diff)
}

/// `SINTERSTORE destination key [key ...]`
pub(crate) fn sinterstore(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    store(ctx, args, Operation::Inter, "sinterstore")
}

/// `SUNIONSTORE destination key [key ...]`
pub(crate) fn sunionstore(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    store(ctx, args, Operation::Union, "sunionstore")
}

/// `SDIFFSTORE destination key [key ...]`
pub(crate) fn sdiffstore(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    store(ctx, args, Operation::Diff, "sdiffstore")
}

/// Notes the use of the sets and removes those past their time.
///
/// # Errors
/// When one is of another type.
fn touch(ctx: &mut Ctx<'_>, args: Args<'_, '_>, places: Places) -> Outcome {
    for i in places {
        let hash = ctx.hash(args, i);
        ctx.view(args.at(i), hash, |_: Option<&Set>, _| ())?;
    }
    Ok(())
}

/// The sets, all at once, none where a key is missing.
fn sets<'c>(ctx: &'c Ctx<'_>, args: Args<'_, '_>, places: Places) -> Vec<Option<&'c Set>> {
    let (db, now) = (ctx.db(), ctx.judged());
    let set = |i: usize| match live(db.find(args.at(i), ctx.hash(args, i)), now)?.value() {
        ValueRef::Set(set) => Some(set),
        _ => None,
    };
    places.map(set).collect()
}

fn answer(ctx: &mut Ctx<'_>, args: Args<'_, '_>, operation: Operation) -> Outcome {
    let places = 1..args.len();
    touch(ctx, args, places.clone())?;
    let mut out = std::mem::take(ctx.out);
    let sets = sets(ctx, args, places);
    let mut reply = Reply::new(&mut out, ctx.session.proto);
    let (mark, mut count) = (reply.deferred(), 0);
    let mut see = |member: Value<'_>| {
        reply_value(&mut reply, member);
        count += 1;
    };
    match operation {
        Operation::Inter => intersection(&sets).for_each(&mut see),
        Operation::Diff => difference(&sets).for_each(&mut see),
        Operation::Union => union(&sets, ctx.node.data.policy()).for_each(&mut see),
    }
    reply.finish_set(mark, count);
    *ctx.out = out;
    Ok(())
}

/// The sets by size, the smallest first; none if one is missing.
fn by_size<'s>(sets: &[Option<&'s Set>]) -> Vec<&'s Set> {
    let mut all: Vec<&Set> = sets.iter().copied().collect::<Option<_>>().unwrap_or_default();
    all.sort_by_key(|set| set.len());
    all
}

fn intersection<'s>(sets: &[Option<&'s Set>]) -> impl Iterator<Item = Value<'s>> + use<'s> {
    let mut others = by_size(sets).into_iter();
    let first = others.next();
    let others: Vec<&Set> =
        others.filter(|other| first.is_some_and(|set| !std::ptr::eq(set, *other))).collect();
    first
        .into_iter()
        .flat_map(Set::iter)
        .filter(move |member| others.iter().all(|other| other.contains_value(*member)))
}

/// Those members of the first set that are in none of the others.
fn difference<'s>(sets: &[Option<&'s Set>]) -> impl Iterator<Item = Value<'s>> + use<'s> {
    let (first, others) = sets.split_first().map_or((None, &[][..]), |(first, others)| (*first, others));
    let mut others: Vec<&Set> = others.iter().copied().flatten().collect();
    let itself = first.is_some_and(|first| others.iter().any(|other| std::ptr::eq(first, *other)));
    // The larger a set, the likelier it is to hold a member.
    others.sort_by_key(|set| std::cmp::Reverse(set.len()));
    first
        .filter(|_| !itself)
        .into_iter()
        .flat_map(Set::iter)
        .filter(move |member| !others.iter().any(|other| other.contains_value(*member)))
}

fn union(sets: &[Option<&Set>], policy: &Policy) -> Set {
    let mut union = Set::ints();
    let mut digits = itoa::Buffer::new();
    for member in sets.iter().copied().flatten().flat_map(Set::iter) {
        union.insert(member.as_bytes(&mut digits), policy);
    }
    union
}

/// Makes the set that is stored, in the form that the reference gives it.
fn make(sets: &[Option<&Set>], operation: Operation, policy: &Policy) -> Set {
    let mut digits = itoa::Buffer::new();
    let mut collect = |mut set: Set, members: &mut dyn Iterator<Item = Value<'_>>| {
        for member in members {
            set.insert(member.as_bytes(&mut digits), policy);
        }
        set
    };
    match operation {
        Operation::Union => union(sets, policy),
        Operation::Inter => {
            let empty = by_size(sets).first().map_or_else(Set::ints, |first| first.for_some());
            let mut set = collect(empty, &mut intersection(sets));
            set.shrink_to_ints(policy);
            set
        }
        Operation::Diff if subtracts(sets) => {
            let mut set =
                collect(Set::ints(), &mut sets.iter().copied().flatten().take(1).flat_map(Set::iter));
            for other in sets[1..].iter().copied().flatten() {
                other.for_each(&mut |member| _ = set.remove(member.as_bytes(&mut itoa::Buffer::new())));
            }
            set
        }
        Operation::Diff => collect(Set::ints(), &mut difference(sets)),
    }
}

/// Whether a difference is made by copying the first set and taking the others away, rather than by looking up each of
/// its members in all the others: the first costs the sizes of all sets, the second, a little cheaper, that of the first
/// times their number.
fn subtracts(sets: &[Option<&Set>]) -> bool {
    let Some(Some(first)) = sets.first() else { return false };
    let there = || sets.iter().copied().flatten();
    let itself = there().skip(1).any(|other| std::ptr::eq(*first, other));
    !itself && first.len() * there().count() / 2 > there().map(Set::len).sum()
}

fn store(ctx: &mut Ctx<'_>, args: Args<'_, '_>, operation: Operation, event: &str) -> Outcome {
    let places = 2..args.len();
    touch(ctx, args, places.clone())?;
    let set = make(&sets(ctx, args, places), operation, ctx.node.data.policy());
    let (key, hash, len) = (args.at(1), ctx.hash(args, 1), set.len());
    if len > 0 {
        ctx.expire_if_due(key, hash);
        ctx.db_mut().set_object(key, hash, set, Expiry::Clear);
        ctx.changed(key);
        ctx.event(b's', event, key);
    } else if ctx.remove(key, hash) {
        ctx.event(b'g', "del", key);
    }
    ctx.reply().int(len as i64);
    Ok(())
}

/// `SINTERCARD numkeys key [key ...] [LIMIT limit]`
pub(crate) fn sintercard(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let keys = number::parse_i64(args.at(1)).and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    let keys = keys.ok_or(Error::fixed("ERR numkeys should be greater than 0"))?;
    if keys > args.len() - 2 {
        return Err(Error::fixed("ERR Number of keys can't be greater than number of args"));
    }
    let places = 2..keys + 2;
    let limit = limit(args, places.end)?;
    touch(ctx, args, places.clone())?;
    let count = intersection(&sets(ctx, args, places)).take(limit).count();
    ctx.reply().int(count as i64);
    Ok(())
}

/// The limit that the options from argument `i` on tell; zero is none.
fn limit(args: Args<'_, '_>, mut i: usize) -> Result<usize, Error> {
    let mut limit = usize::MAX;
    while let Some(word) = args.get(i) {
        let value = args.get(i + 1).filter(|_| word.eq_ignore_ascii_case(b"LIMIT")).ok_or(Error::SYNTAX)?;
        limit = match parse_int(value).ok().and_then(|n| usize::try_from(n).ok()) {
            None => return Err(Error::fixed("ERR LIMIT can't be negative")),
            Some(0) => usize::MAX,
            Some(n) => n,
        };
        i += 2;
    }
    Ok(limit)
}
