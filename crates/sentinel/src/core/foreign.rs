//! What seems to belong to another deployment that calls its group by the same name: addresses are used again, and two
//! sets of sentinels then see each other's nodes.
//!
//! Nothing on the wire tells two groups of one name apart, so only what can hardly be ours is left alone: a sentinel that
//! nobody introduced and that names a primary nobody here knows, and a primary that was never seen in its place and
//! leads replicas of which none is ours. A Tanist node says who it is: one that was in a group and is not whom we knew at
//! its address is left alone, too. All are reported and not touched.

use super::Sentinel;
use super::events::Who;
use super::group::{DataNode, Group, NodeIx};
use super::hello::Hello;
use super::info::Role;
use super::io::Level;
use super::timing;
use tanist_types::RunId;

/// Takes note of the run of a node that is where it should be.
pub(crate) fn note_place(g: &mut Group, ix: NodeIx) {
    let Some(n) = g.nodes.get(&ix) else { return };
    let in_place = match n.info.role {
        // The first is the one that was meant. Another run must be known by its replicas.
        Some(Role::Primary) if ix == g.primary => n.proven.is_none() || leads_ours(g, n),
        Some(Role::Replica) if ix != g.primary => {
            n.info.link_up && n.info.primary.as_ref().is_some_and(|a| a.same(&g.primary().addr))
        }
        _ => false,
    };
    if let Some(n) = g.nodes.get_mut(&ix)
        && in_place
    {
        n.proven = n.run_id;
        n.placed = n.status_of_run().map(|status| status.node_id).or(n.placed);
    }
}

/// Whether a Tanist node that waits for a word, or follows somebody else, rather belongs to another group: it has
/// belonged to one, another node was seen in its place before, and it was never seen in any place of ours. What follows
/// one of our nodes, or has promised itself to one of our sentinels, is ours: a node that lost its disk is another one
/// from then on, and may be sealed before it has ever followed. `me` is this sentinel.
pub(crate) fn is_foreign_member(g: &Group, n: &DataNode, me: RunId) -> bool {
    let Some(status) = n.status_of_run() else { return false };
    let placed = || g.nodes.values().any(|m| m.placed == Some(status.node_id));
    let follows = || n.info.primary.as_ref().is_some_and(|addr| g.node_at(addr).is_some());
    let leader = status.promised_leader;
    let promised = || leader.is_some_and(|id| id == me || g.peer_by_id(&id).is_some());
    status.in_group && n.placed.is_some() && !placed() && !follows() && !promised()
}

/// Whether a node that should follow the primary is rather the primary of another group.
pub(crate) fn is_foreign_primary(g: &Group, n: &DataNode) -> bool {
    let proven = n.proven.is_some() && n.proven == n.run_id;
    !proven && !n.info.replicas.is_empty() && !leads_ours(g, n)
}

fn leads_ours(g: &Group, n: &DataNode) -> bool {
    n.info.replicas.iter().any(|replica| g.node_at(replica).is_some())
}

impl Sentinel {
    /// Whether a hello is rather of another group: from a sentinel that we do not know, about a primary that is neither
    /// a node of ours nor the one that our primary says it follows.
    pub(crate) fn is_foreign_hello(&self, g: &Group, hello: &Hello) -> bool {
        let named = &hello.primary;
        let followed = g.primary().info.primary.as_ref().is_some_and(|a| a.same(named));
        // A name may be any of our addresses.
        let ours = g.node_at(named).is_some_and(|ix| !is_foreign_primary(g, &g.nodes[&ix]));
        let known = named.is_name() || ours || followed;
        g.peer_by_id(&hello.run_id).is_none() && !known
    }

    /// Says so, once in a while.
    pub(crate) fn report_foreign_hello(&mut self, g: &mut Group, hello: &Hello) {
        let now = self.now.mono;
        let said = g
            .foreign_said
            .is_some_and(|(id, at)| id == hello.run_id && now.since(at) < timing::FOREIGN_AGAIN);
        if said {
            return;
        }
        g.foreign_said = Some((hello.run_id, now));
        let names = self.globals.announce_hostnames;
        let (addr, primary) = (&hello.addr, &hello.primary);
        let more = format!(
            "{} at {} {} names {} {}",
            hello.run_id,
            addr.shown(names),
            addr.port(),
            primary.shown(names),
            primary.port()
        );
        self.event(g, Level::Warning, "+foreign-sentinel", Who::Group, &more);
    }

    /// Says so, once in a while.
    pub(crate) fn report_foreign_primary(&mut self, g: &mut Group, ix: NodeIx) {
        self.report_foreign_node(g, ix, "+foreign-master", "it leads replicas of another group");
    }

    /// Says so, once in a while.
    pub(crate) fn report_foreign_member(&mut self, g: &mut Group, ix: NodeIx) {
        self.report_foreign_node(g, ix, "+foreign-slave", "it is not the node that was here");
    }

    fn report_foreign_node(&mut self, g: &mut Group, ix: NodeIx, name: &str, why: &str) {
        let now = self.now.mono;
        let Some(n) = g.nodes.get_mut(&ix) else { return };
        if n.foreign_said.is_some_and(|at| now.since(at) < timing::FOREIGN_AGAIN) {
            return;
        }
        n.foreign_said = Some(now);
        self.event(g, Level::Warning, name, Who::Node(ix), why);
    }
}
