//! Client-side caching: which keys clients keep copies of, and the messages that these are of no use any more.
//!
//! A session either is remembered with the keys that it reads, and told of each change once; or it listens to prefixes
//! (`BCAST`), and is told of every key that changes under them, in one message a batch. Keys are remembered by name alone,
//! whatever their database: a copy too many is given up. Sessions that are gone leave their number in the table until the
//! key changes; numbers are never used twice.
//!
//! As long as nobody tracks, a write looks at one flag and a read at one pointer.

mod message;
mod table;

pub(crate) use message::Copies;
pub(crate) use table::Table;

use crate::command::{Command, Flags};
use crate::keys;
use crate::node::Node;
use crate::output::{Output, Outputs};
use crate::session::{Session, SessionId};
use std::collections::BTreeSet;
use tanist_resp::{Args, Proto, Reply};

/// Which keys a session is told of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// Every key that it reads.
    Reads,
    /// The keys that it reads after `CLIENT CACHING YES`.
    OptIn,
    /// The keys that it reads but after `CLIENT CACHING NO`.
    OptOut,
    /// Every key that begins with one of these.
    Prefixes(BTreeSet<Box<[u8]>>),
}

/// What a session has asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Tracking {
    pub(crate) mode: Mode,
    /// Its own changes are no news to it.
    pub(crate) no_loop: bool,
    /// The messages go to this session.
    pub(crate) redirect: Option<SessionId>,
    /// That session is gone.
    pub(crate) broken: bool,
    /// `CLIENT CACHING` holds for the next command or transaction.
    pub(crate) caching: bool,
}

impl Tracking {
    /// Whether what it reads now is remembered.
    fn remembers(&self) -> bool {
        match self.mode {
            Mode::Reads => true,
            Mode::OptIn => self.caching,
            Mode::OptOut => !self.caching,
            Mode::Prefixes(_) => false,
        }
    }
}

/// Who has changed a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum By {
    /// A command of this session.
    Session(SessionId),
    /// A script that this session runs.
    Script(SessionId),
    /// Time, or a lack of room.
    Node,
}

impl By {
    /// What the session does now.
    pub(crate) fn of(session: &Session) -> By {
        if session.in_script { By::Script(session.id) } else { By::Session(session.id) }
    }

    /// Whether it is the doing of `id`, by itself or by its script.
    fn is(self, id: SessionId) -> bool {
        matches!(self, By::Session(by) | By::Script(by) if by == id)
    }
}

/// A message about the running session, which is not among the node's sessions: it waits for the command's end.
#[derive(Debug)]
pub(crate) enum Pending {
    /// It has a copy itself; and whether it has changed the key itself.
    Own(Copies, bool),
    /// Another one has, whose messages come to it.
    Redirected(Copies),
}

impl Node {
    /// Remembers what the session reads with a command.
    #[cold]
    pub(crate) fn remember_reads(
        &mut self,
        session: &Session,
        command: &'static Command,
        args: Args<'_, '_>,
        outs: &mut Outputs,
    ) {
        // Of a script, what its commands read counts, not what it declares.
        let runs_script = matches!(command.name, "eval_ro" | "evalsha_ro" | "fcall_ro");
        let wanted = !runs_script && session.tracking.as_ref().is_some_and(|t| t.remembers());
        if !wanted || !command.flags.has(Flags::READONLY) || command.keys.is_empty() {
            return;
        }
        let Some(keys) = keys::find(command, args) else { return };
        let count = keys.len();
        for key in keys {
            self.tracking.remember(args.at(key.index), session.id);
        }
        self.forget_surplus(count, outs);
    }

    /// Keeps the table within `tracking-table-max-keys`: whoever has copies of what goes is told to give them up.
    pub(crate) fn forget_surplus(&mut self, added: usize, outs: &mut Outputs) {
        /// Beyond what was added, so that a lowered limit is reached with time: more go with each round of the timer.
        const MORE: usize = 100;
        let most = usize::try_from(self.config.tracking_table_max_keys).unwrap_or(usize::MAX);
        if most == 0 {
            return;
        }
        for _ in 0..added + MORE {
            if self.tracking.keys() <= most {
                return;
            }
            let Some((key, readers)) = self.tracking.take_next() else { return };
            self.tell_readers(&key, &readers, By::Node, outs);
        }
    }

    /// A key has changed.
    #[inline]
    pub(crate) fn invalidate(&mut self, key: &[u8], by: By, outs: &mut Outputs) {
        if self.tracking.is_watching() {
            self.invalidate_tracked(key, by, outs);
        }
    }

    #[cold]
    fn invalidate_tracked(&mut self, key: &[u8], by: By, outs: &mut Outputs) {
        self.tracking.note_change(key, by);
        if let Some(readers) = self.tracking.take(key) {
            self.tell_readers(key, &readers, by, outs);
        }
    }

    fn tell_readers(&mut self, key: &[u8], readers: &[SessionId], by: By, outs: &mut Outputs) {
        for &id in readers {
            if self.sessions.is_running(id) {
                let copies = Copies::Of(vec![key.into()]);
                self.tracking.pending.push(Pending::Own(copies, by.is(id)));
            } else if self.remembers_reads(id) {
                self.tell_copies(id, Copies::Of(vec![key.into()]), outs);
            }
        }
    }

    /// Whether a session that has read something still wants to hear of it.
    fn remembers_reads(&self, id: SessionId) -> bool {
        let tracking = self.sessions.get(id).and_then(|s| s.tracking.as_ref());
        tracking.is_some_and(|t| !matches!(t.mode, Mode::Prefixes(_)))
    }

