//! The line that describes a connection (`CLIENT LIST`, `CLIENT INFO`). Tools parse it by field name.

use super::filter::Filters;
use super::tracking::redirection;
use crate::context::Ctx;
use crate::error::Outcome;
use crate::session::{Session, SessionId, SessionKind};
use crate::tracking::Mode;
use std::fmt::Write;
use tanist_resp::{Args, Proto};
use tanist_types::Mono;

/// `CLIENT LIST [filter ...]`
pub(crate) fn list(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let filters = Filters::parse(ctx, args.skip(2), false)?;
    let mut text = String::new();
    for id in chosen(ctx, &filters) {
        if let Some(session) = session(ctx, id) {
            text.push_str(&line(session, ctx.now.mono, Running::of(ctx, id, args)));
            text.push('\n');
        }
    }
    ctx.reply().verbatim(*b"txt", text.as_bytes());
    Ok(())
}

/// `CLIENT INFO`
pub(crate) fn info(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let mut text = line(ctx.session, ctx.now.mono, Running::of(ctx, ctx.session.id, args));
    text.push('\n');
    ctx.reply().verbatim(*b"txt", text.as_bytes());
    Ok(())
}

/// What only the session has whose command runs: the buffers of the thread are lent to it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Running {
    /// Bytes of the command's arguments (`argv-mem`).
    argv: usize,
    /// Replies of the batch before this one (`obl`), and the size of the buffer that they are in (`rbs`).
    replies: usize,
    buffer: usize,
}

impl Running {
    /// Of the session that sends a command with these arguments and is refused.
    pub(crate) fn refused(args: Args<'_, '_>) -> Running {
        Running { argv: args.iter().map(<[u8]>::len).sum(), ..Running::default() }
    }

    /// Of this session; nothing unless it is the one.
    fn of(ctx: &Ctx<'_>, id: SessionId, args: Args<'_, '_>) -> Running {
        match id == ctx.session.id {
            true => Running {
                argv: args.iter().map(<[u8]>::len).sum(),
                replies: ctx.out.len(),
                buffer: ctx.out.capacity(),
            },
            false => Running::default(),
        }
    }
}

/// The connections that pass the filters, in the order of connecting. One that is being closed is gone.
pub(super) fn chosen(ctx: &Ctx<'_>, filters: &Filters) -> Vec<SessionId> {
    let own = ctx.session.id;
    let is_open = |s: &&Session| s.id == own || !s.close_after_reply;
    let passes = |&id: &SessionId| {
        session(ctx, id).filter(is_open).is_some_and(|s| filters.pass(s, id == own, ctx.now.mono))
    };
    ctx.node.sessions.ids().filter(passes).collect()
}

/// Any session, the running one included.
pub(super) fn session<'c>(ctx: &'c Ctx<'_>, id: SessionId) -> Option<&'c Session> {
    if id == ctx.session.id { Some(ctx.session) } else { ctx.node.sessions.get(id) }
}

/// What a session is and does, as letters.
pub(super) fn flags(s: &Session) -> String {
    let tracking = s.tracking.as_deref();
    let marks = [
        (s.monitor, 'O'),
        (s.kind == SessionKind::Replica, 'S'),
        (s.is_subscribed(), 'P'),
        (s.multi.is_some(), 'x'),
        (s.is_blocked(), 'b'),
        (tracking.is_some(), 't'),
        (tracking.is_some_and(|t| t.broken), 'R'),
        (tracking.is_some_and(|t| matches!(t.mode, Mode::Prefixes(_))), 'B'),
        (s.dirty_watch, 'd'),
        (s.close_after_reply, 'c'),
        (s.peer.unix, 'U'),
        (s.readonly, 'r'),
        (s.no_evict, 'e'),
        (s.no_touch, 'T'),
        (s.import_source, 'I'),
    ];
    let text: String = marks.iter().filter(|(on, _)| *on).map(|(_, letter)| *letter).collect();
    if text.is_empty() { "N".to_owned() } else { text }
}

/// One session in one line, without its end.
///
/// A connection has one buffer for output, and only while its socket does not take everything: it counts as a list of
/// one buffer (`oll`, `omem`). The buffers for reading and encoding belong to threads and are lent: `qbuf-free` is what
/// is held for this session between batches, and `rbs`, `rbp` and `obl` are zero but for the one that runs.
pub(crate) fn line(s: &Session, now: Mono, running: Running) -> String {
    let mut out = String::with_capacity(400);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let redirect = redirection(s.tracking.as_deref());
    let queued = s.multi.as_ref().map_or(-1, |m| m.queue.len() as i64);
    let multi_mem = s.queued_memory();
    let Running { argv, replies, buffer } = running;
    let memory = s.memory() + argv + buffer;
    let events = if s.unsent > 0 { "rw" } else { "r" };
    let command = s.last_command.map_or("NULL", |c| c.full_name);
    let protocol = if s.proto == Proto::Resp3 { 3 } else { 2 };
    let _ = write!(
        out,
        "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} capa={} db={} sub={} psub={} ssub={} \
         multi={queued} watch={} qbuf={} qbuf-free={} argv-mem={argv} multi-mem={multi_mem} rbs={buffer} rbp={replies} obl={replies} oll={} \
         omem={} tot-mem={memory} events={events} cmd={command} user={} redir={redirect} resp={protocol} lib-name={} lib-ver={} \
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
        s.spare,
        usize::from(s.unsent > 0),
        s.unsent,
        text(&s.user.name),
        text(&s.lib_name),
        text(&s.lib_version),
        s.bytes_in,
        s.bytes_out,
        s.commands,
    );
    out
}
