//! `SORT` and `SORT_RO`: the elements of a list, set or sorted set in another order, or what other keys hold for them.

mod options;
mod order;
mod pattern;

use crate::context::Ctx;
use crate::error::{Error, Outcome};
use options::Options;
use pattern::Pattern;
use tanist_keyspace::collections::{List, Value};
use tanist_keyspace::{Collection, Expiry, ValueRef};
use tanist_resp::Args;

/// `SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA] [STORE destination]`
pub(crate) fn sort(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let options = Options::parse(ctx, args, true)?;
    run(ctx, args, options)
}

/// `SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA]`
pub(crate) fn sort_ro(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let options = Options::parse(ctx, args, false)?;
    run(ctx, args, options)
}

fn run(ctx: &mut Ctx<'_>, args: Args<'_, '_>, o: Options<'_>) -> Outcome {
    let (mut elements, ordered) = elements(ctx, args, &o)?;
    let range = o.range(elements.len());
    if o.sorts() {
        if !ordered && o.alpha {
            // What `BY` leaves equal stays in that order, which must not be that of this node's table: a replica that stores
            // the result has another one.
            elements.sort_unstable();
        }
        order::sort(ctx, &mut elements, &o)?;
    } else if !ordered && (o.store.is_some() || ctx.in_transaction) {
        // Members of a set come in any order, which is not to be that of this node on all others.
        order::sort(ctx, &mut elements, &o.by_text())?;
    }
    let chosen = &elements[range];
    match o.store {
        Some(i) => store(ctx, args, i, chosen, &o.get),
        None => answer(ctx, chosen, &o.get),
    }
    Ok(())
}

/// Elements, one text each.
type Texts = Vec<Box<[u8]>>;

/// The elements in the order that counts if they are not sorted, and whether there is one.
fn elements(ctx: &mut Ctx<'_>, args: Args<'_, '_>, o: &Options<'_>) -> Result<(Texts, bool), Error> {
    let hash = ctx.hash(args, 1);
    let backwards = o.descending && !o.sorts();
    ctx.read(args.at(1), hash, |found, _| {
        let mut elements = Vec::new();
        let mut digits = itoa::Buffer::new();
        let mut add = |element: Value<'_>| elements.push(element.as_bytes(&mut digits).into());
        let value = found.map(|entry| entry.value());
        match value {
            None => {}
            Some(ValueRef::List(list)) if backwards => list.iter().rev().for_each(add),
            Some(ValueRef::List(list)) => list.iter().for_each(add),
            Some(ValueRef::SortedSet(set)) => {
                let first = if backwards { set.len() - 1 } else { 0 };
                set.walk(first, backwards, &mut |member, _| {
                    add(member.value());
                    true
                });
            }
            Some(ValueRef::Set(set)) => set.for_each(&mut add),
            Some(_) => return Err(Error::WRONG_TYPE),
        }
        Ok((elements, !matches!(value, Some(ValueRef::Set(_)))))
    })
}

/// Answers with the elements, or with what `GET` leads to.
fn answer(ctx: &mut Ctx<'_>, elements: &[Box<[u8]>], get: &[Pattern<'_>]) {
    ctx.reply().array(elements.len() * get.len().max(1));
    for element in elements {
        if get.is_empty() {
            ctx.reply().bulk(element);
        }
        for pattern in get {
            match pattern.look_up(ctx, element) {
                Some(text) => ctx.reply().bulk(&text),
                None => ctx.reply().null(),
            }
        }
    }
}

/// Puts the result at the key that is argument `i`, as a list; an empty one removes what is there.
fn store(ctx: &mut Ctx<'_>, args: Args<'_, '_>, i: usize, elements: &[Box<[u8]>], get: &[Pattern<'_>]) {
    let policy = *ctx.node.data.policy();
    let mut list = List::default();
    for element in elements {
        if get.is_empty() {
            list.append(element, &policy);
        }
        for pattern in get {
            list.append(&pattern.look_up(ctx, element).unwrap_or_default(), &policy);
        }
    }
    let (key, hash, len) = (args.at(i), ctx.hash(args, i), list.len());
    if len > 0 {
        // What is past its time there goes through the log, like anywhere.
        ctx.expire_if_due(key, hash);
        ctx.db_mut().set_object(key, hash, list, Expiry::Clear);
        ctx.changed(key);
        ctx.event(b'l', "sortstore", key);
    } else if ctx.remove(key, hash) {
        ctx.event(b'g', "del", key);
        ctx.effect(&[b"DEL", key]);
    }
    ctx.reply().int(len as i64);
}
