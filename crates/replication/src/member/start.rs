//! B1 and T4: what a node is after a start.

use super::{Durable, DurableRole, Floor, Member, PersistId, Promise, Role};
use crate::lineage::Lineage;
use tanist_types::{BootCount, Epoch, LogPos, NodeId, ReplId, Rng, RunId};

impl Durable {
    /// The state of a node that has never run before.
    #[must_use]
    pub fn fresh(rng: &mut Rng) -> Durable {
        Durable {
            node: NodeId::random(rng),
            boot: BootCount(0),
            group: None,
            promised: Promise::default(),
            accepted: Epoch::ZERO,
            floor: None,
            role: DurableRole::Primary,
            had_replicas: false,
            lineage: Lineage::new(ReplId::random(rng), Epoch::ZERO, LogPos::ZERO),
            end: LogPos::ZERO,
        }
    }

    /// The state of a node whose file was unreadable (B2): a new node, which does not take itself for a primary.
    #[must_use]
    pub fn after_loss(rng: &mut Rng) -> Durable {
        Durable { role: DurableRole::Idle, ..Durable::fresh(rng) }
    }

    /// Whether others may rely on what this node acknowledged.
    #[must_use]
    pub fn belongs_to_others(&self) -> bool {
        let lone = self.role == DurableRole::Primary && !self.had_replicas;
        self.group.is_some() || self.accepted > Epoch::ZERO || !lone
    }
}

impl Member {
    /// A new run of the node with this durable state. Its log lives in memory: whatever it acknowledged before may be
    /// gone (B1, class B). The new boot count waits to be written.
    ///
    /// A primary that others rely on does not go on as one (T4); a replica follows the primary that it knows of; a
    /// lone node is a primary as ever.
    #[must_use]
    pub fn start(mut durable: Durable, run: RunId) -> Member {
        durable.boot.0 += 1;
        let role = match (&durable.role, durable.belongs_to_others()) {
            (DurableRole::Primary, false) => Role::Primary(durable.accepted),
            (DurableRole::Replica(_), _) => Role::Replica,
            _ => Role::Idle,
        };
        if durable.belongs_to_others() {
            durable.floor = Some(Floor::after(durable.accepted));
            if role == Role::Idle {
                durable.role = DurableRole::Idle;
            }
        }
        Member {
            durable,
            run,
            role,
            ex_primary: None,
            newest: PersistId(1),
            handed_out: PersistId(0),
            written: PersistId(0),
            noted: PersistId(0),
            prepared: None,
            pending: Vec::new(),
        }
    }
}
