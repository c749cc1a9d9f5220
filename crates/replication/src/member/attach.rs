//! R1, R5, R6: the stream of a primary is accepted.

use super::{Floor, Member, Pending, Refusal, Ticket};
use crate::lineage::Key;
use crate::wire::LinkTerms;

/// How the log goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AttachKind {
    /// From where it ends.
    Partial,
    /// From a snapshot that is built beside the old data, which keep serving and keep their vote until then (R5).
    Beside,
    /// From a snapshot for which the old data are dropped first: the vote is given up before that (R5).
    Dropping,
}

impl Member {
    /// Accepts the stream of a primary under `terms`; a stock primary has none. `key` is the end of the log now.
    /// Acknowledgements may leave (and old data be dropped) after [`Granted::Attach`](super::Granted::Attach).
    ///
    /// # Errors
    /// When a higher epoch is promised (R1); nothing has changed then.
    pub fn attach(
        &mut self,
        terms: Option<LinkTerms>,
        kind: AttachKind,
        key: Key,
        ticket: Ticket,
    ) -> Result<(), Refusal> {
        if let Some(LinkTerms { epoch, end }) = terms {
            let promised = self.durable.promised;
            if epoch < promised.epoch {
                return Err(Refusal::Fenced(promised));
            }
            if !promised.epoch.may_jump_to(epoch) {
                return Err(Refusal::Jump(epoch));
            }
            let before = (promised, self.durable.accepted, self.durable.floor);
            if epoch > promised.epoch {
                self.durable.promised = super::Promise { epoch, leader: None };
            }
            self.durable.accepted = self.durable.accepted.max(epoch);
            if !self.voting(key) || kind == AttachKind::Dropping {
                self.durable.floor = Some(Floor(Key { epoch, pos: end }));
            }
            if before != (self.durable.promised, self.durable.accepted, self.durable.floor) {
                self.changed();
            }
        }
        self.ex_primary = None;
        self.wait(Pending::Attach { ticket });
        Ok(())
    }
}
