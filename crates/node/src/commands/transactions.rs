//! Transactions: `MULTI`, `EXEC`, `DISCARD`, `WATCH`, `UNWATCH`.

use crate::context::Ctx;
use crate::dispatch::QueueRun;
use crate::error::{Error, Outcome};
use crate::node::Node;
use crate::session::Session;
use crate::transaction::{Multi, WatchedKey};
use tanist_resp::Args;

/// `MULTI`
pub(crate) fn multi(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    if ctx.session.multi.is_some() {
        return Err(Error::NESTED_MULTI);
    }
    ctx.session.multi = Some(Box::new(Multi::default()));
    ctx.reply().ok();
    Ok(())
}

/// `DISCARD`
pub(crate) fn discard(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    if ctx.session.multi.is_none() {
        return Err(Error::DISCARD_WITHOUT_MULTI);
    }
    forget(ctx);
    ctx.reply().ok();
    Ok(())
}

/// `EXEC`
pub(crate) fn exec(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let Some(multi) = ctx.session.multi.take() else {
        return Err(Error::EXEC_WITHOUT_MULTI);
    };
    let changed = ctx.session.dirty_watch || has_expired_watch(ctx);
    unwatch_all(ctx);
    if multi.aborted {
        return Err(Error::EXEC_ABORT);
    }
    if changed {
        ctx.reply().null_array();
        return Ok(());
    }
    ctx.reply().array(multi.queue.len());
    let mut run =
        QueueRun { now: ctx.now, session: ctx.session, out: ctx.out, outs: ctx.outs, watch: ctx.watch };
    ctx.node.run_queue(&mut run, multi.queue);
    Ok(())
}

/// `WATCH key [key ...]`
pub(crate) fn watch(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if ctx.session.multi.is_some() {
        return Err(Error::WATCH_IN_MULTI);
    }
    // A transaction that will fail anyway need not watch more.
    if !ctx.session.dirty_watch {
        for i in 1..args.len() {
            watch_key(ctx, args, i);
        }
    }
    ctx.reply().ok();
    Ok(())
}

fn watch_key(ctx: &mut Ctx<'_>, args: Args<'_, '_>, i: usize) {
    let (db, key) = (ctx.session.db, args.at(i));
    if ctx.session.watched.iter().any(|w| w.db == db && *w.key == *key) {
        return;
    }
    let hash = ctx.node.data.hash(key);
    let now = ctx.judged();
    let was_expired = ctx.db().find(key, hash).and_then(|e| e.expiry()).is_some_and(|at| at <= now);
    ctx.node.watchers.add(ctx.session.id, db, key);
    ctx.session.watched.push(WatchedKey { db, key: key.into(), was_expired });
}

/// `UNWATCH`
pub(crate) fn unwatch(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    unwatch_all(ctx);
    ctx.reply().ok();
    Ok(())
}

/// Ends a transaction that is being queued, and its watches.
pub(crate) fn forget(ctx: &mut Ctx<'_>) {
    ctx.session.multi = None;
    unwatch_all(ctx);
}

fn unwatch_all(ctx: &mut Ctx<'_>) {
    ctx.node.unwatch_all(ctx.session);
}

impl Node {
    /// Forgets what a session watches.
    pub(crate) fn unwatch_all(&mut self, session: &mut Session) {
        for watched in std::mem::take(&mut session.watched) {
            self.watchers.remove(session.id, &watched);
        }
        session.dirty_watch = false;
    }
}

/// A key that has passed its time since it was watched has changed, though nobody has removed it yet.
fn has_expired_watch(ctx: &Ctx<'_>) -> bool {
    let now = ctx.judged();
    ctx.session.watched.iter().filter(|w| !w.was_expired).any(|w| {
        let hash = ctx.node.data.hash(&w.key);
        let entry = ctx.node.data.db(w.db).find(&w.key, hash);
        entry.and_then(|e| e.expiry()).is_some_and(|at| at <= now)
    })
}
