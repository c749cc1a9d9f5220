//! A node's part in elections: what it has promised, what it has accepted, and whether its log may be counted.
//!
//! The rules are those of the quorum protocol (`docs/invariants.md` lists them by these names): F1 to F3 for fences,
//! T1 to T4 for promotions, R1, R4 to R7 for the stream, B1 and B2 for restarts of a node whose log lives in memory.
//!
//! What must be durable before it is said is data here: every transition that changes the durable part returns nothing
//! to say, but leaves a [`Pending`] behind that [`Member::persisted`] turns into a grant, and answers can only be built
//! from grants. A write that fails ([`Member::persist_failed`]) takes its pendings with it: no answer was ever given.

mod attach;
mod fence;
mod follow;
mod prepare;
mod promote;
mod start;
#[cfg(test)]
mod tests;

pub use attach::AttachKind;
pub use fence::{FenceAnswer, FenceAsk, FenceGrant};
pub use follow::FollowAsk;
pub use prepare::PrepareAsk;
pub use promote::PromoteAsk;

use crate::lineage::{Key, Lineage};
use prepare::Prepared;
use std::fmt;
use tanist_types::{BootCount, Epoch, LogPos, NodeId, RunId};

/// A promise: to follow nobody of a lower epoch, and in this epoch only what this leader decides (G2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Promise {
    /// The epoch.
    pub epoch: Epoch,
    /// The leader; none if the epoch was learnt from a primary's stream.
    pub leader: Option<RunId>,
}

/// Everything that a node ever acknowledged is contained in any log whose key is at least this.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Floor(pub Key);

impl Floor {
    /// Only a log of a later epoch than `epoch` is known to contain it.
    #[must_use]
    pub const fn after(epoch: Epoch) -> Floor {
        Floor(Key { epoch, pos: LogPos(i64::MAX as u64) })
    }
}

/// Where a primary listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// A host name or address, as it was given.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// The role that a node is to have after a restart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DurableRole {
    /// It was a primary.
    Primary,
    /// It follows this primary.
    Replica(Address),
    /// It waits to be told.
    Idle,
}

/// What outlives the process, as one small file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Durable {
    /// The node; generated once with the file, never derived from anything.
    pub node: NodeId,
    /// How often the node has started with this file.
    pub boot: BootCount,
    /// The group that it belongs to.
    pub group: Option<String>,
    /// The promise in force.
    pub promised: Promise,
    /// The highest epoch whose stream it followed or that it was primary of.
    pub accepted: Epoch,
    /// What its log must reach before it may be counted.
    pub floor: Option<Floor>,
    /// Its role.
    pub role: DurableRole,
    /// Replicas have followed it since it was last told to be a primary.
    pub had_replicas: bool,
    /// The histories of its log when the file was written.
    pub lineage: Lineage,
    /// The end of its log when the file was written: a lower bound of what it had.
    pub end: LogPos,
}

/// What a node is at present.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Neither: it waits to be told.
    Idle,
    /// The primary of this epoch.
    Primary(Epoch),
    /// Follows a primary, or tries to.
    Replica,
}

/// Numbers the states of the durable part, in the order in which they came to be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct PersistId(pub u64);

/// Names the asker of something, for the answer; the node uses the numbers of its sessions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ticket(pub u64);

/// What a transition means for the node's present work; it happens at once, before anything is durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Upheaval {
    /// Nothing changes.
    None,
    /// The stream from the primary is cut, unapplied bytes are discarded.
    CutStream,
    /// The node is a primary no more: it refuses writes and closes its clients.
    StepDown,
}

