//! Durable before visible: what people and other sentinels hear of a vote, an epoch or an operator's change waits until
//! the configuration file that holds it is on the disk. So does the switch of a group with Redis or Valkey nodes, which
//! know nothing of epochs: a sentinel that forgot it would take the new primary back to the old one. Tanist nodes have
//! the epoch of their primary on their own disks, and whoever has forgotten a switch learns of it from them: clients
//! need not wait for it.
//!
//! A change marks the file as dirty; the end of the step emits one `Persist`. If the change is one that others may
//! rely on, the gate closes: replies and published events queue behind that version in their order, and hello messages
//! wait. A vote is a reply of its own kind: it is written only when its grant is durable; if the disk fails, the grant
//! is taken back and refused. Everything else is let through with a warning after a failure, or after
//! [`timing::DISK_PATIENCE`]: the other sentinels hold what this one cannot write down.

use super::Sentinel;
use super::group::{Group, GroupId, Vote};
use super::io::{Level, Output, PersistId, SessionId};
use super::timing;
use std::collections::VecDeque;
use std::time::Duration;
use tanist_types::Mono;

/// A reply that waits for the disk.
#[derive(Clone, PartialEq, Debug)]
enum Held {
    Bytes(SessionId, Vec<u8>),
    Hangup(SessionId),
    /// The answer to a request for a vote.
    Vote {
        session: SessionId,
        group: GroupId,
        down: bool,
        granted: Vote,
    },
    Exit,
}

/// The closed gate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Gate {
    /// Opens once this version is durable.
    after: PersistId,
    since: Mono,
}

/// The state of the configuration file.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Disk {
    dirty: bool,
    critical: bool,
    issued: PersistId,
    gate: Option<Gate>,
    held: VecDeque<Held>,
    /// The last write failed; it is repeated then.
    retry_at: Option<Mono>,
}

/// After a failed write, the next is tried then.
const RETRY: Duration = Duration::from_secs(1);

impl Disk {
    /// The file is out of date.
    pub(crate) fn mark(&mut self) {
        self.dirty = true;
    }

    /// The file is out of date, and what changed must not be heard of before it is written.
    pub(crate) fn mark_critical(&mut self) {
        self.dirty = true;
        self.critical = true;
    }

    /// The file is out of date because a group has another primary, or the same in a later epoch.
    pub(crate) fn mark_switch(&mut self, group: &Group) {
        if group.is_tanist() { self.mark() } else { self.mark_critical() }
    }

    /// The version that this step will write, if it has marked anything.
    pub(crate) fn next_version(&self) -> PersistId {
        PersistId(self.issued.0 + 1)
    }

    /// Whether replies and hello messages wait.
    pub(crate) fn gate_closed(&self) -> bool {
        self.critical || self.gate.is_some()
    }

    /// When to look after the disk again.
    pub(crate) fn deadline(&self) -> Option<Mono> {
        let patience = self.gate.map(|g| g.since + timing::DISK_PATIENCE);
        patience.into_iter().chain(self.retry_at).min()
    }
}

impl Sentinel {
    /// Sends bytes to a session, behind everything that waits.
    pub(crate) fn reply(&mut self, session: SessionId, bytes: Vec<u8>) {
        self.sessions.sent(session, bytes.len(), self.now.mono);
        if self.disk.gate_closed() {
            self.disk.held.push_back(Held::Bytes(session, bytes));
        } else {
            self.out.push(Output::Reply { session, bytes });
        }
    }

    /// Closes a session behind everything that was sent to it.
    pub(crate) fn hang_up(&mut self, session: SessionId) {
        if let Some(s) = self.sessions.all.get_mut(&session) {
            s.closing = true;
        }
        if self.disk.gate_closed() {
            self.disk.held.push_back(Held::Hangup(session));
        } else {
            self.out.push(Output::Hangup { session });
        }
    }

