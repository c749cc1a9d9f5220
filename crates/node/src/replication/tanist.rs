//! `TANIST`: the words of the election protocol between sentinels and this node.

use super::commands::address;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::node::Node;
use crate::output::Outputs;
use crate::session::{SessionId, Waiting};
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;
use tanist_replication::{
    FenceAsk, FenceGrant, Floor, FollowAsk, Key, PrepareAsk, PromoteAsk, Refusal, Ticket, Upheaval,
};
use tanist_resp::{Args, Proto, Reply};
use tanist_types::{Epoch, LogPos, NodeId, RunId};

/// The longest that writes can be held back by one command.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// `TANIST STATUS`
pub(super) fn status(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    ctx.session.sentinel = true;
    let fields = ctx.node.status();
    write_fields(&mut ctx.reply(), &fields);
    Ok(())
}

/// `TANIST FENCE group epoch leader config-version`
pub(super) fn fence(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    ctx.session.sentinel = true;
    let ask = FenceAsk { group: group(args.at(2))?, epoch: epoch(args.at(3))?, leader: run(args.at(4))? };
    let ticket = Ticket(ctx.session.id.0);
    let upheaval = ctx.node.repl.member.fence(&ask, ticket).map_err(refused)?;
    obey(ctx, upheaval);
    Ok(())
}

/// `TANIST PREPARE group epoch leader milliseconds [TARGET]`
pub(super) fn prepare(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    ctx.session.sentinel = true;
    let target = match args.get(6) {
        None => false,
        Some(word) if word.eq_ignore_ascii_case(b"target") && args.len() == 7 => true,
        Some(_) => return Err(Error::SYNTAX),
    };
    let (group, epoch, leader) = (group(args.at(2))?, epoch(args.at(3))?, run(args.at(4))?);
    let time = Duration::from_millis(number(args.at(5), "milliseconds")?).min(MAX_PAUSE);
    let ask = PrepareAsk { group, epoch, leader, target };
    let done = ctx.node.repl.member.prepare(&ask).map_err(refused)?;
    ctx.node.repl.prepared_until = Some(ctx.now.mono + time);
    ctx.node.repl.stirred |= !done;
    // Whoever asks is answered at once, lest it take the node for down while the disk is at work.
    if done {
        ctx.reply().ok()
    } else {
        ctx.reply().simple("PENDING")
    }
    Ok(())
}

/// `TANIST PROMOTE group epoch leader node-id run-id last-epoch offset [FORCE]`
pub(super) fn promote(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    ctx.session.sentinel = true;
    let force = match args.get(9) {
        None => false,
        Some(word) if word.eq_ignore_ascii_case(b"force") && args.len() == 10 => true,
        Some(_) => return Err(Error::SYNTAX),
    };
    let ask = PromoteAsk {
        group: group(args.at(2))?,
        epoch: epoch(args.at(3))?,
        leader: run(args.at(4))?,
        node: NodeId::parse(args.at(5)).map_err(|_| bad("node id"))?,
        run: run(args.at(6))?,
        key: Key { epoch: epoch(args.at(7))?, pos: LogPos(number(args.at(8), "offset")?) },
        force,
    };
    let (key, ticket) = (ctx.node.repl.key(), Ticket(ctx.session.id.0));
    ctx.node.repl.member.promote(&ask, key, ticket).map_err(refused)?;
    obey(ctx, Upheaval::None);
    Ok(())
}

/// `TANIST FOLLOW group epoch host port node-id|-`
pub(super) fn follow(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    ctx.session.sentinel = true;
    let primary = address(args.at(4), args.at(5))?;
    let ask = FollowAsk { group: group(args.at(2))?, epoch: epoch(args.at(3))?, primary: primary.clone() };
    let ticket = Ticket(ctx.session.id.0);
    let same = ctx.node.repl.upstream.as_ref().is_some_and(|up| up.address == primary);
    let upheaval = ctx.node.repl.member.follow(&ask, ticket).map_err(refused)?;
    let me = ctx.session.id;
    ctx.node.undergo(upheaval, Some(me), ctx.now, ctx.outs);
    if !same || ctx.node.repl.upstream.is_none() {
        ctx.node.follow(primary, ctx.now, ctx.outs);
    } else {
        ctx.node.hurry_upstream(ctx.now, ctx.outs);
    }
    obey(ctx, Upheaval::None);
    Ok(())
}

