//! Fields and their expiry in one command: `HSETEX`, `HGETEX`, and `HGETDEL`.

use super::expire::{log_expiry, report_passed, report_persisted};
use super::fields::reply_value;
use super::options::{Fields, Lifetime, Options};
use super::write::report_removed;
use super::{judged_at, log_counted, log_fields, report_expired};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::collections::{FieldExpiry, Hash, NEVER, Was};
use tanist_keyspace::{Entry, Missing, ValueRef};
use tanist_resp::Args;
use tanist_types::UnixMs;

fn hash_of(entry: Entry<'_>) -> Result<&Hash, Error> {
    match entry.value() {
        ValueRef::Hash(hash) => Ok(hash),
        _ => Err(Error::WRONG_TYPE),
    }
}

/// `HSETEX key [NX | XX] [FNX | FXX] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] FIELDS numfields field value
/// [field value ...]`
pub(crate) fn hsetex(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let options = Options::parse(args, true)?;
    let fields = options.fields;
    let (key, hash, now) = (args.at(1), ctx.hash(args, 1), judged_at(ctx));
    let found = ctx.lookup(key, hash).map(hash_of).transpose()?;
    let there = found.is_some();
    let mut names = (fields.first..args.len()).step_by(2).map(|i| args.at(i));
    let holds = options.fields_exist.is_none_or(|wanted| {
        names.all(|name| found.is_some_and(|hash| hash.get(name, now).is_some()) == wanted)
    });
    // As in Valkey, what is wanted of the key is looked at before the time, what is wanted of the fields after it.
    if options.key_exists.is_some_and(|wanted| there != wanted) {
        ctx.reply().int(0);
        return Ok(());
    }
    let until = options.until(ctx)?;
    if holds {
        match until {
            Some(at) if ctx.has_passed(at) => set_passed(ctx, args, fields, there)?,
            _ => set(ctx, args, &options, until)?,
        }
    }
    ctx.reply().int(holds.into());
    Ok(())
}

fn set(ctx: &mut Ctx<'_>, args: Args<'_, '_>, options: &Options<'_>, until: Option<UnixMs>) -> Outcome {
    let (key, hash, now) = (args.at(1), ctx.hash(args, 1), judged_at(ctx));
    let (first, count) = (options.fields.first, options.fields.count);
    let expiry = match (until, options.lifetime) {
        (Some(at), _) => FieldExpiry::At(at),
        (None, Lifetime::Keep) => FieldExpiry::Keep,
        _ => FieldExpiry::Clear,
    };
    let edited = ctx.edit(key, hash, Missing::Create, |hash: &mut Hash, policy| {
        hash.expect(count, args.skip(first).iter(), policy);
        let mut expired: Vec<&[u8]> = Vec::new();
        for i in (first..args.len()).step_by(2) {
            if hash.set(args.at(i), args.at(i + 1), expiry, now, policy) == Was::Expired {
                expired.push(args.at(i));
            }
        }
        expired
    })?;
    let expired = edited.map_or(Vec::new(), |edited| edited.result);
    ctx.changed_by(key, count);
    report_expired(ctx, key, expired.len());
    ctx.event(b'h', "hset", key);
    if until.is_some() {
        ctx.event(b'h', "hexpire", key);
    }
    let pairs: Vec<&[u8]> = args.skip(first).iter().collect();
    let mut digits = itoa::Buffer::new();
    match expiry {
        FieldExpiry::Clear => log_fields(ctx, &[b"HSET", key], &pairs),
        FieldExpiry::At(at) => {
            log_counted(ctx, &[b"HSETEX", key, b"PXAT", digits.format(at.0).as_bytes()], count, &pairs);
        }
        FieldExpiry::Keep => {
            // For a replica those fields are there, and have an expiry to keep.
            if !expired.is_empty() {
                log_fields(ctx, &[b"HDEL", key], &expired);
            }
            log_counted(ctx, &[b"HSETEX", key, b"KEEPTTL"], count, &pairs);
        }
    }
    Ok(())
}

/// Fields that are set to expire at a moment that has passed are removed instead.
/// `there` says whether the key was: one that is not comes and goes in the same command.
fn set_passed(ctx: &mut Ctx<'_>, args: Args<'_, '_>, fields: Fields, there: bool) -> Outcome {
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let edited = ctx.edit(key, hash, Missing::Leave, |hash: &mut Hash, _| {
        let names = (fields.first..args.len()).step_by(2).map(|i| args.at(i));
        names.filter(|name| hash.remove(name, NEVER)).collect::<Vec<&[u8]>>()
    })?;
    let (removed, gone) = edited.map_or((Vec::new(), true), |edited| (edited.result, edited.emptied));
    // Those that come and go in the same command have expired as well.
    ctx.node.stats.expired_fields += (fields.count - removed.len()) as u64;
    if !there {
        ctx.event(b'n', "new", key);
    }
    ctx.event(b'h', "hset", key);
    ctx.event(b'h', "hexpire", key);
    if removed.is_empty() {
        ctx.event(b'h', "hexpired", key);
        if gone {
            ctx.event(b'g', "del", key);
        }
    } else {
        ctx.changed_by(key, removed.len());
        report_passed(ctx, key, &removed, gone);
    }
    Ok(())
}

