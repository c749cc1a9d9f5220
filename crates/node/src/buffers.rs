//! What waits in the shell for clients: for `CLIENT LIST` and `INFO`, and for `client-output-buffer-limit`.
//!
//! A connection tells what its socket has not taken only if it could not write everything at once: a client that reads
//! its replies costs nothing here. The limits are judged whenever something is told, and at a deadline of the node's
//! for who stays above the soft limit without anything happening. Replicas have a limit of their own
//! ([`tanist_replication::Replicas::too_slow`]): what they are sent is read from the log, not kept for each.

use crate::commands::client::Running;
use crate::node::Node;
use crate::output::{LogLevel, Output, Outputs};
use crate::session::{Session, SessionId, SessionKind};
use std::collections::BTreeMap;
use std::time::Duration;
use tanist_config::BufferLimit;
use tanist_replication::LinkId;
use tanist_types::{Mono, Now};

/// The most bytes that may wait for a client that has yet to say who it is: it gets refusals only, and must not be able
/// to have them pile up.
const UNKNOWN_SENDER_LIMIT: u64 = 1024;

/// What the node remembers of buffers beside the figures of each session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffers {
    /// Since when sessions have been at or above the soft limit of their class.
    above_soft: BTreeMap<SessionId, Mono>,
    pub(crate) recent: Recent,
    /// The limits have changed: everybody is to be judged anew.
    pub(crate) rejudge: bool,
}

/// The largest buffers of the last seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Recent([Second; Recent::SECONDS]);

#[derive(Clone, Copy, Debug, Default)]
struct Second {
    at: u64,
    input: usize,
    output: usize,
}

impl Recent {
    /// As many as in Valkey.
    const SECONDS: usize = 8;

    #[inline]
    pub(crate) fn note(&mut self, now: Mono, input: usize, output: usize) {
        let at = now.nanos() / 1_000_000_000;
        let second = &mut self.0[at as usize % Recent::SECONDS];
        if second.at != at {
            *second = Second { at, ..Second::default() };
        }
        second.input = second.input.max(input);
        second.output = second.output.max(output);
    }

    /// The largest input and the largest output.
    pub(crate) fn largest(&self, now: Mono) -> (usize, usize) {
        let now = now.nanos() / 1_000_000_000;
        let fresh = || self.0.iter().filter(|s| s.at + Recent::SECONDS as u64 > now);
        (fresh().map(|s| s.input).max().unwrap_or(0), fresh().map(|s| s.output).max().unwrap_or(0))
    }
}

impl Node {
    /// The shell tells what it holds for a session: input that makes no whole command yet, and output that the socket
    /// has not taken.
    pub(crate) fn buffered(
        &mut self,
        id: SessionId,
        (unread, spare, unsent): (usize, usize, usize),
        now: Now,
        outs: &mut Outputs,
    ) {
        let Some(s) = self.sessions.get_mut(id) else { return };
        s.query_buffer = unread;
        s.spare = spare;
        s.unsent = unsent;
        self.buffers.recent.note(now.mono, unread, unsent);
        if s.kind != SessionKind::Replica {
            self.count_client(id, now, outs);
            self.judge_output(id, now, outs);
            self.make_room_soon();
        } else {
            self.repl.replicas.note_unsent(LinkId(id.0), unsent as u64);
            self.drop_slow_replicas(now, outs);
        }
    }

    /// A session has sent more than may wait of it, and is being closed.
    pub(crate) fn overlong(&mut self, id: SessionId, now: Now, outs: &mut Outputs) {
        let Some(s) = self.sessions.get(id) else { return };
        let line = crate::commands::client::line(s, now.mono, Running::default());
        outs.log(LogLevel::Warning, format!("Closing client that reached max query buffer length: {line}"));
        self.stats.query_buffer_limit_disconnections += 1;
    }