/// Why something was refused. The text is the error reply.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// F1: a promise of this or a higher epoch is in force.
    #[error("FENCED {} {}", .0.epoch, leader_text(.0))]
    Fenced(Promise),
    /// T1: the promise in force is not to this leader in this epoch, or has been used up.
    #[error("NOPROMISE the promise in force is {} {}", .0.epoch, leader_text(.0))]
    NoPromise(Promise),
    /// T1: the promise's run is over.
    #[error("WRONGRUN this is run {0}")]
    WrongRun(RunId),
    /// T1: the node's log may not be counted.
    #[error("NOTVOTING the log has not reached what this node may have acknowledged")]
    NotVoting,
    /// The log is not the one that was picked.
    #[error("STALE the log ends at {} {}", .0.epoch, .0.pos)]
    Stale(Key),
    /// The node belongs to another group.
    #[error("WRONGGROUP this node belongs to {0}")]
    WrongGroup(String),
    /// The epoch is further ahead than a single message may jump.
    #[error("ERR epoch {0} is too far ahead")]
    Jump(Epoch),
}

fn leader_text(promise: &Promise) -> String {
    promise.leader.map(|l| l.to_string()).unwrap_or_default()
}

/// What waits for a durable state.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Pending {
    Fence { ticket: Ticket, epoch: Epoch },
    Promote { ticket: Ticket, epoch: Epoch },
    Follow { ticket: Ticket },
    Attach { ticket: Ticket },
}

/// What may be said or done now that it is durable.
#[derive(Debug)]
pub enum Granted {
    /// Answer the fence.
    Fence(FenceGrant),
    /// Become the primary of this epoch (T2): new history, marker, then attaches and writes; answer OK.
    Promote {
        /// Whom to answer.
        ticket: Ticket,
        /// The epoch.
        epoch: Epoch,
    },
    /// A fence or promotion has been overtaken by a later decision: answer with this.
    Lost {
        /// Whom to answer.
        ticket: Ticket,
        /// The answer.
        refusal: Refusal,
    },
    /// Answer OK.
    Follow(Ticket),
    /// Acknowledgements may leave.
    Attach(Ticket),
}

/// A node's part in elections.
#[derive(Debug)]
pub struct Member {
    durable: Durable,
    run: RunId,
    role: Role,
    /// X3: the epoch that it was primary of, without interruption, until it was fenced.
    ex_primary: Option<Epoch>,
    /// The newest state of `durable`.
    newest: PersistId,
    /// The newest state handed out to be written.
    handed_out: PersistId,
    /// The newest state that is on disk.
    written: PersistId,
    /// The first state after which a restart does not lead by itself.
    noted: PersistId,
    prepared: Option<Prepared>,
    pending: Vec<(PersistId, Pending)>,
}

impl Member {
    /// The durable part as it stands in memory.
    #[must_use]
    pub fn durable(&self) -> &Durable {
        &self.durable
    }

    /// The present run.
    #[must_use]
    pub fn run(&self) -> RunId {
        self.run
    }

