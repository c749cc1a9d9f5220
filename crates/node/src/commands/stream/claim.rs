//! Entries that wait taken over from another consumer: `XCLAIM`, `XAUTOCLAIM`.

use super::effects::{Claim, log_claims, log_consumer, log_group};
use super::id::{parse_end, parse_strict};
use super::{group_missing_at, millis, reply_entry, reply_id};
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::Missing;
use tanist_keyspace::collections::{Delivery, Group, Stream, StreamId, StreamView};
use tanist_resp::{Args, Reply};

/// How many entries `XAUTOCLAIM` takes unless told.
const TAKEN: u64 = 100;
/// For each entry that `XAUTOCLAIM` may take, it looks at so many.
const LOOKS: u64 = 10;
/// The most that `COUNT` of `XAUTOCLAIM` may be.
const MOST: i64 = i64::MAX / 16;

/// How entries change hands.
struct Terms {
    /// The new owner's place.
    place: usize,
    now: u64,
    /// An entry that was handed out less than this long ago stays where it is, in milliseconds.
    min_idle: i64,
    /// When it counts as handed out.
    at: u64,
    /// How often it counts as handed out; `None` is once more than before.
    count: Option<u64>,
    /// Entries that do not wait are taken, too.
    force: bool,
    just_id: bool,
}

impl Terms {
    /// Takes one entry over if it may be; says whether it was, and writes it into the reply.
    fn take(
        &self,
        stream: StreamView<'_>,
        group: &mut Group,
        id: StreamId,
        reply: &mut Reply<'_>,
    ) -> Option<Delivery> {
        let entry = stream.range(id, id).next()?;
        let before = match group.delivery(id) {
            Some(delivery) if self.idle(delivery) < self.min_idle => return None,
            Some(delivery) => delivery.count,
            None if self.force => 1,
            None => return None,
        };
        let count = self.count.unwrap_or(before + u64::from(!self.just_id));
        group.deliver(id, self.place, self.at, count);
        group.at_mut(self.place).active = Some(self.now);
        if self.just_id {
            reply_id(reply, id);
        } else {
            reply_entry(reply, &entry);
        }
        group.delivery(id)
    }

    fn idle(&self, delivery: Delivery) -> i64 {
        // With no least time any will do, also one in the future.
        if self.min_idle == 0 { 0 } else { self.now.wrapping_sub(delivery.at) as i64 }
    }
}

/// What a command did to a group.
#[derive(Default)]
struct Claimed {
    claims: Vec<Claim>,
    /// The new owner was not known before.
    new_consumer: bool,
    /// The group was moved on.
    moved: bool,
    last: StreamId,
    read: Option<u64>,
}

/// The consumer of this name, who has been seen; made if there is none.
fn consumer(group: &mut Group, name: &[u8], now: u64, done: &mut Claimed) -> usize {
    let place = group.place(name).unwrap_or_else(|| {
        done.new_consumer = true;
        group.add_consumer(name, now)
    });
    group.at_mut(place).seen = now;
    place
}

/// An entry that is in the stream no more waits no more.
fn drop_entry(group: &mut Group, id: StreamId, done: &mut Claimed) -> bool {
    let Some(delivery) = group.delivery(id) else { return false };
    let owner = group.at(delivery.owner()).name.clone();
    group.acknowledge(id);
    done.claims.push(Claim {
        id,
        owner: Some(owner),
        at: delivery.at,
        count: delivery.count,
        last: group.last,
    });
    true
}

/// What is logged of an entry that was taken over.
fn claim_of(group: &Group, id: StreamId, delivery: Delivery) -> Claim {
    Claim { id, owner: None, at: delivery.at, count: delivery.count, last: group.last }
}

