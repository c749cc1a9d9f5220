//! The line that describes a connection (`CLIENT LIST`, `CLIENT INFO`). Tools parse it by field name.

use super::filter::Filters;
use crate::context::Ctx;
use crate::error::Outcome;
use crate::session::{Session, SessionId, SessionKind};
use std::fmt::Write;
use tanist_resp::{Args, Proto};
use tanist_types::Mono;

/// `CLIENT LIST [filter ...]`
pub(crate) fn list(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let filters = Filters::parse(ctx, args.skip(2), false)?;
    let mut text = String::new();
    for id in chosen(ctx, &filters) {
        if let Some(session) = session(ctx, id) {
            text.push_str(&line(session, ctx.now.mono, running(ctx, id, args)));
            text.push('\n');
        }
    }
    ctx.reply().verbatim(*b"txt", text.as_bytes());
    Ok(())
}

/// `CLIENT INFO`
pub(crate) fn info(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let mut text = line(ctx.session, ctx.now.mono, running(ctx, ctx.session.id, args));
    text.push('\n');
    ctx.reply().verbatim(*b"txt", text.as_bytes());
    Ok(())
}

/// Bytes of the arguments of a session's command: only one session has a command that runs.
fn running(ctx: &Ctx<'_>, id: SessionId, args: Args<'_, '_>) -> usize {
    if id == ctx.session.id { args.iter().map(<[u8]>::len).sum() } else { 0 }
}

/// The connections that pass the filters, in the order of connecting.
pub(super) fn chosen(ctx: &Ctx<'_>, filters: &Filters) -> Vec<SessionId> {
    let own = ctx.session.id;
    let passes = |&id: &SessionId| session(ctx, id).is_some_and(|s| filters.pass(s, id == own, ctx.now.mono));
    ctx.node.sessions.ids().filter(passes).collect()
}

/// Any session, the running one included.
pub(super) fn session<'c>(ctx: &'c Ctx<'_>, id: SessionId) -> Option<&'c Session> {
    if id == ctx.session.id { Some(ctx.session) } else { ctx.node.sessions.get(id) }
}

/// What a session is and does, as letters.
pub(super) fn flags(s: &Session) -> String {
    let marks = [
        (s.monitor, 'O'),
        (s.kind == SessionKind::Replica, 'S'),
        (s.is_subscribed(), 'P'),
        (s.multi.is_some(), 'x'),
        (s.is_blocked(), 'b'),
        (s.dirty_watch, 'd'),
        (s.close_after_reply, 'c'),
        (s.peer.unix, 'U'),
        (s.readonly, 'r'),
        (s.no_evict, 'e'),
        (s.no_touch, 'T'),
    ];
    let text: String = marks.iter().filter(|(on, _)| *on).map(|(_, letter)| *letter).collect();
    if text.is_empty() { "N".to_owned() } else { text }
}

/// One session in one line, without its end; `argv` are the bytes of its running command's arguments.
///
/// A connection has one buffer for output, and only while its socket does not take everything: it counts as a list of
/// one buffer (`oll`, `omem`). The buffers for reading and encoding belong to threads: `qbuf-free`, `rbs`, `rbp` and
/// `obl` are zero.
pub(crate) fn line(s: &Session, now: Mono, argv: usize) -> String {
    let mut out = String::with_capacity(400);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let queued = s.multi.as_ref().map_or(-1, |m| m.queue.len() as i64);
    let multi_mem = s.queued_memory();
    let memory = s.memory() + argv;
    let events = if s.unsent > 0 { "rw" } else { "r" };
    let command = s.last_command.map_or("NULL", |c| c.full_name);
    let protocol = if s.proto == Proto::Resp3 { 3 } else { 2 };
    let _ = write!(
        out,
        "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} capa={} db={} sub={} psub={} ssub={} \
         multi={queued} watch={} qbuf={} qbuf-free=0 argv-mem={argv} multi-mem={multi_mem} rbs=0 rbp=0 obl=0 oll={} \
         omem={} tot-mem={memory} events={events} cmd={command} user={} redir=-1 resp={protocol} lib-name={} lib-ver={} \
         tot-net-in={} tot-net-out={} tot-cmds={}",
        s.id.0,
        s.peer.addr,
        s.peer.laddr,
        s.peer.fd,
        text(&s.name),
        now.since(s.created).as_secs(),
        now.since(s.last_active).as_secs(),
        flags(s),
        if s.redirects { "r" } else { "" },
        s.db.0,
        s.channels.len(),
        s.patterns.len(),
        s.shard_channels.len(),
        s.watched.len(),
        s.query_buffer,
        usize::from(s.unsent > 0),
        s.unsent,
        s.user,
        text(&s.lib_name),
        text(&s.lib_version),
        s.bytes_in,
        s.bytes_out,
        s.commands,
    );
    out
}
