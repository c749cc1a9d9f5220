//! Publish and subscribe.

use crate::context::Ctx;
use crate::error::Outcome;
use crate::node::Node;
use crate::output::{Output, Outputs};
use crate::pubsub::{message, pattern_message};
use crate::session::{ReplyMode, SessionId, SessionKind};
use tanist_resp::Args;

/// One family of subscriptions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Channel,
    Pattern,
    Shard,
}

/// `SUBSCRIBE channel [channel ...]`
pub(crate) fn subscribe(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    join(ctx, args, Family::Channel, "subscribe")
}

/// `PSUBSCRIBE pattern [pattern ...]`
pub(crate) fn psubscribe(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    join(ctx, args, Family::Pattern, "psubscribe")
}

/// `SSUBSCRIBE shardchannel [shardchannel ...]`
pub(crate) fn ssubscribe(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    join(ctx, args, Family::Shard, "ssubscribe")
}

/// `UNSUBSCRIBE [channel ...]`
pub(crate) fn unsubscribe(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    part(ctx, args, Family::Channel, "unsubscribe")
}

/// `PUNSUBSCRIBE [pattern ...]`
pub(crate) fn punsubscribe(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    part(ctx, args, Family::Pattern, "punsubscribe")
}

/// `SUNSUBSCRIBE [shardchannel ...]`
pub(crate) fn sunsubscribe(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    part(ctx, args, Family::Shard, "sunsubscribe")
}

fn join(ctx: &mut Ctx<'_>, args: Args<'_, '_>, family: Family, kind: &str) -> Outcome {
    for name in args.iter().skip(1) {
        let id = ctx.session.id;
        let (mine, pubsub) = (&mut *ctx.session, &mut ctx.node.pubsub);
        match family {
            Family::Channel if mine.channels.insert(name.into()) => pubsub.subscribe(id, name),
            Family::Pattern if mine.patterns.insert(name.into()) => pubsub.pattern_subscribe(id, name),
            Family::Shard if mine.shard_channels.insert(name.into()) => pubsub.shard_subscribe(id, name),
            _ => {}
        }
        confirm(ctx, family, kind, Some(name));
    }
    ctx.session.kind = SessionKind::Pubsub;
    Ok(())
}

fn part(ctx: &mut Ctx<'_>, args: Args<'_, '_>, family: Family, kind: &str) -> Outcome {
    let names: Vec<Box<[u8]>> =
        if args.len() > 1 { args.iter().skip(1).map(Into::into).collect() } else { held(ctx, family) };
    for name in &names {
        leave(ctx, family, name);
        confirm(ctx, family, kind, Some(name));
    }
    if names.is_empty() {
        confirm(ctx, family, kind, None);
    }
    if !ctx.session.is_subscribed() {
        ctx.session.kind = SessionKind::Normal;
    }
    Ok(())
}

fn held(ctx: &Ctx<'_>, family: Family) -> Vec<Box<[u8]>> {
    let set = match family {
        Family::Channel => &ctx.session.channels,
        Family::Pattern => &ctx.session.patterns,
        Family::Shard => &ctx.session.shard_channels,
    };
    set.iter().cloned().collect()
}

fn leave(ctx: &mut Ctx<'_>, family: Family, name: &[u8]) {
    let id = ctx.session.id;
    let (mine, pubsub) = (&mut *ctx.session, &mut ctx.node.pubsub);
    match family {
        Family::Channel if mine.channels.remove(name) => pubsub.unsubscribe(id, name),
        Family::Pattern if mine.patterns.remove(name) => pubsub.pattern_unsubscribe(id, name),
        Family::Shard if mine.shard_channels.remove(name) => pubsub.shard_unsubscribe(id, name),
        _ => {}
    }
}

fn confirm(ctx: &mut Ctx<'_>, family: Family, kind: &str, name: Option<&[u8]>) {
    let count = match family {
        Family::Shard => ctx.session.shard_channels.len(),
        Family::Channel | Family::Pattern => ctx.session.subscriptions(),
    };
    let start = ctx.out.len();
    let mut reply = ctx.reply();
    reply.push(3);
    reply.bulk(kind.as_bytes());
    match name {
        Some(name) => reply.bulk(name),
        None => reply.null(),
    }
    reply.int(count as i64);
    // It is a push like the messages: `CLIENT REPLY OFF` is about replies.
    if ctx.session.reply_mode != ReplyMode::On && !ctx.in_transaction {
        ctx.node.behind_reply.extend(ctx.out.drain(start..));
    }
}

/// Ends every subscription of the session without a word (`RESET`).
pub(crate) fn leave_all(ctx: &mut Ctx<'_>) {
    for family in [Family::Channel, Family::Pattern, Family::Shard] {
        for name in held(ctx, family) {
            leave(ctx, family, &name);
        }
    }
    ctx.session.kind = SessionKind::Normal;
}

/// `PUBLISH channel message`
pub(crate) fn publish(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (channel, payload) = (args.at(1), args.at(2));
    let mut receivers = own_messages(ctx, channel, payload);
    receivers += ctx.node.publish(channel, payload, ctx.outs);
    relay(ctx, args);
    ctx.reply().int(receivers as i64);
    Ok(())
}

