//! Ordinary days: nodes that follow the wrong primary, or lead without being asked to, are put right; members that are
//! bound to an epoch without a primary get a new one.
//!
//! A sentinel that was cut off may itself be the one that is wrong. So it waits: briefly if a majority of the
//! sentinels lately said that they hold the same configuration, longer than hellos need to arrive if not.

use super::Sentinel;
use super::events::Who;
use super::foreign::{is_foreign_member, is_foreign_primary};
use super::group::{DataNode, Group, NodeIx};
use super::info::Role;
use super::io::Level;
use super::status::NodeStatus;
use super::timing;
use std::time::Duration;

/// What is wrong with a node that should follow the primary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Misplaced {
    /// It leads.
    Leads,
    /// It follows somebody else.
    Astray,
    /// It waits for a word.
    Idle,
}

fn misplaced(g: &Group, n: &DataNode) -> Option<Misplaced> {
    let role = n.info.role?;
    if n.info.tanist_role.as_deref() == Some("idle") {
        return Some(Misplaced::Idle);
    }
    if role == Role::Primary {
        return Some(Misplaced::Leads);
    }
    let right = n.info.primary.as_ref().is_some_and(|a| a.same(&g.primary().addr));
    (!right).then_some(Misplaced::Astray)
}

impl Sentinel {
    /// Puts a node right if it is wrong for long enough.
    pub(crate) fn maintain(&mut self, g: &mut Group, ix: NodeIx) {
        let now = self.now.mono;
        if ix == g.primary || g.failover.is_some() || g.repoint.is_some() || self.is_held() {
            return;
        }
        let Some(n) = g.nodes.get(&ix) else { return };
        let Some(what) = misplaced(g, n) else { return };
        let wait = self.settling_time(g, n, what);
        let settled = now.since(n.changed_at) >= wait && now.since(n.role_since) >= wait;
        let again = n.fixed_at.is_none_or(|at| now.since(at) >= timing::HELLO_FRESH);
        // Whoever has our vote may have promoted this node a moment ago.
        let led = g.vote_asked_at.is_some_and(|at| now.since(at) < timing::SETTLE);
        if led || !g.primary_is_sane(now) || !n.is_reachable() || !settled || !again {
            return;
        }
        if what == Misplaced::Leads && is_foreign_primary(g, n) {
            return self.report_foreign_primary(g, ix);
        }
        if n.placed.is_some() && n.is_tanist() && n.status_of_run().is_none() {
            // It has yet to say whether it is the one that we knew; its answer comes back here.
            return self.ask_status(g, ix);
        }
        if is_foreign_member(g, n, self.me) {
            return self.report_foreign_member(g, ix);
        }
        if let Some(n) = g.nodes.get_mut(&ix) {
            n.fixed_at = Some(now);
        }
        let name = if what == Misplaced::Leads { "+convert-to-slave" } else { "+fix-slave-config" };
        self.event(g, Level::Notice, name, Who::Node(ix), "");
        self.follow(g, ix);
    }

    fn settling_time(&self, g: &Group, n: &DataNode, what: Misplaced) -> Duration {
        let confirmed = g.is_confirmed(self.now.mono);
        let leader = g.vote.leader == Some(self.me) && g.vote.epoch.0 == g.config_epoch.0;
        match what {
            // It does nothing until somebody speaks, and it knows itself whether that is too old a word.
            Misplaced::Idle if leader => Duration::ZERO,
            // Another sentinel may be in the middle of a failover that we have not heard of yet.
            Misplaced::Leads if n.raised => timing::SETTLE,
            Misplaced::Idle | Misplaced::Leads if confirmed => timing::SETTLE_CONFIRMED,
            Misplaced::Idle | Misplaced::Leads => timing::SETTLE,
            // The leader may be sending replicas over one by one: nobody else interferes.
            Misplaced::Astray if confirmed && leader => timing::SETTLE_CONFIRMED,
            Misplaced::Astray => g.settings.failover_timeout.max(timing::SETTLE),
        }
    }

    /// Whether INFO of this node is wanted more often because it is wrong.
    pub(crate) fn is_misplaced(&self, g: &Group, n: &DataNode) -> bool {
        n.ix != g.primary && misplaced(g, n).is_some()
    }

    /// Whether a member has been bound to a higher epoch than its primary's for too long: it cannot follow any more.
    pub(crate) fn is_stranded(&self, g: &Group) -> bool {
        let now = self.now.mono;
        g.nodes.values().any(|n| n.stranded_since.is_some_and(|at| now.since(at) >= timing::STRANDED))
    }

    /// What has to hold after every step. Returns whether it took an election to be planned.
    pub(crate) fn after_step(&mut self, g: &mut Group) -> bool {
        self.note_majority(g);
        self.note_stranded(g);
        let reason = g.is_odown() || g.unfinished || self.is_stranded(g);
        let free = g.failover.is_none() && g.repoint.is_none() && g.election_at.is_none() && !self.is_held();
        if reason && free {
            self.plan_election(g);
        }
        reason && free
    }

    fn note_stranded(&self, g: &mut Group) {
        let now = self.now.mono;
        // Answers from before the last switch say nothing about the time after it.
        fn fresh(n: &DataNode) -> Option<&NodeStatus> {
            n.report.as_ref().filter(|r| r.at > n.changed_at).map(|r| &r.status)
        }
        let Some(ours) = fresh(g.primary()).map(|s| s.accepted) else { return };
        let quiet = g.failover.is_none() && !g.primary().detector.down();
        let primary = g.primary;
        let foreign: Vec<NodeIx> =
            g.nodes.values().filter(|n| is_foreign_member(g, n, self.me)).map(|n| n.ix).collect();
        for n in g.nodes.values_mut() {
            let promised = fresh(n).map(|s| s.promised);
            let ours_too = !foreign.contains(&n.ix);
            let bound = quiet && n.ix != primary && ours_too && promised.is_some_and(|p| p > ours);
            n.stranded_since = if bound { n.stranded_since.or(Some(now)) } else { None };
        }
    }
}
