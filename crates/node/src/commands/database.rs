//! Whole databases: `DBSIZE`, `FLUSHDB`, `FLUSHALL`, `SWAPDB`.

use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::session::{ReplyMode, SessionId, Waiting};
use tanist_resp::Args;
use tanist_types::{DbIndex, UnixMs};

/// `DBSIZE`
pub(crate) fn dbsize(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let len = ctx.db().len();
    ctx.reply().int(len as i64);
    Ok(())
}

/// `FLUSHDB [ASYNC | SYNC]`
pub(crate) fn flushdb(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    check_flush_type(args)?;
    let db = ctx.db_index();
    let keys = ctx.db().len() as u64;
    note_emptied(ctx, args, keys);
    mark_emptied(ctx, db);
    ctx.node.invalidate_all(ctx.outs);
    ctx.node.blocking.signal_all(Some(db));
    let garbage = ctx.node.data.flush(db);
    ctx.discard(garbage);
    ctx.reply().ok();
    Ok(())
}

/// `FLUSHALL [ASYNC | SYNC]`: with save points the snapshot file is emptied, too, before the reply. Nobody waits for that
/// whose reply cannot come by itself: in a transaction or script, or with `CLIENT REPLY` off.
pub(crate) fn flushall(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    check_flush_type(args)?;
    ctx.node.forget_old_file(ctx.now, ctx.outs);
    let keys = ctx.node.data.total_keys() as u64;
    note_emptied(ctx, args, keys);
    for db in 0..ctx.node.data.databases() {
        mark_emptied(ctx, DbIndex(db));
    }
    ctx.node.invalidate_all(ctx.outs);
    ctx.node.blocking.signal_all(None);
    let garbage = ctx.node.data.flush_all();
    ctx.discard(garbage);
    let can_wait = !ctx.in_transaction && ctx.session.reply_mode == ReplyMode::On;
    if can_wait && ctx.node.waits_for_empty_file(ctx.session.id) {
        ctx.session.waiting = Some(Waiting::Busy);
    } else {
        ctx.reply().ok();
    }
    Ok(())
}

/// Each key is a change; the command is logged even if there was none, for a replica may hold what is not here any more.
fn note_emptied(ctx: &mut Ctx<'_>, args: Args<'_, '_>, keys: u64) {
    ctx.node.dirty += keys;
    if keys == 0 {
        let words: Vec<&[u8]> = args.iter().collect();
        ctx.effect(&words);
    }
}

/// `ASYNC` or `SYNC`: memory is freed elsewhere in any case, so they mean the same.
fn check_flush_type(args: Args<'_, '_>) -> Outcome {
    match args.get(1) {
        None => Ok(()),
        Some(word) if args.len() == 2 && is_flush_type(word) => Ok(()),
        Some(_) => Err(Error::SYNTAX),
    }
}

fn is_flush_type(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"ASYNC") || word.eq_ignore_ascii_case(b"SYNC")
}

/// `SWAPDB index1 index2`
pub(crate) fn swapdb(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let index = |i: usize, which: &str| {
        let n = parse_int(args.at(i)).ok().and_then(|n| i32::try_from(n).ok());
        n.ok_or_else(|| Error::new(format!("ERR invalid {which} DB index")))
    };
    let (a, b) = (index(1, "first")?, index(2, "second")?);
    let (a, b) = (database(ctx, a)?, database(ctx, b)?);
    if a != b {
        mark_swapped(ctx, a, b);
        mark_swapped(ctx, b, a);
        ctx.node.data.swap(a, b);
        ctx.node.blocking.signal_all(Some(a));
        ctx.node.blocking.signal_all(Some(b));
    }
    ctx.node.dirty += 1;
    ctx.reply().ok();
    Ok(())
}

fn database(ctx: &Ctx<'_>, index: i32) -> Result<DbIndex, Error> {
    let index = u16::try_from(index).ok().filter(|i| *i < ctx.node.data.databases());
    index.map(DbIndex).ok_or(Error::DB_OUT_OF_RANGE)
}

/// How a watched key stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stand {
    Missing,
    Expired,
    Live,
}

fn stand(ctx: &Ctx<'_>, db: DbIndex, key: &[u8], now: UnixMs) -> Stand {
    let hash = ctx.node.data.hash(key);
    match ctx.node.data.db(db).find(key, hash).map(|e| e.expiry()) {
        None => Stand::Missing,
        Some(Some(at)) if at <= now => Stand::Expired,
        Some(_) => Stand::Live,
    }
}

/// Marks who watches a key of `db` that is there, before the database is emptied.
fn mark_emptied(ctx: &mut Ctx<'_>, db: DbIndex) {
    mark(ctx, db, |ctx, key, now| (stand(ctx, db, key, now), Stand::Missing));
}

/// Marks who watches a key of `db` that changes when the database of `with` takes its place.
fn mark_swapped(ctx: &mut Ctx<'_>, db: DbIndex, with: DbIndex) {
    mark(ctx, db, |ctx, key, now| (stand(ctx, db, key, now), stand(ctx, with, key, now)));
}

/// Goes through the watched keys of `db` with how each stands before and after.
fn mark(ctx: &mut Ctx<'_>, db: DbIndex, stands: impl Fn(&Ctx<'_>, &[u8], UnixMs) -> (Stand, Stand)) {
    if ctx.node.watchers.is_empty() {
        return;
    }
    let now = ctx.wall();
    let keys: Vec<(Box<[u8]>, Vec<SessionId>)> =
        ctx.node.watchers.in_db(db).into_iter().map(|(k, ids)| (k.into(), ids.to_vec())).collect();
    for (key, ids) in keys {
        let (before, after) = stands(ctx, &key, now);
        if before == Stand::Missing && after == Stand::Missing {
            continue;
        }
        for id in ids {
            let own = id == ctx.session.id;
            let session = if own { Some(&mut *ctx.session) } else { ctx.node.sessions.get_mut(id) };
            let (was_missing, expired) = (before == Stand::Missing, after == Stand::Expired);
            if let Some(session) = session
                && (after == Stand::Live || session.watched_key_replaced(db, &key, was_missing, expired))
            {
                // As in Valkey, it goes on watching, which `INFO` tells.
                session.dirty_watch = true;
            }
        }
    }
}