    /// The present role.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// The epoch in which this node serves or follows.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        match self.role {
            Role::Primary(epoch) => epoch,
            Role::Idle | Role::Replica => self.durable.accepted,
        }
    }

    /// X3: the claim of an uninterrupted (ex-)primary.
    #[must_use]
    pub fn ex_primary(&self) -> Option<Epoch> {
        match self.role {
            Role::Primary(epoch) => self.claim(epoch),
            Role::Idle | Role::Replica => self.ex_primary,
        }
    }

    /// X3: what a primary of this epoch may claim. Nobody is elected for epoch zero: every node that is new is its primary
    /// for a moment, and has something to claim only if it has been followed.
    fn claim(&self, epoch: Epoch) -> Option<Epoch> {
        (epoch > Epoch::ZERO || self.durable.had_replicas).then_some(epoch)
    }

    /// Whether a log that ends at `key` may be counted: it holds everything that this node ever acknowledged.
    #[must_use]
    pub fn voting(&self, key: Key) -> bool {
        self.durable.floor.is_none_or(|floor| key >= floor.0)
    }

    /// Whether there is a state that has not been handed out to be written.
    #[must_use]
    pub fn wants_write(&self) -> bool {
        self.handed_out != self.newest
    }

    /// Whether anything waits for a durable state.
    #[must_use]
    pub fn is_waited_for(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The state to be written now, if there is one that has not been handed out. Later states include earlier ones.
    pub fn take_write(&mut self, lineage: &Lineage, end: LogPos) -> Option<(PersistId, Durable)> {
        if self.handed_out == self.newest {
            return None;
        }
        self.handed_out = self.newest;
        self.durable.lineage = lineage.clone();
        self.durable.end = end;
        let mut written = self.durable.clone();
        if let Some(prepared) = &self.prepared {
            prepared.put(&mut written);
        }
        Some((self.newest, written))
    }

    /// State `id` is on disk. Returns what may be said and done now, in the order in which it was asked for.
    pub fn persisted(&mut self, id: PersistId) -> Vec<Granted> {
        self.written = self.written.max(id);
        let written = self.written;
        let (ripe, rest) = std::mem::take(&mut self.pending).into_iter().partition(|(at, _)| *at <= written);
        self.pending = rest;
        let ripe: Vec<(PersistId, Pending)> = ripe;
        ripe.into_iter().map(|(_, pending)| self.grant(pending)).collect()
    }

    /// State `id` could not be written: whoever waited for it (or for an earlier one that only it contained) gets no
    /// answer, ever. The state stays in force in memory, and the next change tries to write it again.
    pub fn persist_failed(&mut self, id: PersistId) -> Vec<Ticket> {
        let (failed, rest) = std::mem::take(&mut self.pending).into_iter().partition(|(at, _)| *at <= id);
        self.pending = rest;
        // The disk holds an older state than memory does: nothing may be answered from it without another write.
        self.newest = PersistId(self.newest.0 + 1);
        let failed: Vec<(PersistId, Pending)> = failed;
        failed.into_iter().map(|(_, pending)| pending.ticket()).collect()
    }

    /// Notes that replicas follow this node: after a restart it must not simply go on as their primary.
    pub fn note_replicas(&mut self) {
        if !self.durable.had_replicas {
            let known = self.durable.belongs_to_others();
            self.durable.had_replicas = true;
            self.changed();
            if !known {
                self.noted = self.newest;
            }
        }
    }

    /// Whether that is on disk, so that a restart would know of it. Until then no replica may rely on this node: it
    /// would come back alone, with nothing, and be followed.
    #[must_use]
    pub fn replicas_are_noted(&self) -> bool {
        self.written >= self.noted
    }

    /// The durable part has changed: a new state is to be written.
    fn changed(&mut self) {
        self.newest = PersistId(self.newest.0 + 1);
    }

    /// `pending` waits for the present state.
    fn wait(&mut self, pending: Pending) {
        self.wait_for(self.newest, pending);
    }

    /// `pending` waits for `state`.
    fn wait_for(&mut self, state: PersistId, pending: Pending) {
        self.pending.push((state, pending));
    }

    /// Grants what waits for nothing any more; to be called after a transition, as states may be durable already.
    pub fn granted_now(&mut self) -> Vec<Granted> {
        self.persisted(self.written)
    }

    fn grant(&mut self, pending: Pending) -> Granted {
        match pending {
            Pending::Fence { ticket, epoch } => self.grant_fence(ticket, epoch),
            Pending::Promote { ticket, epoch } => self.grant_promote(ticket, epoch),
            Pending::Follow { ticket } => Granted::Follow(ticket),
            Pending::Attach { ticket } => Granted::Attach(ticket),
        }
    }

    /// Leaves the present role.
    fn leave_role(&mut self) -> Upheaval {
        match std::mem::replace(&mut self.role, Role::Idle) {
            Role::Idle => Upheaval::None,
            Role::Replica => Upheaval::CutStream,
            Role::Primary(epoch) => {
                self.ex_primary = self.claim(epoch);
                Upheaval::StepDown
            }
        }
    }

    fn check_group(&self, group: &str) -> Result<(), Refusal> {
        match &self.durable.group {
            Some(mine) if mine != group => Err(Refusal::WrongGroup(mine.clone())),
            _ => Ok(()),
        }
    }
}

impl Pending {
    fn ticket(&self) -> Ticket {
        match *self {
            Pending::Fence { ticket, .. }
            | Pending::Promote { ticket, .. }
            | Pending::Follow { ticket }
            | Pending::Attach { ticket } => ticket,
        }
    }
}