/// `HGETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] FIELDS numfields field [field ...]`
pub(crate) fn hgetex(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let options = Options::parse(args, false)?;
    let fields = options.fields;
    let (key, hash, now) = (args.at(1), ctx.hash(args, 1), judged_at(ctx));
    if ctx.lookup(key, hash).is_some_and(|entry| hash_of(entry).is_err()) {
        ctx.count_hit();
        return Err(Error::WRONG_TYPE);
    }
    let until = match options.until(ctx) {
        Ok(until) => until,
        Err(error) => {
            // As in Valkey the key is read before the time is looked at, which counts and may be a miss to tell of.
            ctx.read(key, hash, |_, _| ());
            return Err(error);
        }
    };
    let persists = options.lifetime == Lifetime::Persist;
    let passed = until.is_some_and(|at| ctx.has_passed(at));
    if !passed {
        reply_values(ctx, args, fields, now)?;
    }
    if until.is_none() && !persists {
        return Ok(());
    }
    if passed {
        // Read all the same, which counts and may be a miss to tell of.
        ctx.read(key, hash, |_, _| ());
        let (removed, emptied) = take(ctx, args, fields, now)?;
        if !removed.is_empty() {
            ctx.changed_by(key, removed.len());
            report_passed(ctx, key, &removed, emptied);
        }
        return Ok(());
    }
    let edited = ctx.edit(key, hash, Missing::Leave, |hash: &mut Hash, policy| {
        let affected = |name: &&[u8]| {
            let expiry = hash.get(name, now).map(|pair| pair.expiry);
            let applies = expiry.is_some_and(|expiry| until.is_some() || expiry.is_some());
            applies && hash.set_expiry(name, until, policy)
        };
        fields.of(args).filter(affected).collect::<Vec<&[u8]>>()
    })?;
    let changed = edited.map_or(Vec::new(), |edited| edited.result);
    match until {
        _ if changed.is_empty() => {}
        None => report_persisted(ctx, key, &changed),
        Some(at) => {
            ctx.changed_by(key, changed.len());
            ctx.event(b'h', "hexpire", key);
            log_expiry(ctx, key, at, &changed);
        }
    }
    Ok(())
}

fn reply_values(ctx: &mut Ctx<'_>, args: Args<'_, '_>, fields: Fields, now: UnixMs) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.view(args.at(1), hash, |hash: Option<&Hash>, reply| {
        reply.array(fields.count);
        for field in fields.of(args) {
            reply_value(reply, hash.and_then(|hash| hash.get(field, now)));
        }
    })
}

/// Answers with the fields' values and removes them; those that were there, and whether nothing is left.
fn take<'b>(
    ctx: &mut Ctx<'_>,
    args: Args<'_, 'b>,
    fields: Fields,
    now: UnixMs,
) -> Result<(Vec<&'b [u8]>, bool), Error> {
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let (mut out, proto) = (std::mem::take(ctx.out), ctx.session.proto);
    let mut reply = tanist_resp::Reply::new(&mut out, proto);
    reply.array(fields.count);
    let edited = ctx.edit(key, hash, Missing::Leave, |hash: &mut Hash, _| {
        let taken = |name: &&[u8]| {
            let pair = hash.get(name, now);
            reply_value(&mut reply, pair);
            pair.is_some() && hash.remove(name, now)
        };
        fields.of(args).filter(taken).collect::<Vec<&[u8]>>()
    });
    if let Ok(None) = edited {
        (0..fields.count).for_each(|_| tanist_resp::Reply::new(&mut out, proto).null());
    }
    *ctx.out = out;
    Ok(edited?.map_or((Vec::new(), false), |edited| (edited.result, edited.emptied)))
}

/// `HGETDEL key FIELDS numfields field [field ...]`
pub(crate) fn hgetdel(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let fields = Fields::only(args, Fields::MISMATCH)?;
    let (key, hash, now) = (args.at(1), ctx.hash(args, 1), judged_at(ctx));
    ctx.lookup(key, hash).map(hash_of).transpose()?;
    let (removed, emptied) = take(ctx, args, fields, now)?;
    if !removed.is_empty() {
        report_removed(ctx, key, removed.len(), emptied);
        // Not every replica knows the command.
        log_fields(ctx, &[b"HDEL", key], &removed);
    }
    Ok(())
}
