//! F1 to F3: a leader asks for a promise.

use super::{Granted, Member, Pending, Promise, Refusal, Ticket, Upheaval};
use crate::lineage::Key;
use crate::member::{DurableRole, Floor, Role};
use tanist_types::{Epoch, RunId};

/// `FENCE <group> <epoch> <leader>`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FenceAsk {
    /// The group.
    pub group: String,
    /// The epoch to promise.
    pub epoch: Epoch,
    /// Whom to promise it.
    pub leader: RunId,
}

/// The right to answer a fence: the promise is durable. Nothing else makes one.
#[derive(Debug)]
pub struct FenceGrant {
    ticket: Ticket,
    epoch: Epoch,
}

/// F3: what a node says of itself to a leader that it has promised itself to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FenceAnswer {
    /// Whom to answer.
    pub ticket: Ticket,
    /// The promised epoch.
    pub epoch: Epoch,
    /// The end of its log as applied in memory.
    pub key: Key,
    /// What its log must reach before it may be counted.
    pub floor: Option<Floor>,
    /// X3.
    pub ex_primary: Option<Epoch>,
}

impl FenceGrant {
    /// The epoch that was promised.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Builds the answer; `key` is the end of the log as applied in memory, now.
    #[must_use]
    pub fn answer(self, member: &Member, key: Key) -> FenceAnswer {
        FenceAnswer {
            ticket: self.ticket,
            epoch: self.epoch,
            key,
            floor: member.durable.floor,
            ex_primary: member.ex_primary(),
        }
    }
}

impl Member {
    /// Takes a fence. In force at once (F2): the caller carries out the upheaval before anything else; the answer
    /// follows as [`Granted::Fence`] when the promise is durable.
    ///
    /// # Errors
    /// When the promise cannot be given (F1); nothing has changed then.
    pub fn fence(&mut self, ask: &FenceAsk, ticket: Ticket) -> Result<Upheaval, Refusal> {
        self.check_group(&ask.group)?;
        let wanted = Promise { epoch: ask.epoch, leader: Some(ask.leader) };
        let promised = self.durable.promised;
        if wanted == promised && self.durable.accepted < ask.epoch {
            self.wait(Pending::Fence { ticket, epoch: ask.epoch });
            return Ok(Upheaval::None);
        }
        if ask.epoch <= promised.epoch {
            return Err(Refusal::Fenced(promised));
        }
        if !promised.epoch.may_jump_to(ask.epoch) {
            return Err(Refusal::Jump(ask.epoch));
        }
        self.durable.promised = wanted;
        self.durable.group = Some(ask.group.clone());
        self.durable.role = DurableRole::Idle;
        let upheaval = self.leave_role();
        let state = self.prepared_promise(&ask.group, wanted).unwrap_or_else(|| {
            self.prepared = None;
            self.changed();
            self.newest
        });
        self.wait_for(state, Pending::Fence { ticket, epoch: ask.epoch });
        Ok(upheaval)
    }

    pub(super) fn grant_fence(&self, ticket: Ticket, epoch: Epoch) -> Granted {
        // A higher promise has overtaken it, or the node follows that epoch's primary already: the answer would
        // describe a log that goes on changing.
        let current = self.durable.promised.epoch == epoch && self.durable.accepted < epoch;
        if current && self.role == Role::Idle {
            Granted::Fence(FenceGrant { ticket, epoch })
        } else {
            Granted::Lost { ticket, refusal: Refusal::Fenced(self.durable.promised) }
        }
    }
}