/// The events and the log of what was done.
fn report(ctx: &mut Ctx<'_>, args: Args<'_, '_>, done: &Claimed) {
    let (key, group, consumer) = (args.at(1), args.at(2), args.at(3));
    if done.new_consumer {
        ctx.event(b't', "xgroup-createconsumer", key);
        if !done.claims.iter().any(|claim| claim.owner.is_none()) {
            log_consumer(ctx, key, group, consumer);
        }
    }
    log_claims(ctx, (key, group, consumer), &done.claims);
    if done.moved && done.claims.is_empty() {
        log_group(ctx, key, group, (done.last, done.read));
    }
    ctx.node.dirty += done.claims.len() as u64 + u64::from(done.new_consumer) + u64::from(done.moved);
    ctx.no_effect();
}

/// Whether the key and the group are there, and of the right types.
fn check_group(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    let done = ctx.edit::<Stream, _>(args.at(1), hash, Missing::Leave, |stream, _| {
        stream.groups().contains_key(args.at(2))
    });
    match done {
        // A miss, which counts and is told of.
        Ok(None) => ctx.read(args.at(1), hash, |_, _| ()),
        // One of another type is found as well.
        _ => ctx.count_hit(),
    }
    match done? {
        Some(done) if done.result => Ok(()),
        _ => Err(group_missing_at(args.at(1), args.at(2), "")),
    }
}

/// The options of `XCLAIM`, given at `now`. A time before the beginning or behind `latest` is now: clocks differ.
struct Options {
    /// The identifiers are the arguments from 5 to this one.
    end: usize,
    at: u64,
    count: Option<u64>,
    force: bool,
    just_id: bool,
    last: StreamId,
}

fn options(args: Args<'_, '_>, now: u64, latest: u64) -> Result<Options, Error> {
    let mut end = 5;
    while args.get(end).is_some_and(|text| parse_strict(text, 0).is_ok()) {
        end += 1;
    }
    let mut o = Options { end, at: now, count: None, force: false, just_id: false, last: StreamId::MIN };
    let invalid = |name: &str| Error::new(format!("ERR Invalid {name} option argument for XCLAIM"));
    let mut i = end;
    while let Some(word) = args.get(i) {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        let value = args.get(i + 1);
        let moment = |at: i64| u64::try_from(at).ok().filter(|at| *at <= latest).unwrap_or(now);
        match value {
            _ if is(b"FORCE") => o.force = true,
            _ if is(b"JUSTID") => o.just_id = true,
            Some(text) if is(b"IDLE") => {
                let idle = parse_int(text).map_err(|_| invalid("IDLE"))?;
                o.at = moment((now as i64).wrapping_sub(idle));
                i += 1;
            }
            Some(text) if is(b"TIME") => {
                o.at = moment(parse_int(text).map_err(|_| invalid("TIME"))?);
                i += 1;
            }
            Some(text) if is(b"RETRYCOUNT") => {
                o.count = u64::try_from(parse_int(text).map_err(|_| invalid("RETRYCOUNT"))?).ok();
                i += 1;
            }
            Some(text) if is(b"LASTID") => {
                o.last = parse_strict(text, 0)?;
                i += 1;
            }
            _ => {
                let word = String::from_utf8_lossy(word);
                return Err(Error::new(format!("ERR Unrecognized XCLAIM option '{word}'")));
            }
        }
        i += 1;
    }
    Ok(o)
}

fn min_idle(text: &[u8], command: &str) -> Result<i64, Error> {
    let invalid = |_| Error::new(format!("ERR Invalid min-idle-time argument for {command}"));
    Ok(parse_int(text).map_err(invalid)?.max(0))
}