    /// Ends the process once what it has to say is out.
    pub(crate) fn exit(&mut self) {
        if self.disk.gate_closed() {
            self.disk.held.push_back(Held::Exit);
        } else {
            self.out.push(Output::Exit { status: 0 });
        }
    }

    /// Answers a request for a vote with the present one, once that is durable; with the last one that is, if it cannot be
    /// made so.
    pub(crate) fn reply_vote(&mut self, session: SessionId, g: &Group, down: bool) {
        if self.disk.gate_closed() {
            let (group, granted) = (g.id, g.vote);
            self.disk.held.push_back(Held::Vote { session, group, down, granted });
        } else {
            let bytes = self.opinion(session, down, g.kept);
            self.reply(session, bytes);
        }
    }

    /// Gives our vote: the file is out of date.
    pub(crate) fn vote_for(&mut self, g: &mut Group, vote: Vote) {
        g.vote = vote;
        g.vote_version = self.disk.next_version();
        self.disk.mark_critical();
    }

    /// Emits the file if it is out of date. Returns whether it was.
    pub(crate) fn flush(&mut self) -> bool {
        if !self.disk.dirty {
            return false;
        }
        self.disk.issued = self.disk.next_version();
        self.disk.dirty = false;
        self.disk.retry_at = None;
        let id = self.disk.issued;
        if std::mem::take(&mut self.disk.critical) {
            let since = self.disk.gate.map_or(self.now.mono, |g| g.since);
            self.disk.gate = Some(Gate { after: id, since });
        }
        let text = self.render_config();
        self.file.reload(&text);
        self.out.push(Output::Persist { id, text });
        true
    }

    /// A version of the file is durable, or could not be written.
    pub(crate) fn persisted(&mut self, id: PersistId, result: Result<(), String>) {
        if let Err(why) = &result {
            let line =
                format!("WARNING: Sentinel was not able to save the new configuration on disk!!!: {why}");
            self.log(Level::Warning, line);
            self.disk.retry_at = Some(self.now.mono + RETRY);
        } else {
            self.groups.values_mut().filter(|g| g.vote_version <= id).for_each(|g| g.kept = g.vote);
        }
        if self.disk.gate.is_some_and(|g| g.after <= id) {
            self.open_gate(result.is_ok());
        }
        self.elections_persisted(id, result.is_ok());
    }

    /// Lets through what waited. Votes only if their grant is durable.
    fn open_gate(&mut self, durable: bool) {
        self.disk.gate = None;
        for held in std::mem::take(&mut self.disk.held) {
            match held {
                Held::Bytes(session, bytes) => self.out.push(Output::Reply { session, bytes }),
                Held::Hangup(session) => self.out.push(Output::Hangup { session }),
                Held::Exit => self.out.push(Output::Exit { status: 0 }),
                Held::Vote { session, group, down, granted } => {
                    let told = if durable { granted } else { self.take_back_vote(group, granted) };
                    let bytes = self.opinion(session, down, told);
                    self.out.push(Output::Reply { session, bytes });
                }
            }
        }
    }

    /// A vote could not be made durable: it was never given, unless it is our own, which counts when it is. Returns the
    /// last one that is durable.
    fn take_back_vote(&mut self, group: GroupId, granted: Vote) -> Vote {
        let Some(g) = self.groups.get_mut(&group) else { return Vote::default() };
        let kept = g.kept;
        if g.vote == granted && granted != kept && granted.leader != Some(self.me) {
            g.vote = kept;
            self.log(Level::Warning, "The vote was refused: it could not be written to the disk");
        }
        kept
    }

    /// The disk took too long, or a failed write is to be repeated.
    pub(crate) fn look_after_disk(&mut self) {
        let now = self.now.mono;
        if self.disk.gate.is_some_and(|g| now >= g.since + timing::DISK_PATIENCE) {
            self.log(
                Level::Warning,
                "The disk does not answer: replies go out before the configuration is durable",
            );
            self.open_gate(false);
        }
        if self.disk.retry_at.is_some_and(|at| now >= at) {
            self.disk.mark();
        }
    }
}