    /// Closes a session for which too much waits, or has waited for too long.
    fn judge_output(&mut self, id: SessionId, now: Now, outs: &mut Outputs) {
        let Some(s) = self.sessions.get(id).filter(|s| !s.close_after_reply) else { return };
        let mut limit = self.output_limit(s.kind);
        if !self.is_authenticated(id) {
            limit.hard = UNKNOWN_SENDER_LIMIT;
        }
        let size = s.unsent as u64;
        if limit.soft == 0 || size < limit.soft {
            self.buffers.above_soft.remove(&id);
        } else {
            self.buffers.above_soft.entry(id).or_insert(now.mono);
        }
        let since = self.buffers.above_soft.get(&id);
        let too_long = since.is_some_and(|since| *since + soft_time(limit) <= now.mono);
        if limit.hard > 0 && size >= limit.hard || too_long {
            let line = crate::commands::client::line(s, now.mono, Running::default());
            outs.log(
                LogLevel::Warning,
                format!("Client {line} scheduled to be closed ASAP for overcoming of output buffer limits."),
            );
            self.stats.output_buffer_limit_disconnections += 1;
            self.buffers.above_soft.remove(&id);
            if let Some(s) = self.sessions.get_mut(id) {
                s.close_after_reply = true;
            }
            outs.push(Output::Close { session: id, flush: false });
        }
    }

    /// The most bytes of replies that may come together for a session before any of them is written. What a script is
    /// answered is no reply yet.
    pub(crate) fn reply_limit(&self, session: &Session) -> usize {
        let bounded = session.kind != SessionKind::Replica && !session.is_primary() && !session.in_script;
        match self.output_limit(session.kind).hard {
            hard if hard > 0 && bounded => usize::try_from(hard).unwrap_or(usize::MAX),
            _ => usize::MAX,
        }
    }

    /// Closes a session, which is running, for replies that are more than may wait for it. They are not written.
    #[cold]
    pub(crate) fn refuse_replies(&mut self, session: &mut Session, now: Now, outs: &mut Outputs) {
        let line = crate::commands::client::line(session, now.mono, Running::default());
        outs.log(
            LogLevel::Warning,
            format!("Client {line} scheduled to be closed ASAP for overcoming of output buffer limits."),
        );
        self.stats.output_buffer_limit_disconnections += 1;
        session.close_after_reply = true;
    }

    /// How much may wait for a session of this class.
    fn output_limit(&self, kind: SessionKind) -> BufferLimit {
        let limits = &self.config.client_output_buffer_limit;
        match kind {
            SessionKind::Normal => limits.normal,
            SessionKind::Pubsub => limits.pubsub,
            SessionKind::Replica => limits.replica,
        }
    }

    /// Judges everybody who has been above a soft limit; if the limits have changed, everybody for whom something waits.
    pub(crate) fn judge_slow_readers(&mut self, now: Now, outs: &mut Outputs) {
        if std::mem::take(&mut self.buffers.rejudge) {
            self.judge_all_readers(now, outs);
        }
        if !self.buffers.above_soft.is_empty() {
            for id in self.buffers.above_soft.keys().copied().collect::<Vec<_>>() {
                self.judge_output(id, now, outs);
            }
        }
    }

    fn judge_all_readers(&mut self, now: Now, outs: &mut Outputs) {
        let waits = |s: &&crate::session::Session| s.unsent > 0 && s.kind != SessionKind::Replica;
        for id in self.sessions.others().filter(waits).map(|s| s.id).collect::<Vec<_>>() {
            self.judge_output(id, now, outs);
        }
    }

    /// When [`Node::judge_slow_readers`] is due.
    pub(crate) fn slow_readers_deadline(&self) -> Mono {
        if self.buffers.rejudge {
            return Mono::ZERO;
        }
        let due = |(id, since): (&SessionId, &Mono)| {
            let kind = self.sessions.get(*id).map(|s| s.kind).unwrap_or_default();
            *since + soft_time(self.output_limit(kind))
        };
        self.buffers.above_soft.iter().map(due).min().unwrap_or(Mono::NEVER)
    }

    /// A session is gone.
    pub(crate) fn forget_buffers(&mut self, id: SessionId) {
        self.buffers.above_soft.remove(&id);
    }

    /// Counts what was sent to sessions beside the replies of their own batches: outputs from the `from`-th on.
    pub(crate) fn count_sent(&mut self, outs: &Outputs, from: usize) {
        for output in outs.from(from) {
            if let Output::Send { session, bytes } = output {
                self.stats.net_out += bytes.len() as u64;
                if let Some(s) = self.sessions.get_mut(*session) {
                    s.bytes_out += bytes.len() as u64;
                }
            }
        }
    }
}

fn soft_time(limit: BufferLimit) -> Duration {
    Duration::from_secs(limit.soft_seconds)
}
