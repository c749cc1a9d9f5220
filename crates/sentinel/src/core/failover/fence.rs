//! Sealing a Tanist group for a new epoch: every node that can be reached promises to follow nobody of an older epoch
//! and says how far its log goes. From what they say, the one that takes over is chosen.

use super::super::Sentinel;
use super::super::events::Who;
use super::super::foreign::is_foreign_member;
use super::super::group::{DataNode, Group, NodeIx, Report};
use super::super::io::Level;
use super::super::link::Awaiting;
use super::super::settings::PickPolicy;
use super::super::status::NodeStatus;
use super::super::timing;
use super::Phase;
use super::pick::{Candidate, pick, pick_any};
use std::collections::BTreeMap;
use tanist_resp::Value;
use tanist_types::Epoch;

impl Sentinel {
    /// Sends the fence to all nodes.
    pub(super) fn begin_fence(&mut self, g: &mut Group) {
        let now = self.now.mono;
        let Some(f) = &mut g.failover else { return };
        let epoch = f.epoch;
        g.unfinished = true;
        f.enter(Phase::Fencing { answers: BTreeMap::new() }, now, timing::ANSWERS, None);
        let me = self.me.to_string();
        let (name, number) = (g.name.clone(), epoch.to_string());
        let args: [&[u8]; 6] = [b"TANIST", b"FENCE", name.as_bytes(), number.as_bytes(), me.as_bytes(), b"0"];
        let mut asked = BTreeMap::new();
        let ours: Vec<NodeIx> =
            g.nodes.values().filter(|n| !is_foreign_member(g, n, self.me)).map(|n| n.ix).collect();
        for n in g.nodes.values_mut().filter(|n| n.cmd.is_up() && ours.contains(&n.ix)) {
            if self.send(&mut n.cmd, &args, Awaiting::Fence(epoch)) {
                asked.insert(n.ix, None);
            }
        }
        if let Some(f) = &mut g.failover {
            f.phase = Phase::Fencing { answers: asked };
        }
    }

    /// A node answered the fence.
    pub(crate) fn fence_answered(&mut self, g: &mut Group, ix: NodeIx, epoch: Epoch, value: &Value) {
        let at = self.now.mono;
        if let Some(promised) = value.as_error().and_then(fenced_by) {
            return self.nack(g, epoch, promised);
        }
        let status = NodeStatus::parse(value);
        if status.is_none() {
            let line = format!("{} did not answer the fence: {value:?}", self.describe(g, Who::Node(ix)));
            self.log(Level::Verbose, line);
        }
        if let (Some(n), Some(status)) = (g.nodes.get_mut(&ix), &status) {
            n.report = Some(Report { status: status.clone(), at });
        }
        let Some(f) = &mut g.failover else { return };
        let Phase::Fencing { answers } = &mut f.phase else { return };
        if f.epoch != epoch {
            return;
        }
        match status {
            Some(status) => answers.insert(ix, Some(status)),
            None => answers.remove(&ix),
        };
        self.look_at_fence(g, false);
    }

    /// A node is bound to somebody else: our epoch is too low, the next attempt jumps over it.
    pub(super) fn nack(&mut self, g: &mut Group, epoch: Epoch, promised: Epoch) {
        if g.failover.as_ref().is_none_or(|f| f.epoch != epoch) {
            return;
        }
        if promised > self.epoch && self.epoch.may_jump_to(promised) {
            self.epoch = promised;
            self.disk.mark_critical();
            self.event_text(Some(g), Level::Warning, "+new-epoch", &promised.to_string());
        }
        self.fail(g, "-failover-abort-fenced", false);
    }

