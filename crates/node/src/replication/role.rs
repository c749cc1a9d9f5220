//! Becoming a primary, a replica, or neither; and what of it others notice.

use super::Upstream;
use crate::node::Node;
use crate::output::{LogLevel, Output, Outputs};
use crate::session::{SessionId, SessionKind};
use tanist_replication::{Address, Granted, LinkId, Marker, Ticket, Upheaval};
use tanist_types::{Epoch, Now, ReplId};

/// Tickets of links to primaries; those of sessions are their ids.
const ATTACH: u64 = 1 << 63;

/// The ticket of a connection to a primary.
pub(super) fn attach_ticket(attempt: u64) -> Ticket {
    Ticket(attempt | ATTACH)
}

/// The connection that a ticket is of.
pub(super) fn attempt_of(ticket: Ticket) -> Option<u64> {
    (ticket.0 & ATTACH != 0).then_some(ticket.0 & !ATTACH)
}

impl Node {
    /// Carries out what has become durable.
    pub(super) fn carry_out(&mut self, granted: Vec<Granted>, now: Now, outs: &mut Outputs) {
        for grant in granted {
            match grant {
                Granted::Fence(grant) => self.answer_fence(grant, outs),
                Granted::Promote { ticket, epoch } => {
                    self.become_primary(epoch, now, outs);
                    self.close_clients(Some(SessionId(ticket.0)), outs);
                    self.answer(ticket, b"+OK\r\n", outs);
                }
                Granted::Lost { ticket, refusal } => {
                    self.answer(ticket, format!("-{refusal}\r\n").as_bytes(), outs);
                }
                Granted::Follow(ticket) => self.answer(ticket, b"+OK\r\n", outs),
                Granted::Attach(ticket) => self.attach_granted(ticket.0 & !ATTACH, now, outs),
            }
        }
    }

    /// T2: a new history begins with a marker; from now on this node accepts writes and serves replicas.
    pub(super) fn become_primary(&mut self, epoch: Epoch, now: Now, outs: &mut Outputs) {
        self.drop_upstream(outs);
        // Replicas that do not know the marker must ask again before they see it: they learn the new id that way.
        self.close_replicas(true, outs);
        let id = ReplId::random(&mut self.rng);
        let at = self.repl.end();
        self.repl.lineage.shift(id, epoch, at);
        self.repl.backlog.activate();
        let group = self.repl.member.durable().group.clone().unwrap_or_else(|| "-".into());
        let mut marker = Vec::new();
        Marker { group, epoch, id }.put(&mut marker);
        self.repl.backlog.append(&marker);
        let any = self.repl.replicas.any_attached();
        self.repl.backlog.note_replicas(any, now.mono);
        self.config.replicaof = None;
        outs.log(LogLevel::Notice, format!("This node is the primary now (epoch {epoch}), history {id}"));
        self.role_changed(now, outs);
    }

    /// Gives up the present role, as the member's transition demands; clients are closed if it was the primary's.
    pub(super) fn undergo(
        &mut self,
        upheaval: Upheaval,
        by: Option<SessionId>,
        now: Now,
        outs: &mut Outputs,
    ) {
        match upheaval {
            Upheaval::None => return,
            Upheaval::CutStream => outs.log(LogLevel::Notice, "The stream from the primary is cut"),
            Upheaval::StepDown => {
                outs.log(LogLevel::Warning, "This node is a primary no more");
                self.unblock_waiters(outs);
                self.unblock_all(outs);
                self.abandon_migration(now, outs);
                self.repl.hold = None;
                self.close_clients(by, outs);
                // Its position can be continued from, but its replicas follow somebody else now.
                self.repl.backlog.activate();
            }
        }
        self.drop_upstream(outs);
        self.role_changed(now, outs);
    }

    /// Begins to follow `primary`. The member has taken its decision already.
    pub(super) fn follow(&mut self, primary: Address, now: Now, outs: &mut Outputs) {
        self.drop_upstream(outs);
        self.repl.backlog.activate();
        self.repl.backlog.note_replicas(true, now.mono);
        outs.log(LogLevel::Notice, format!("Connecting to PRIMARY {primary}"));
        self.config.replicaof =
            Some(tanist_config::PrimaryAddr { host: primary.host.clone(), port: primary.port });
        self.repl.upstream = Some(Upstream::new(primary, &self.config, now));
        self.upstream_tick(now, outs);
        self.role_changed(now, outs);
    }

    /// Ends the link to the primary; what was received and not applied is discarded.
    pub(super) fn drop_upstream(&mut self, outs: &mut Outputs) {
        self.note_interrupted_load();
        if let Some(mut up) = self.repl.upstream.take() {
            up.end_sync(outs);
            if let Some(attempt) = up.connection() {
                outs.push(Output::PrimaryClose { attempt });
            }
        }
    }

    fn role_changed(&mut self, now: Now, outs: &mut Outputs) {
        self.refresh_gates();
        self.refresh_enough(now);
        self.release_paused(outs);
        self.tell_role(outs);
    }

    /// Closes normal and pubsub clients, except those of sentinels and the one that has ordered it.
    pub(super) fn close_clients(&mut self, by: Option<SessionId>, outs: &mut Outputs) {
        let close: Vec<SessionId> = self
            .sessions
            .others()
            .filter(|s| s.kind != SessionKind::Replica && !s.is_sentinel() && Some(s.id) != by)
            .filter(|s| self.repl.replicas.get(LinkId(s.id.0)).is_none())
            .map(|s| s.id)
            .collect();
        for session in close {
            outs.push(Output::Close { session, flush: true });
        }
    }

    /// `TANIST PAUSE` and `FAILOVER` are over: held commands run.
    pub(super) fn resume_writes(&mut self, outs: &mut Outputs) {
        self.repl.hold = None;
        self.refresh_gates();
        self.release_paused(outs);
    }
}
