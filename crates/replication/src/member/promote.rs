//! T1 to T4: a leader makes this node the primary of its epoch; or an operator does.

use super::{DurableRole, Granted, Member, Pending, Promise, Refusal, Role, Ticket};
use crate::lineage::Key;
use tanist_types::{Epoch, NodeId, RunId};

/// `PROMOTE <group> <epoch> <leader> <node> <run> <last-epoch> <offset> [FORCE]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PromoteAsk {
    /// The group.
    pub group: String,
    /// The epoch.
    pub epoch: Epoch,
    /// The leader that decides.
    pub leader: RunId,
    /// The node meant.
    pub node: NodeId,
    /// Its run, as it was in its answer to the fence.
    pub run: RunId,
    /// The end of its log, as it was in its answer to the fence.
    pub key: Key,
    /// Whether the log may lack what this node has acknowledged: somebody with the right to has given that up.
    pub force: bool,
}

impl Member {
    /// Takes a promotion; `key` is the end of the log. It takes place as [`Granted::Promote`] when the epoch's
    /// acceptance is durable.
    ///
    /// # Errors
    /// When the node cannot be the primary of that epoch (T1); nothing has changed then.
    pub fn promote(&mut self, ask: &PromoteAsk, key: Key, ticket: Ticket) -> Result<(), Refusal> {
        self.check_group(&ask.group)?;
        let promised = self.durable.promised;
        if ask.node != self.durable.node || ask.run != self.run {
            return Err(Refusal::WrongRun(self.run));
        }
        if promised != (Promise { epoch: ask.epoch, leader: Some(ask.leader) }) {
            return Err(Refusal::NoPromise(promised));
        }
        // Accepted already: it was this epoch's primary, or is becoming it, or follows it. Once only.
        if self.durable.accepted >= ask.epoch {
            return Err(Refusal::NoPromise(promised));
        }
        if !ask.force && !self.voting(key) {
            return Err(Refusal::NotVoting);
        }
        if key != ask.key {
            return Err(Refusal::Stale(key));
        }
        self.durable.accepted = ask.epoch;
        self.durable.group = Some(ask.group.clone());
        self.durable.role = DurableRole::Primary;
        self.changed();
        let state = self.prepared_acceptance(promised).unwrap_or(self.newest);
        self.wait_for(state, Pending::Promote { ticket, epoch: ask.epoch });
        Ok(())
    }

    pub(super) fn grant_promote(&mut self, ticket: Ticket, epoch: Epoch) -> Granted {
        if self.durable.promised.epoch != epoch || self.role != Role::Idle {
            return Granted::Lost { ticket, refusal: Refusal::NoPromise(self.durable.promised) };
        }
        self.role = Role::Primary(epoch);
        Granted::Promote { ticket, epoch }
    }

    /// An operator's explicit word: be a primary, whatever the log holds. Leaves the group.
    ///
    /// Where there have been elections, an epoch of its own begins, above what this node has promised: the promised one
    /// belongs to a leader that may give it to somebody else. What others have promised a node cannot know; a sentinel
    /// does (`SENTINEL FAILOVER ... ACCEPT-LOSS`).
    pub fn become_primary_by_hand(&mut self) -> Epoch {
        if let Role::Primary(present) = self.role {
            return present;
        }
        let known = self.durable.promised.epoch.max(self.durable.accepted);
        self.prepared = None;
        let epoch = if known == Epoch::ZERO { known } else { known.next().unwrap_or(known) };
        self.role = Role::Primary(epoch);
        self.ex_primary = None;
        if epoch > self.durable.promised.epoch {
            self.durable.promised = Promise { epoch, leader: None };
        }
        self.durable.accepted = epoch;
        self.durable.floor = None;
        self.durable.group = None;
        self.durable.role = DurableRole::Primary;
        self.durable.had_replicas = false;
        self.changed();
        self.noted = self.newest;
        epoch
    }
}