    /// All data are gone or others: every copy is of no use.
    pub(crate) fn invalidate_all(&mut self, outs: &mut Outputs) {
        // What sessions have read that are gone, too.
        self.tracking.forget_all();
        if self.tracking.clients == 0 {
            return;
        }
        for id in self.sessions.ids().collect::<Vec<_>>() {
            if self.sessions.is_running(id) {
                self.tracking.pending.push(Pending::Own(Copies::All, false));
            } else if self.sessions.get(id).is_some_and(|s| s.tracking.is_some()) {
                self.tell_copies(id, Copies::All, outs);
            }
        }
    }

    /// Tells a session that tracks, or who stands in for it, to give up copies.
    fn tell_copies(&mut self, id: SessionId, copies: Copies, outs: &mut Outputs) {
        let Some(s) = self.sessions.get(id) else { return };
        let Some(tracking) = &s.tracking else { return };
        let Some(target) = tracking.redirect else {
            send(s, &copies, false, outs);
            return;
        };
        if !self.tell_redirected(target, copies, outs)
            && let Some(s) = self.sessions.get_mut(id)
            && let Some(bytes) = broken(s, target)
        {
            outs.push(Output::Send { session: id, bytes });
        }
    }

    /// Tells a session that stands in for another; whether it is there.
    fn tell_redirected(&mut self, target: SessionId, copies: Copies, outs: &mut Outputs) -> bool {
        if self.sessions.is_running(target) {
            self.tracking.pending.push(Pending::Redirected(copies));
            return true;
        }
        let there = self.sessions.get(target);
        if let Some(s) = there {
            send(s, &copies, true, outs);
        }
        there.is_some()
    }

    /// After a command of a session that tracks, or while messages for it wait: what `CLIENT CACHING` has said was for
    /// this command, and the messages follow its reply.
    #[cold]
    pub(crate) fn end_tracked_command(
        &mut self,
        session: &mut Session,
        out: &mut Vec<u8>,
        outs: &mut Outputs,
    ) {
        for pending in std::mem::take(&mut self.tracking.pending) {
            match pending {
                Pending::Redirected(copies) => {
                    out.extend(copies.message(session.proto, true, session.is_subscribed()));
                }
                Pending::Own(copies, by_itself) => self.tell_running(session, copies, by_itself, out, outs),
            }
        }
        let is_client = session.last_command.is_some_and(|c| c.full_name.starts_with("client|"));
        if let Some(tracking) = &mut session.tracking
            && session.multi.is_none()
            && !is_client
        {
            tracking.caching = false;
        }
    }

    fn tell_running(
        &mut self,
        session: &mut Session,
        copies: Copies,
        by_itself: bool,
        out: &mut Vec<u8>,
        outs: &mut Outputs,
    ) {
        let Some(tracking) = &session.tracking else { return };
        // Everything being gone is news to everybody.
        let single = matches!(copies, Copies::Of(_));
        if single && (tracking.no_loop && by_itself || matches!(tracking.mode, Mode::Prefixes(_))) {
            return;
        }
        match tracking.redirect {
            None => out.extend(copies.message(session.proto, false, false)),
            Some(own) if own == session.id => {
                out.extend(copies.message(session.proto, true, session.is_subscribed()));
            }
            Some(target) => {
                if !self.tell_redirected(target, copies, outs) {
                    out.extend(broken(session, target).unwrap_or_default());
                }
            }
        }
    }

    /// Sends who listens to prefixes what has changed under them; no session may be running.
    #[inline]
    pub(crate) fn broadcast_changes(&mut self, outs: &mut Outputs) {
        if self.tracking.has_changes() {
            self.broadcast_tracked(outs);
        }
    }

    #[cold]
    fn broadcast_tracked(&mut self, outs: &mut Outputs) {
        for (listeners, changes) in self.tracking.take_changes() {
            for id in listeners {
                let tracking = self.sessions.get(id).and_then(|s| s.tracking.as_ref());
                let Some(no_loop) = tracking.map(|t| t.no_loop) else { continue };
                // Which keys its script changes, it may not know.
                let news = changes.iter().filter(|(_, by)| !(no_loop && **by == By::Session(id)));
                let keys: Vec<Box<[u8]>> = news.map(|(key, _)| key.clone()).collect();
                if !keys.is_empty() {
                    self.tell_copies(id, Copies::Of(keys), outs);
                }
            }
        }
    }

    /// A session tracks no more.
    pub(crate) fn stop_tracking(&mut self, id: SessionId, tracking: Option<Box<Tracking>>) {
        let Some(tracking) = tracking else { return };
        self.tracking.clients -= 1;
        if let Mode::Prefixes(prefixes) = &tracking.mode {
            prefixes.iter().for_each(|prefix| self.tracking.leave(prefix, id));
        }
    }
}

fn send(session: &Session, copies: &Copies, redirected: bool, outs: &mut Outputs) {
    let bytes = copies.message(session.proto, redirected, session.is_subscribed());
    if !bytes.is_empty() {
        outs.push(Output::Send { session: session.id, bytes });
    }
}

/// Notes that who stands in for a session is gone; the message that says so, if its protocol has one.
fn broken(session: &mut Session, target: SessionId) -> Option<Vec<u8>> {
    session.tracking.as_mut()?.broken = true;
    if session.proto == Proto::Resp2 {
        return None;
    }
    let mut bytes = Vec::new();
    let mut reply = Reply::new(&mut bytes, session.proto);
    reply.push(2);
    reply.bulk(b"tracking-redir-broken");
    reply.int(target.0 as i64);
    Some(bytes)
}