/// `SPUBLISH shardchannel message`
pub(crate) fn spublish(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (channel, payload) = (args.at(1), args.at(2));
    let mut receivers = 0;
    if ctx.session.shard_channels.contains(channel) {
        let message = message(ctx.session.proto, "smessage", channel, payload);
        ctx.node.behind_reply.extend(message);
        receivers += 1;
    }
    if let Some(ids) = ctx.node.pubsub.shard_channels.get(channel) {
        for s in ids.iter().filter_map(|&id| ctx.node.sessions.get(id)) {
            ctx.outs
                .push(Output::Send { session: s.id, bytes: message(s.proto, "smessage", channel, payload) });
            receivers += 1;
        }
    }
    relay(ctx, args);
    ctx.reply().int(receivers);
    Ok(())
}

/// Messages reach the listeners of replicas through the log; they change no data.
fn relay(ctx: &mut Ctx<'_>, args: Args<'_, '_>) {
    // During a switchover the log must stand still, so that the new primary's is as long as this one's.
    if ctx.node.is_logging() && ctx.node.repl.hold.is_none() {
        ctx.node.rewritten = true;
        // It belongs to no database; as in Redis the sender's is selected all the same.
        ctx.node.effects.add(ctx.session.db, &[args.at(0), args.at(1), args.at(2)]);
    }
}

/// The session that publishes may listen itself; it is not among the others meanwhile. What it hears follows the reply
/// of its command, or of its transaction.
pub(crate) fn own_messages(ctx: &mut Ctx<'_>, channel: &[u8], payload: &[u8]) -> usize {
    let mut count = 0;
    if ctx.session.channels.contains(channel) {
        ctx.node.behind_reply.extend(message(ctx.session.proto, "message", channel, payload));
        count += 1;
    }
    for pattern in &ctx.session.patterns {
        if tanist_text::glob::matches(pattern, channel) {
            ctx.node.behind_reply.extend(pattern_message(ctx.session.proto, pattern, channel, payload));
            count += 1;
        }
    }
    count
}

impl Node {
    /// Sends a message to every listener but the running session; says how many there were.
    pub(crate) fn publish(&self, channel: &[u8], payload: &[u8], outs: &mut Outputs) -> usize {
        let mut receivers = 0;
        let mut send = |id: SessionId, pattern: Option<&[u8]>| {
            if let Some(s) = self.sessions.get(id) {
                let bytes = match pattern {
                    None => message(s.proto, "message", channel, payload),
                    Some(pattern) => pattern_message(s.proto, pattern, channel, payload),
                };
                outs.push(Output::Send { session: id, bytes });
                receivers += 1;
            }
        };
        for &id in self.pubsub.channels.get(channel).map_or(&[][..], Vec::as_slice) {
            send(id, None);
        }
        for (pattern, ids) in &self.pubsub.patterns {
            if tanist_text::glob::matches(pattern, channel) {
                ids.iter().for_each(|&id| send(id, Some(pattern)));
            }
        }
        receivers
    }
}

/// `PUBSUB CHANNELS [pattern]`
pub(crate) fn channels(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let names = ctx.node.pubsub.channels.keys().cloned().collect();
    list(ctx, args, names)
}

/// `PUBSUB SHARDCHANNELS [pattern]`
pub(crate) fn shardchannels(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let names = ctx.node.pubsub.shard_channels.keys().cloned().collect();
    list(ctx, args, names)
}

fn list(ctx: &mut Ctx<'_>, args: Args<'_, '_>, mut names: Vec<Box<[u8]>>) -> Outcome {
    if args.len() > 3 {
        return Err(ctx.arity_error());
    }
    if let Some(pattern) = args.get(2) {
        names.retain(|name| tanist_text::glob::matches(pattern, name));
    }
    names.sort_unstable();
    let mut reply = ctx.reply();
    reply.array(names.len());
    names.iter().for_each(|name| reply.bulk(name));
    Ok(())
}

/// `PUBSUB NUMSUB [channel ...]`
pub(crate) fn numsub(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let counts = args.iter().skip(2).map(|c| ctx.node.pubsub.channels.get(c).map_or(0, Vec::len)).collect();
    counted(ctx, args, counts)
}

/// `PUBSUB SHARDNUMSUB [shardchannel ...]`
pub(crate) fn shardnumsub(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let counts =
        args.iter().skip(2).map(|c| ctx.node.pubsub.shard_channels.get(c).map_or(0, Vec::len)).collect();
    counted(ctx, args, counts)
}

fn counted(ctx: &mut Ctx<'_>, args: Args<'_, '_>, counts: Vec<usize>) -> Outcome {
    let mut reply = ctx.reply();
    reply.array(counts.len() * 2);
    for (name, count) in args.iter().skip(2).zip(counts) {
        reply.bulk(name);
        reply.int(count as i64);
    }
    Ok(())
}

/// `PUBSUB NUMPAT`
pub(crate) fn numpat(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let count = ctx.node.pubsub.patterns.len() as i64;
    ctx.reply().int(count);
    Ok(())
}

/// `PUBSUB HELP`
pub(crate) fn help(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    super::reply_help(
        ctx,
        "PUBSUB",
        &[
            (
                "CHANNELS [<pattern>]",
                "The channels that somebody listens to, all or those matching a pattern.",
            ),
            ("NUMPAT", "The number of patterns that somebody listens to."),
            ("NUMSUB [<channel> ...]", "The number of listeners of each channel, patterns not counted."),
            ("SHARDCHANNELS [<pattern>]", "The shard channels that somebody listens to."),
            ("SHARDNUMSUB [<shardchannel> ...]", "The number of listeners of each shard channel."),
        ],
    )
}