/// `TANIST PAUSE group milliseconds [target-host target-port]`
pub(super) fn pause(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    ctx.session.sentinel = true;
    group(args.at(2))?;
    let time = Duration::from_millis(number(args.at(3), "milliseconds")?).min(MAX_PAUSE);
    let target = match (args.get(4), args.get(5), args.len()) {
        (None, _, _) => None,
        (Some(host), Some(port), 6) => Some(address(host, port)?),
        _ => return Err(Error::SYNTAX),
    };
    if ctx.node.is_replica() {
        return Err(Error::new("ERR this node is no primary"));
    }
    ctx.node.hold_writes(ctx.now.mono + time, target);
    ctx.node.repl.stirred = true;
    ctx.reply().ok();
    Ok(())
}

/// `TANIST RESUME group`
pub(super) fn resume(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    ctx.session.sentinel = true;
    group(args.at(2))?;
    ctx.node.forget_prepared();
    ctx.node.resume_writes(ctx.outs);
    ctx.reply().ok();
    Ok(())
}

/// Carries out what a transition demands at once; the reply comes when it is durable.
fn obey(ctx: &mut Ctx<'_>, upheaval: Upheaval) {
    let me = ctx.session.id;
    ctx.session.waiting = Some(Waiting::Busy);
    ctx.node.undergo(upheaval, Some(me), ctx.now, ctx.outs);
    // Looked after once the session is among the others again, so that its answer finds it.
    ctx.node.repl.stirred = true;
}

fn refused(refusal: Refusal) -> Error {
    Error::new(refusal.to_string())
}

fn bad(what: &str) -> Error {
    Error::new(format!("ERR invalid {what}"))
}

fn number<T: FromStr>(text: &[u8], what: &str) -> Result<T, Error> {
    std::str::from_utf8(text).ok().and_then(|t| t.parse().ok()).ok_or_else(|| bad(what))
}

fn epoch(text: &[u8]) -> Result<Epoch, Error> {
    number(text, "epoch").map(Epoch)
}

fn run(text: &[u8]) -> Result<RunId, Error> {
    RunId::parse(text).map_err(|_| bad("run id"))
}

/// The name of a group is a sentinel's name for a primary.
fn group(text: &[u8]) -> Result<String, Error> {
    let text = std::str::from_utf8(text).map_err(|_| bad("group"))?;
    let fine = !text.is_empty() && text.len() <= 255 && text.bytes().all(|b| b.is_ascii_graphic());
    if fine { Ok(text.to_owned()) } else { Err(bad("group")) }
}

type Fields = Vec<(&'static str, String)>;

fn write_fields(reply: &mut Reply<'_>, fields: &Fields) {
    reply.map(fields.len());
    for (name, value) in fields {
        reply.bulk(name.as_bytes());
        reply.bulk(value.as_bytes());
    }
}

impl Node {
    /// The promise is durable: the fence is answered with the log as it is now.
    pub(super) fn answer_fence(&mut self, grant: FenceGrant, outs: &mut Outputs) {
        let answer = grant.answer(&self.repl.member, self.repl.key());
        let session = SessionId(answer.ticket.0);
        let proto = self.sessions.get(session).map_or(Proto::Resp2, |s| s.proto);
        let mut bytes = Vec::new();
        write_fields(&mut Reply::new(&mut bytes, proto), &self.status());
        self.release(session, &bytes, outs);
    }

    /// The fields of `TANIST STATUS`, in their order.
    fn status(&self) -> Fields {
        let s = self.standing();
        let (repl, key) = (&self.repl, s.key);
        let durable = repl.member.durable();
        let (floor_epoch, floor_offset) = match durable.floor {
            Some(Floor(key)) => (key.epoch.to_string(), key.pos.to_string()),
            None => ("-1".into(), "-1".into()),
        };
        let text = |value: &dyn Display| value.to_string();
        vec![
            ("node-id", text(&durable.node)),
            ("run-id", text(&s.run)),
            ("boot", text(&durable.boot.0)),
            ("group", durable.group.clone().unwrap_or_default()),
            ("role", s.role.into()),
            ("promised-epoch", text(&s.promised.epoch)),
            ("promised-leader", s.promised.leader.map_or(String::new(), |l| l.to_string())),
            ("accepted-epoch", text(&s.accepted)),
            ("last-epoch", text(&key.epoch)),
            ("offset", text(&key.pos)),
            ("floor-epoch", floor_epoch),
            ("floor-offset", floor_offset),
            ("voting", u8::from(s.voting).to_string()),
            ("ex-primary-epoch", repl.member.ex_primary().map_or("-1".into(), |e| e.to_string())),
            ("config-version", "0".into()),
            ("replid", text(&s.history)),
            ("link", s.link.into()),
            ("primary-host", s.primary.map_or(String::new(), |p| p.host.clone())),
            ("primary-port", s.primary.map_or("0".into(), |p| p.port.to_string())),
            ("priority", self.config.replica_priority.to_string()),
        ]
    }
}
