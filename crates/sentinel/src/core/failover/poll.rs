//! The pre-vote (rule G4): asking every Tanist node what it has, which changes nothing, before anything is sealed that
//! might be the only thing that still works, or writes are held for a replica that does not answer.
//!
//! The replicas of a crashed primary also get a moment to take in what it had sent them: a fence discards what has not
//! been applied.

use super::super::Sentinel;
use super::super::foreign::is_foreign_member;
use super::super::group::{Group, NodeIx};
use super::super::status::{LinkWord, NodeRole, NodeStatus};
use super::super::timing;
use super::pick::Candidate;
use super::{Kind, Phase};
use std::cmp::Reverse;

impl Sentinel {
    /// Asks all nodes what they have.
    pub(super) fn begin_poll(&mut self, g: &mut Group) {
        let now = self.now.mono;
        if let Some(f) = &mut g.failover {
            f.enter(Phase::Polling, now, timing::ANSWERS, Some(timing::POLL));
        }
        self.ask_all(g);
    }

    fn ask_all(&mut self, g: &mut Group) {
        let nodes: Vec<NodeIx> = g.nodes.keys().copied().collect();
        for ix in nodes {
            self.ask_status(g, ix);
        }
    }

    pub(super) fn poll_again(&mut self, g: &mut Group, over: bool) {
        if !self.poll_is_settled(g, over) {
            self.ask_all(g);
        }
    }

    /// Goes on once everybody that seems alive has spoken.
    pub(super) fn look_at_poll(&mut self, g: &mut Group) {
        self.poll_is_settled(g, false);
    }

    fn poll_is_settled(&mut self, g: &mut Group, over: bool) -> bool {
        let now = self.now.mono;
        let Some(f) = &g.failover else { return true };
        let since = f.since;
        let gone = Self::primary_is_gone(g);
        let me = self.me;
        let ours = || g.nodes.values().filter(|n| !is_foreign_member(g, n, me));
        let answers: Vec<(NodeIx, &NodeStatus)> =
            ours().filter_map(|n| Some((n.ix, n.report_since(since)?))).collect();
        let all = ours().filter(|n| n.may_answer()).all(|n| n.report_since(since).is_some());
        let draining = gone && answers.iter().any(|(ix, s)| *ix != g.primary && s.link == LinkWord::Up);
        let drained = !draining || now.since(since) >= timing::DRAIN;
        let settled = all && drained && !answers.is_empty();
        if !over && !settled {
            return false;
        }
        let epoch = f.epoch;
        let bound = |s: &NodeStatus| s.promised >= epoch && self.epoch.may_jump_to(s.promised);
        if let Some(promised) = answers.iter().filter(|(_, s)| bound(s)).map(|(_, s)| s.promised).max() {
            // It would refuse, and the others would be sealed for nothing.
            self.nack(g, epoch, promised);
            return true;
        }
        let candidates: Vec<_> = answers.iter().map(|(ix, s)| Candidate::new(*ix, s)).collect();
        let planned = f.kind == Kind::Planned;
        let choice = if planned { next_in_line(g, &answers) } else { self.choose(g, &candidates, None) };
        let silent = ours().filter(|n| n.report_since(since).is_none()).map(|n| n.ix).collect();
        if let Some(f) = &mut g.failover {
            f.silent = silent;
        }
        match choice {
            _ if planned => self.begin_preparation(g, choice),
            Some(_) => self.begin_fence(g),
            None => self.fail(g, "-failover-abort-no-good-slave", true),
        }
        true
    }
}

/// The replica that a planned switchover goes to, of those that answered: as [`Sentinel::planned_target`], but by what
/// they say now.
fn next_in_line(g: &Group, answers: &[(NodeIx, &NodeStatus)]) -> Option<NodeIx> {
    answers
        .iter()
        .filter(|(ix, s)| *ix != g.primary && s.role == NodeRole::Replica && s.link == LinkWord::Up)
        .filter(|(_, s)| s.priority != 0 && s.voting)
        .min_by_key(|(_, s)| (s.priority, Reverse(s.key), s.run_id))
        .map(|(ix, _)| *ix)
}
