//! `FAILOVER`: the primary stops writes, lets a replica catch up, and hands its role over.

use super::{Hold, Repl};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::node::Node;
use crate::output::{LogLevel, Outputs};
use std::time::Duration;
use tanist_replication::{Address, LinkPhase};
use tanist_resp::Args;
use tanist_types::{Mono, Now};

/// Writes stay held for this long unless the hand-over ends earlier.
const HOLD: Duration = Duration::from_secs(3600);

/// A hand-over that is under way, named for what is awaited.
#[derive(Debug)]
pub(super) enum Failover {
    /// A replica (this one, or any) to have everything.
    CatchUp {
        /// Which one.
        target: Option<Address>,
        /// When to give up, or to go on regardless.
        until: Option<Mono>,
        /// Go on regardless when the time is up.
        force: bool,
    },
    /// The replica to take over.
    TakeOver {
        /// Which one.
        target: Address,
    },
}

impl Failover {
    pub(super) fn deadline(&self) -> Mono {
        match self {
            Failover::CatchUp { until, .. } => until.unwrap_or(Mono::NEVER),
            Failover::TakeOver { .. } => Mono::NEVER,
        }
    }
}

impl Repl {
    /// Whether a hand-over is under way.
    pub(super) fn failover_runs(&self) -> bool {
        self.failover.is_some()
    }

    /// As `INFO` calls it.
    pub(super) fn failover_word(&self) -> &'static str {
        match self.failover {
            None => "no-failover",
            Some(Failover::CatchUp { .. }) => "waiting-for-sync",
            Some(Failover::TakeOver { .. }) => "failover-in-progress",
        }
    }
}

/// `FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]`
pub(crate) fn failover(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if args.len() == 2 && args.at(1).eq_ignore_ascii_case(b"abort") {
        if ctx.node.repl.failover.is_none() {
            return Err(Error::new("ERR No failover in progress."));
        }
        ctx.node.failover_over("aborted by request", ctx.outs);
        ctx.reply().ok();
        return Ok(());
    }
    let (target, force, timeout) = options(args)?;
    if ctx.node.repl.failover.is_some() {
        return Err(Error::new("ERR FAILOVER already in progress."));
    }
    if ctx.node.is_replica() {
        return Err(Error::new("ERR FAILOVER is not valid when server is a replica."));
    }
    if !ctx.node.repl.replicas.any_attached() {
        return Err(Error::new("ERR FAILOVER requires connected replicas."));
    }
    if force && (timeout.is_none() || target.is_none()) {
        return Err(Error::new(
            "ERR FAILOVER with force option requires both a timeout and target HOST and IP.",
        ));
    }
    if let Some(target) = &target {
        let online = ctx
            .node
            .repl
            .replicas
            .lines(ctx.now.mono)
            .find(|l| (l.ip, l.port) == (&target.host, target.port));
        match online.map(|l| l.phase) {
            None => return Err(Error::new("ERR FAILOVER target HOST and PORT is not a replica.")),
            Some(LinkPhase::Online) => {}
            Some(_) => return Err(Error::new("ERR FAILOVER target replica is not online.")),
        }
    }
    let until = timeout.map(|t| ctx.now.mono + t);
    ctx.log(LogLevel::Notice, "FAILOVER requested.");
    ctx.node.hold_writes(ctx.now.mono + HOLD, None);
    ctx.node.repl.failover = Some(Failover::CatchUp { target, until, force });
    ctx.reply().ok();
    ctx.node.failover_tick(ctx.now, ctx.outs);
    ctx.node.repl.stirred = true;
    Ok(())
}

type Options = (Option<Address>, bool, Option<Duration>);

fn options(args: Args<'_, '_>) -> Result<Options, Error> {
    let (mut target, mut force, mut timeout) = (None, false, None);
    let mut i = 1;
    while i < args.len() {
        let word = args.at(i);
        let left = args.len() - i - 1;
        if word.eq_ignore_ascii_case(b"timeout") && left >= 1 && timeout.is_none() {
            let millis = tanist_resp::number::parse_i64(args.at(i + 1)).ok_or(Error::NOT_AN_INTEGER)?;
            if millis <= 0 {
                return Err(Error::new("ERR FAILOVER timeout must be greater than 0"));
            }
            timeout = Some(Duration::from_millis(millis as u64));
            i += 2;
        } else if word.eq_ignore_ascii_case(b"to") && left >= 2 && target.is_none() {
            target = Some(super::commands::address(args.at(i + 1), args.at(i + 2))?);
            i += 3;
        } else if word.eq_ignore_ascii_case(b"force") && !force {
            force = true;
            i += 1;
        } else {
            return Err(Error::SYNTAX);
        }
    }
    Ok((target, force, timeout))
}

impl Node {
    /// Holds writes back until then.
    pub(super) fn hold_writes(&mut self, until: Mono, target: Option<Address>) {
        self.repl.hold = Some(Hold { until, target, said: false });
        self.refresh_gates();
    }

    /// Goes on with a hand-over as far as it can.
    pub(super) fn failover_tick(&mut self, now: Now, outs: &mut Outputs) {
        let Some(failover) = &self.repl.failover else { return };
        match failover {
            Failover::CatchUp { target, until, force } => {
                let end = self.repl.end();
                let late = until.is_some_and(|at| at <= now.mono);
                let ready = self.repl.replicas.lines(now.mono).find(|l| {
                    l.phase == LinkPhase::Online
                        && l.acked >= end
                        && target.as_ref().is_none_or(|t| (l.ip, l.port) == (&t.host, t.port))
                });
                let next = ready.map(|l| Address { host: l.ip.to_owned(), port: l.port });
                match (next, late, force) {
                    (Some(next), _, _) => self.hand_over(next, now, outs),
                    (None, true, true) => {
                        if let Some(target) = target.clone() {
                            self.hand_over(target, now, outs);
                        }
                    }
                    (None, true, false) => self.failover_over("Replica never caught up before timeout", outs),
                    (None, false, _) => {}
                }
            }
            Failover::TakeOver { target } => {
                // The replica has become the primary once it lets us go on from it.
                let done = self
                    .repl
                    .upstream
                    .as_ref()
                    .is_some_and(|up| up.address == *target && !up.take_over && up.link.is_streaming());
                if done {
                    self.repl.failover = None;
                    outs.log(LogLevel::Notice, "Failover completed successfully.");
                    self.resume_writes(outs);
                }
            }
        }
    }

    /// This node becomes a replica of `target` and asks it to take over.
    fn hand_over(&mut self, target: Address, now: Now, outs: &mut Outputs) {
        outs.log(LogLevel::Notice, format!("Failover target is {target}, handing over"));
        self.repl.failover = Some(Failover::TakeOver { target: target.clone() });
        let upheaval = self.repl.member.follow_by_hand(&target);
        self.undergo(upheaval, None, now, outs);
        self.follow(target, now, outs);
        if let Some(up) = &mut self.repl.upstream {
            up.take_over = true;
        }
    }

    /// A hand-over comes to nothing; before the replica was asked to take over, this node goes on as the primary.
    fn failover_over(&mut self, why: &str, outs: &mut Outputs) {
        outs.log(LogLevel::Notice, format!("Failover ended: {why}"));
        if let Some(Failover::TakeOver { .. }) = self.repl.failover.take() {
            // Asked already: it may have taken over. We stay its replica and do not insist.
            if let Some(up) = &mut self.repl.upstream {
                up.take_over = false;
            }
        }
        self.resume_writes(outs);
    }
}
