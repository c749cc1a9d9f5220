//! After the switch: the other nodes follow the new primary, `parallel-syncs` of them at a time; the old primary first,
//! so that nobody writes to it.

use super::super::Sentinel;
use super::super::events::Who;
use super::super::foreign::is_foreign_member;
use super::super::group::{DataNode, Group, NodeIx, Reconf};
use super::super::info::Role;
use super::super::io::Level;
use super::super::link::Awaiting;
use super::super::status::NodeRole;
use super::super::timing;
use tanist_resp::Value;
use tanist_types::{Epoch, Mono};

/// The rest of a failover.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Repoint {
    started: Mono,
    looked: Mono,
}

impl Sentinel {
    /// Begins to send the other nodes to the new primary; the old primary at once.
    pub(super) fn begin_repoint(&mut self, g: &mut Group, old: NodeIx) {
        let now = self.now.mono;
        g.repoint = Some(Repoint { started: now, looked: now });
        if old != g.primary && g.nodes.get(&old).is_some_and(|n| n.cmd.is_up()) {
            if g.nodes[&old].is_reachable() {
                self.event(g, Level::Notice, "+convert-to-slave", Who::Node(old), "");
            }
            self.follow(g, old);
            if let Some(n) = g.nodes.get_mut(&old) {
                n.reconf = Reconf::Sent(now);
            }
        }
        self.repoint_step(g);
    }

    /// When to look again.
    pub(crate) fn repoint_due(&self, g: &Group) -> Option<Mono> {
        g.repoint.as_ref().map(|r| r.looked + timing::INFO_REPOINT)
    }

    /// Notes how far the nodes are, sends the next ones, and ends when all that can be reached are there.
    pub(crate) fn repoint_step(&mut self, g: &mut Group) {
        let now = self.now.mono;
        let Some(r) = &mut g.repoint else { return };
        r.looked = now;
        let over = now.since(r.started) >= g.settings.failover_timeout;
        let replicas: Vec<NodeIx> =
            g.replicas().filter(|n| !is_foreign_member(g, n, self.me)).map(|n| n.ix).collect();
        for ix in &replicas {
            self.note_progress(g, *ix);
        }
        let under_way =
            |n: &DataNode| n.is_reachable() && matches!(n.reconf, Reconf::Sent(_) | Reconf::InProgress);
        let mut busy = g.replicas().filter(|n| under_way(n)).count();
        let limit = match over {
            _ if g.primary_is_idle() => 0,
            true => usize::MAX,
            false => g.settings.parallel_syncs.max(1) as usize,
        };
        for ix in &replicas {
            let Some(n) = g.nodes.get_mut(ix) else { continue };
            if n.reconf != Reconf::None || !n.is_reachable() || busy >= limit {
                continue;
            }
            n.reconf = Reconf::Sent(now);
            busy += 1;
            self.follow(g, *ix);
            let name = if over { "+slave-reconf-sent-be" } else { "+slave-reconf-sent" };
            self.event(g, Level::Notice, name, Who::Node(*ix), "");
        }
        let open = |ix: &NodeIx| g.nodes[ix].is_reachable() && g.nodes[ix].reconf != Reconf::Done;
        let open = replicas.iter().any(open);
        if over || !open {
            g.repoint = None;
            if open {
                self.event(g, Level::Warning, "+failover-end-for-timeout", Who::Group, "");
            }
            self.event(g, Level::Warning, "+failover-end", Who::Group, "");
            for n in g.nodes.values_mut() {
                n.reconf = Reconf::None;
            }
        }
    }

    fn note_progress(&mut self, g: &mut Group, ix: NodeIx) {
        let now = self.now.mono;
        let primary = g.primary().addr.clone();
        let Some(n) = g.nodes.get_mut(&ix) else { return };
        let follows = n.info.role == Some(Role::Replica)
            && n.info.primary.as_ref().is_some_and(|a| a.same(&primary))
            && n.info.tanist_role.as_deref() != Some("idle");
        match n.reconf {
            Reconf::None if follows && n.info.link_up => n.reconf = Reconf::Done,
            Reconf::Sent(_) if follows => {
                n.reconf = Reconf::InProgress;
                self.event(g, Level::Notice, "+slave-reconf-inprog", Who::Node(ix), "");
                self.note_progress(g, ix);
            }
            Reconf::InProgress if follows && n.info.link_up => {
                n.reconf = Reconf::Done;
                self.event(g, Level::Notice, "+slave-reconf-done", Who::Node(ix), "");
            }
            Reconf::Sent(at) if now.since(at) >= self.timing.slave_reconf_timeout => {
                n.reconf = Reconf::None;
                self.event(g, Level::Notice, "-slave-reconf-sent-timeout", Who::Node(ix), "");
            }
            _ => {}
        }
    }

    /// Tells a node to follow the primary.
    pub(crate) fn follow(&mut self, g: &mut Group, ix: NodeIx) {
        let epoch = epoch_of_primary(g);
        let primary = g.primary();
        let addr = primary.addr.clone();
        let node_id =
            primary.report.as_ref().map_or_else(|| "-".to_owned(), |r| r.status.node_id.to_string());
        let Some(n) = g.nodes.get_mut(&ix) else { return };
        if !n.is_tanist() {
            self.send_transaction(g, ix, Some(&addr), Awaiting::Follow);
            return;
        }
        let words = [
            g.name.clone(),
            epoch.to_string(),
            addr.shown(self.globals.announce_hostnames),
            addr.port().to_string(),
            node_id,
        ];
        let mut args: Vec<&[u8]> = vec![b"TANIST", b"FOLLOW"];
        args.extend(words.iter().map(String::as_bytes));
        self.send(&mut n.cmd, &args, Awaiting::Follow);
    }

    /// A node answered the order to follow.
    pub(crate) fn follow_answered(&mut self, g: &mut Group, ix: NodeIx, value: &Value) {
        if let Some(error) = value.as_error() {
            let error = String::from_utf8_lossy(error);
            let line = format!("{} does not follow: {error}", self.describe(g, Who::Node(ix)));
            self.log(Level::Verbose, line);
        }
        self.ask_info(g, ix);
    }
}

/// The epoch that the primary leads in: what it says itself, if it has spoken since the last switch, otherwise that of
/// the switch. They differ if somebody else's failover made it primary once more, or an operator did: a member that has
/// promised itself to that epoch would take no order of ours.
pub(crate) fn epoch_of_primary(g: &Group) -> Epoch {
    let p = g.primary();
    let said = p.report_since(p.changed_at).filter(|s| s.role == NodeRole::Primary);
    said.map_or(Epoch::ZERO, |s| s.accepted).max(Epoch(g.config_epoch.0))
}
