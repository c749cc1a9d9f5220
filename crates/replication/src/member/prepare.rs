//! A promise that is on the disk before it is in force: in a switchover the writes of the group need not wait for disks.
//!
//! F2 wants a promise to be in force and durable before it is answered, T1 the acceptance of an epoch to be durable before
//! its primary serves; neither says that they may not be durable earlier. A file that promises more than memory does
//! is that of a node which took the fence, and accepted the epoch, just before it ended: it binds itself to more than
//! anybody was told, and gives up its vote sooner. Until the fence comes, memory stays what it was and is what counts.

use super::{Durable, DurableRole, Member, PersistId, Promise, Refusal};
use tanist_types::{Epoch, RunId};

/// `PREPARE <group> <epoch> <leader> <milliseconds> [TARGET]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PrepareAsk {
    /// The group.
    pub group: String,
    /// The epoch that will have to be promised.
    pub epoch: Epoch,
    /// Whom to promise it.
    pub leader: RunId,
    /// Whether this node is to be the primary of that epoch.
    pub target: bool,
}

/// What the disk knows before it is so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Prepared {
    group: String,
    promise: Promise,
    target: bool,
    /// The first state that has it; all later ones have it too.
    state: PersistId,
}

impl Prepared {
    /// The state that this one is written as.
    pub(super) fn put(&self, durable: &mut Durable) {
        if durable.promised.epoch < self.promise.epoch {
            durable.group = Some(self.group.clone());
            durable.promised = self.promise;
            durable.role = DurableRole::Idle;
        }
        if self.target && durable.promised == self.promise {
            durable.accepted = durable.accepted.max(self.promise.epoch);
        }
    }
}

impl Member {
    /// Takes note of a fence, and of a promotion, that are about to come. Nothing changes but what is written. Returns
    /// whether the disk has it; who wants to know that asks again.
    ///
    /// # Errors
    /// When the fence would be refused (F1); nothing has changed then.
    pub fn prepare(&mut self, ask: &PrepareAsk) -> Result<bool, Refusal> {
        self.check_group(&ask.group)?;
        let promised = self.durable.promised;
        if ask.epoch <= promised.epoch {
            return Err(Refusal::Fenced(promised));
        }
        if !promised.epoch.may_jump_to(ask.epoch) {
            return Err(Refusal::Jump(ask.epoch));
        }
        let promise = Promise { epoch: ask.epoch, leader: Some(ask.leader) };
        if let Some(p) = self.prepared.as_ref().filter(|p| p.promise == promise && p.target == ask.target) {
            return Ok(p.state <= self.written);
        }
        self.changed();
        let (group, target, state) = (ask.group.clone(), ask.target, self.newest);
        self.prepared = Some(Prepared { group, promise, target, state });
        Ok(false)
    }

    /// Whether a switchover is prepared.
    #[must_use]
    pub fn is_prepared(&self) -> bool {
        self.prepared.is_some()
    }

    /// What was prepared will not come: the disk forgets it. Not after the fence, which it belongs to from then on.
    pub fn forget_prepared(&mut self) {
        if self.prepared.as_ref().is_some_and(|p| p.promise != self.durable.promised) {
            self.prepared = None;
            self.changed();
        }
    }

    /// The state that has this promise, if it was prepared.
    pub(super) fn prepared_promise(&self, group: &str, promise: Promise) -> Option<PersistId> {
        self.prepared.as_ref().filter(|p| p.promise == promise && p.group == group).map(|p| p.state)
    }

    /// The state that has this promise and the acceptance of its epoch, if they were prepared.
    pub(super) fn prepared_acceptance(&self, promise: Promise) -> Option<PersistId> {
        self.prepared.as_ref().filter(|p| p.promise == promise && p.target).map(|p| p.state)
    }
}