    /// Chooses once everybody that was asked has answered, or waited long enough.
    pub(super) fn look_at_fence(&mut self, g: &mut Group, over: bool) {
        let Some(f) = &g.failover else { return };
        let Phase::Fencing { answers } = &f.phase else { return };
        // What puts members right while the primary seems well may come too late: another leader's primary may be among
        // those that have not answered. All that are up are waited for.
        let repairs = f.kind == super::Kind::Repair && !g.primary().detector.down();
        // Who is down need not be waited for, nor who had nothing to say a moment ago.
        let may_answer = |ix: &NodeIx| {
            (repairs || !f.silent.contains(ix)) && g.nodes.get(ix).is_some_and(DataNode::may_answer)
        };
        let waiting = answers.iter().any(|(ix, a)| a.is_none() && may_answer(ix));
        if waiting && !over && !self.is_handed_over(g) {
            return;
        }
        if waiting && repairs {
            return self.await_answers(g);
        }
        // A switchover loses nothing: until the primary has promised, it may go on with writes when its pause ends.
        // The same holds for what puts members right while the primary is well.
        let promised = matches!(answers.get(&g.primary), Some(Some(_)));
        let needed = match f.kind {
            super::Kind::Planned => true,
            super::Kind::Repair => repairs,
            super::Kind::Crash | super::Kind::Forced | super::Kind::AcceptLoss => false,
        };
        if needed && !promised {
            return self.await_answers(g);
        }
        let mut candidates: Vec<Candidate<'_>> =
            answers.iter().filter_map(|(ix, a)| Some(Candidate::new(*ix, a.as_ref()?))).collect();
        if needed {
            let longest = candidates.iter().map(|c| c.status.key).max();
            candidates.retain(|c| g.settings.pick == PickPolicy::Majority || Some(c.status.key) == longest);
        }
        let prefer = match f.kind {
            super::Kind::Repair => Some(g.primary),
            _ => f.target,
        };
        let choice = self.choose(g, &candidates, prefer);
        let Some(choice) = choice else {
            return self.fail(g, "-failover-abort-no-good-slave", true);
        };
        let news = f.target != Some(choice);
        if let Some(f) = &mut g.failover {
            f.target = Some(choice);
        }
        if news {
            self.event(g, Level::Warning, "+selected-slave", Who::Node(choice), "");
        }
        self.promote_target(g);
    }

    /// Whether a switchover has all that it needs: the primary's promise, and its target with the whole log. Writes do
    /// not wait for the other nodes, which follow as soon as they can, unless one of them is known to have more.
    fn is_handed_over(&self, g: &Group) -> bool {
        let Some(f) = g.failover.as_ref().filter(|f| f.kind == super::Kind::Planned) else { return false };
        let (Phase::Fencing { answers }, Some(target)) = (&f.phase, f.target) else { return false };
        let answer = |ix: &NodeIx| answers.get(ix).and_then(Option::as_ref);
        let (Some(primary), Some(has)) = (answer(&g.primary), answer(&target)) else { return false };
        let reports = g.nodes.values().filter(|n| answer(&n.ix).is_none()).filter_map(|n| n.report.as_ref());
        if has.key < primary.key || reports.map(|r| r.status.key).any(|key| key > has.key) {
            return false;
        }
        let candidates: Vec<Candidate<'_>> =
            answers.iter().filter_map(|(ix, a)| Some(Candidate::new(*ix, a.as_ref()?))).collect();
        self.choose(g, &candidates, Some(target)) == Some(target)
    }

    /// The node that would take over if these were all answers.
    pub(super) fn choose(
        &self,
        g: &Group,
        candidates: &[Candidate<'_>],
        preferred: Option<NodeIx>,
    ) -> Option<NodeIx> {
        let choice = pick(candidates, g.settings.pick, g.fence_quorum(), preferred);
        if g.failover.as_ref().is_some_and(|f| f.kind == super::Kind::AcceptLoss) {
            return choice.or_else(|| pick_any(candidates));
        }
        let waited = g.odown_since.is_some_and(|at| self.now.mono.since(at) >= timing::LAST_RESORT);
        let last_resort = candidates.len() == g.nodes.len() || waited;
        match g.settings.pick {
            PickPolicy::BestEffort if last_resort => choice.or_else(|| pick_any(candidates)),
            _ => choice,
        }
    }

    /// Waits for the primary's promise, without which a switchover could lose what it still acknowledges; or for a node
    /// that may be a primary.
    fn await_answers(&mut self, g: &mut Group) {
        let now = self.now.mono;
        let Some(f) = &mut g.failover else { return };
        let last = f.since + timing::PROMOTION;
        if now >= last {
            return self.fail(g, "-failover-abort-slave-timeout", false);
        }
        f.until = last;
    }
}

/// The epoch in `FENCED <epoch> <leader>`.
pub(super) fn fenced_by(error: &[u8]) -> Option<Epoch> {
    let text = std::str::from_utf8(error).ok()?;
    let mut words = text.strip_prefix("FENCED ")?.split_ascii_whitespace();
    Some(Epoch(words.next()?.parse().ok()?))
}