/// `XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-ms] [RETRYCOUNT count] [FORCE]
/// [JUSTID] [LASTID id]`
pub(crate) fn xclaim(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    check_group(ctx, args)?;
    let min_idle = min_idle(args.at(4), "XCLAIM")?;
    let now = millis(ctx);
    // What the primary's clock has said is not to be judged by this one.
    let o = options(args, now, if ctx.session.is_primary() { u64::MAX } else { now })?;
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let done = ctx.edit_replying::<Stream, _>(key, hash, Missing::Leave, |stream, _, reply| {
        let mut done = Claimed::default();
        let Some((stream, group)) = stream.view_and_group(args.at(2)) else { return Ok(done) };
        if o.last > group.last {
            group.last = o.last;
            done.moved = true;
        }
        let place = consumer(group, args.at(3), now, &mut done);
        let terms =
            Terms { place, now, min_idle, at: o.at, count: o.count, force: o.force, just_id: o.just_id };
        let mark = reply.deferred();
        let mut taken = 0;
        for at in 5..o.end {
            let id = parse_strict(args.at(at), 0)?;
            if !stream.contains(id) {
                drop_entry(group, id, &mut done);
            } else if let Some(delivery) = terms.take(stream, group, id, reply) {
                done.claims.push(claim_of(group, id, delivery));
                taken += 1;
            }
        }
        reply.finish_array(mark, taken);
        (done.last, done.read) = (group.last, group.read);
        Ok::<_, Error>(done)
    })?;
    let Some(done) = done else { return Err(group_missing_at(key, args.at(2), "")) };
    report(ctx, args, &done.result?);
    Ok(())
}

/// `XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]`
pub(crate) fn xautoclaim(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let min_idle = min_idle(args.at(4), "XAUTOCLAIM")?;
    let start = match parse_end(args.at(5), 0)? {
        (id, true) => id.next().ok_or(Error::fixed("ERR invalid start ID for the interval"))?,
        (id, false) => id,
    };
    let (mut count, mut just_id) = (TAKEN, false);
    let mut i = 6;
    while let Some(word) = args.get(i) {
        if word.eq_ignore_ascii_case(b"COUNT") && i + 1 < args.len() {
            let n = parse_int(args.at(i + 1)).ok().filter(|n| (1..=MOST).contains(n));
            count = n.ok_or(Error::fixed("ERR COUNT must be > 0"))? as u64;
            i += 1;
        } else if word.eq_ignore_ascii_case(b"JUSTID") {
            just_id = true;
        } else {
            return Err(Error::SYNTAX);
        }
        i += 1;
    }
    check_group(ctx, args)?;
    let now = millis(ctx);
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let done = ctx.edit_replying::<Stream, _>(key, hash, Missing::Leave, |stream, _, reply| {
        let mut done = Claimed::default();
        let Some((stream, group)) = stream.view_and_group(args.at(2)) else { return done };
        let place = consumer(group, args.at(3), now, &mut done);
        let terms = Terms { place, now, min_idle, at: now, count: None, force: false, just_id };
        // The cursor comes first and is known last.
        let mut entries = Vec::new();
        let mut rest = Reply::new(&mut entries, reply.proto());
        let mark = rest.deferred();
        let (mut taken, mut looks, mut next, mut dropped) = (0, count * LOOKS, Some(start), Vec::new());
        let found = |group: &Group, from: Option<StreamId>| group.pending(from?..).next().map(|(id, ..)| id);
        while looks > 0 && taken as u64 + (dropped.len() as u64) < count {
            let Some(id) = found(group, next) else { break };
            looks -= 1;
            next = id.next();
            if !stream.contains(id) {
                drop_entry(group, id, &mut done);
                dropped.push(id);
            } else if let Some(delivery) = terms.take(stream, group, id, &mut rest) {
                done.claims.push(claim_of(group, id, delivery));
                taken += 1;
            }
        }
        rest.finish_array(mark, taken);
        reply.array(3);
        reply_id(reply, found(group, next).unwrap_or(StreamId::MIN));
        reply.raw(&entries);
        reply.array(dropped.len());
        for id in dropped {
            reply_id(reply, id);
        }
        (done.last, done.read) = (group.last, group.read);
        done
    })?;
    let Some(done) = done else { return Err(group_missing_at(key, args.at(2), "")) };
    report(ctx, args, &done.result);
    Ok(())
}
