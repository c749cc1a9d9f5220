//! A node is told whom to follow.

use super::{Address, DurableRole, Member, Pending, Refusal, Role, Ticket, Upheaval};
use tanist_types::Epoch;

/// `FOLLOW <group> <epoch> <host> <port>`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FollowAsk {
    /// The group.
    pub group: String,
    /// The epoch of the primary.
    pub epoch: Epoch,
    /// Where it listens.
    pub primary: Address,
}

impl Member {
    /// Takes the order to follow a primary. The caller may connect at once; the answer follows as
    /// [`Granted::Follow`](super::Granted::Follow) when it is durable.
    ///
    /// # Errors
    /// When a higher epoch is promised, or this node was elected that epoch's primary; nothing has changed then.
    pub fn follow(&mut self, ask: &FollowAsk, ticket: Ticket) -> Result<Upheaval, Refusal> {
        self.check_group(&ask.group)?;
        let promised = self.durable.promised;
        // Nobody was elected for epoch zero: an operator may have made more than one primary in it.
        let leads = ask.epoch != Epoch::ZERO && self.role == Role::Primary(ask.epoch);
        if ask.epoch < promised.epoch || leads {
            return Err(Refusal::Fenced(promised));
        }
        if !promised.epoch.may_jump_to(ask.epoch) {
            return Err(Refusal::Jump(ask.epoch));
        }
        self.durable.group = Some(ask.group.clone());
        let upheaval = self.set_primary(&ask.primary);
        self.wait(Pending::Follow { ticket });
        Ok(upheaval)
    }

    /// An operator's explicit word: follow this primary. Leaves the group.
    pub fn follow_by_hand(&mut self, primary: &Address) -> Upheaval {
        self.durable.group = None;
        self.set_primary(primary)
    }

    fn set_primary(&mut self, primary: &Address) -> Upheaval {
        let role = DurableRole::Replica(primary.clone());
        if self.role == Role::Replica && self.durable.role == role {
            self.prepared = None;
            self.changed();
            return Upheaval::None;
        }
        let upheaval = self.leave_role();
        self.prepared = None;
        self.role = Role::Replica;
        self.durable.role = role;
        self.changed();
        upheaval
    }
}
