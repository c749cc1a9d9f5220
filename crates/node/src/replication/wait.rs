//! `WAIT` and `WAITAOF`: sessions that wait until replicas have acknowledged what they wrote.

use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::node::Node;
use crate::output::Outputs;
use crate::session::{SessionId, Waiting};
use std::time::Duration;
use tanist_replication::{Acked, Count, Local, Rule};
use tanist_resp::{Args, Proto, Reply};
use tanist_types::{Mono, Now};

/// A session that waits.
#[derive(Debug)]
pub(super) struct Waiter {
    session: SessionId,
    proto: Proto,
    rule: Rule,
    pub(super) until: Option<Mono>,
}

/// `WAIT numreplicas timeout`
pub(crate) fn wait(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if ctx.node.is_replica() {
        return Err(Error::new(
            "ERR WAIT cannot be used with replica instances. Please also note that if a replica is configured to be \
             writable (which is not the default) writes to replicas are just local and are not propagated.",
        ));
    }
    let replicas = integer(args.at(1))?;
    let timeout = timeout(args.at(2))?;
    let pos = ctx.session.last_write;
    let replicas = u32::try_from(replicas.max(0)).unwrap_or(u32::MAX);
    block(ctx, Rule::Received { pos, replicas }, timeout);
    Ok(())
}

/// `WAITAOF numlocal numreplicas timeout`
pub(crate) fn waitaof(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let local = integer(args.at(1))?;
    let replicas = integer(args.at(2))?;
    let timeout = timeout(args.at(3))?;
    if !(0..=1).contains(&local) {
        return Err(Error::new("ERR value is out of range, value must between 0 and 1"));
    }
    if replicas < 0 {
        return Err(Error::new("ERR value is out of range, must be positive"));
    }
    if ctx.node.is_replica() {
        return Err(Error::new(
            "ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just \
             local and are not propagated.",
        ));
    }
    if local > 0 {
        return Err(Error::new(
            "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
        ));
    }
    let pos = ctx.session.last_write;
    let replicas = u32::try_from(replicas).unwrap_or(u32::MAX);
    block(ctx, Rule::Fsynced { pos, local: false, replicas }, timeout);
    Ok(())
}

fn integer(text: &[u8]) -> Result<i64, Error> {
    tanist_resp::number::parse_i64(text).ok_or(Error::NOT_AN_INTEGER)
}

/// Milliseconds; zero waits for ever.
fn timeout(text: &[u8]) -> Result<Option<Duration>, Error> {
    let millis = tanist_resp::number::parse_i64(text)
        .ok_or(Error::new("ERR timeout is not an integer or out of range"))?;
    let millis = u64::try_from(millis).map_err(|_| Error::new("ERR timeout is negative"))?;
    Ok((millis > 0).then_some(Duration::from_millis(millis)))
}

fn block(ctx: &mut Ctx<'_>, rule: Rule, timeout: Option<Duration>) {
    let (local, acks) = ctx.node.progress();
    if ctx.in_transaction || rule.met(local, acks.iter().copied()) {
        let count = rule.count(local, acks.into_iter());
        write_count(&mut ctx.reply(), &rule, count);
        return;
    }
    let until = timeout.map(|t| ctx.now.mono + t);
    ctx.session.waiting = Some(Waiting::Blocked { until });
    let proto = ctx.session.proto;
    ctx.node.repl.waiters.push(Waiter { session: ctx.session.id, proto, rule, until });
    // Stock replicas acknowledge once a second unless they are asked.
    let asks = ctx.node.repl.replicas.online().any(|(_, l)| !l.facts.tanist);
    if asks && ctx.node.repl.hold.is_none() {
        ctx.node.repl.backlog.append(b"*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n");
    }
}

fn write_count(reply: &mut Reply<'_>, rule: &Rule, count: Count) {
    match rule {
        Rule::Fsynced { .. } => {
            reply.array(2);
            reply.int(i64::from(count.local));
            reply.int(i64::from(count.replicas));
        }
        Rule::Received { .. } | Rule::Committed { .. } => reply.int(i64::from(count.replicas)),
    }
}

impl Node {
    /// How far this node and its replicas have got.
    fn progress(&self) -> (Local, Vec<Acked>) {
        (self.repl.local(), self.repl.replicas.acks().collect())
    }

    /// Answers those whose rule is met or whose time is up.
    pub(super) fn release_waiters(&mut self, now: Now, outs: &mut Outputs) {
        if self.repl.waiters.is_empty() {
            return;
        }
        let (local, acks) = self.progress();
        let over =
            |w: &Waiter| w.until.is_some_and(|at| at <= now.mono) || w.rule.met(local, acks.iter().copied());
        let (done, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.repl.waiters).into_iter().partition(over);
        self.repl.waiters = rest;
        for waiter in done {
            let mut bytes = Vec::new();
            let count = waiter.rule.count(local, acks.iter().copied());
            write_count(&mut Reply::new(&mut bytes, waiter.proto), &waiter.rule, count);
            self.release(waiter.session, &bytes, outs);
        }
    }

    /// The node is a primary no more: nobody can be told how many replicas have what it wrote.
    pub(super) fn unblock_waiters(&mut self, outs: &mut Outputs) {
        for waiter in std::mem::take(&mut self.repl.waiters) {
            let reply = format!("-{}\r\n", Error::UNBLOCKED.text());
            self.release(waiter.session, reply.as_bytes(), outs);
        }
    }

    /// Ends the wait of one session, as its time-out would or with an error; says whether it waited here.
    pub(crate) fn unblock_waiter(&mut self, id: SessionId, as_error: bool, outs: &mut Outputs) -> bool {
        let Some(at) = self.repl.waiters.iter().position(|w| w.session == id) else { return false };
        let waiter = self.repl.waiters.remove(at);
        let mut bytes = Vec::new();
        let mut reply = Reply::new(&mut bytes, waiter.proto);
        if as_error {
            let error = Error::fixed("UNBLOCKED client unblocked via CLIENT UNBLOCK");
            self.stats.count_error(error.code());
            reply.error(error.text());
        } else {
            let (local, acks) = self.progress();
            write_count(&mut reply, &waiter.rule, waiter.rule.count(local, acks.into_iter()));
        }
        self.release(id, &bytes, outs);
        true
    }

    /// A session is gone: it waits no more.
    pub(crate) fn forget_waiter(&mut self, id: SessionId) {
        self.repl.waiters.retain(|w| w.session != id);
    }
}
