//! Choosing the node that takes over from the answers to a fence: rules S1 to S3 of the quorum-commit protocol, and
//! Redis' order where they leave a choice.

use super::super::group::NodeIx;
use super::super::settings::PickPolicy;
use super::super::status::{Key, NodeRole, NodeStatus};
use std::cmp::Reverse;
use tanist_types::{NodeId, RunId};

/// A node that answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'a> {
    pub(super) ix: NodeIx,
    pub(super) status: &'a NodeStatus,
}

impl<'a> Candidate<'a> {
    pub(super) fn new(ix: NodeIx, status: &'a NodeStatus) -> Candidate<'a> {
        Candidate { ix, status }
    }

    /// Redis' order: not excluded, priority, most data, smallest identity.
    fn order(&self, preferred: Option<NodeIx>) -> (bool, bool, u32, Reverse<Key>, RunId, NodeId) {
        let s = self.status;
        (preferred != Some(self.ix), s.priority == 0, s.priority, Reverse(s.key), s.run_id, s.node_id)
    }
}

/// Picks the node that takes over, or nobody.
///
/// By majority: a voting node whose log contains everything that `quorum` of the answering nodes acknowledged; that is
/// safe, whichever it is. By best effort: of the voting nodes of the latest history, Redis' choice; but `preferred`,
/// the target of a planned switchover, only if nobody has more.
pub(super) fn pick(
    answers: &[Candidate<'_>],
    policy: PickPolicy,
    quorum: usize,
    preferred: Option<NodeIx>,
) -> Option<NodeIx> {
    let able = |c: &&Candidate<'_>| c.status.role != NodeRole::Loading && c.status.voting;
    match policy {
        PickPolicy::Majority => {
            let safe = |c: &&Candidate<'_>| {
                answers.iter().filter(|v| c.status.dominates(v.status)).count() >= quorum
            };
            answers.iter().filter(able).filter(safe).min_by_key(|c| c.order(preferred)).map(|c| c.ix)
        }
        PickPolicy::BestEffort => {
            let longest = answers.iter().filter(able).map(|c| c.status.key).max()?;
            let preferred = preferred
                .filter(|ix| answers.iter().any(|c| c.ix == *ix && able(&c) && c.status.key == longest));
            answers
                .iter()
                .filter(able)
                .filter(|c| c.status.key.epoch == longest.epoch)
                .min_by_key(|c| c.order(preferred))
                .map(|c| c.ix)
        }
    }
}

/// If nobody may vote, because the whole group restarted: the node with the most data, for a group or an operator that
/// prefers some data to none.
pub(super) fn pick_any(answers: &[Candidate<'_>]) -> Option<NodeIx> {
    answers
        .iter()
        .filter(|c| c.status.role != NodeRole::Loading)
        .min_by_key(|c| (c.status.priority == 0, Reverse(c.status.key), c.status.run_id))
        .map(|c| c.ix)
}

#[cfg(test)]
mod tests {
    use super::super::super::status::tests::status;
    use super::*;
    use tanist_types::{Epoch, LogPos};

    fn picked(
        statuses: &[NodeStatus],
        policy: PickPolicy,
        quorum: usize,
        preferred: Option<u32>,
    ) -> Option<u32> {
        let c: Vec<_> =
            statuses.iter().enumerate().map(|(i, s)| Candidate::new(NodeIx(i as u32), s)).collect();
        pick(&c, policy, quorum, preferred.map(NodeIx)).map(|ix| ix.0)
    }

    #[test]
    fn the_longest_log_of_the_latest_epoch_wins() {
        let s = [status(1, 1, 900), status(2, 2, 10), status(3, 2, 20)];
        for policy in [PickPolicy::BestEffort, PickPolicy::Majority] {
            assert_eq!(picked(&s, policy, 2, None), Some(2));
        }
    }

    #[test]
    fn priority_decides_before_the_offset_by_best_effort_but_never_against_a_majority() {
        let mut s = [status(1, 1, 90), status(2, 1, 10)];
        s[1].priority = 1;
        assert_eq!(picked(&s, PickPolicy::BestEffort, 2, None), Some(1));
        assert_eq!(picked(&s, PickPolicy::Majority, 2, None), Some(0));
    }

    #[test]
    fn priority_zero_is_taken_only_if_nobody_else_can() {
        let mut s = [status(1, 1, 90), status(2, 1, 90)];
        s[0].priority = 0;
        assert_eq!(picked(&s, PickPolicy::BestEffort, 2, None), Some(1));
        assert_eq!(picked(&s, PickPolicy::Majority, 2, None), Some(1));
        s[1].key.offset = LogPos(80);
        assert_eq!(picked(&s, PickPolicy::Majority, 2, None), Some(0), "only it has everything");
    }

    #[test]
    fn one_answer_of_three_is_no_majority() {
        let s = [status(1, 1, 90)];
        assert_eq!(picked(&s, PickPolicy::Majority, 2, None), None);
        assert_eq!(picked(&s, PickPolicy::BestEffort, 2, None), Some(0));
    }

    #[test]
    fn a_restarted_memory_node_is_neither_picked_nor_counted() {
        let mut reborn = status(1, 1, 0);
        reborn.voting = false;
        reborn.floor = Some(Key { epoch: Epoch(1), offset: LogPos(u64::MAX) });
        let s = [reborn, status(2, 1, 50)];
        assert_eq!(picked(&s, PickPolicy::BestEffort, 2, None), Some(1));
        assert_eq!(picked(&s, PickPolicy::Majority, 2, None), None);
    }

    #[test]
    fn the_target_of_a_switchover_gives_way_to_whoever_has_more() {
        let s = [status(1, 1, 90), status(2, 1, 90), status(3, 1, 91)];
        assert_eq!(picked(&s, PickPolicy::BestEffort, 2, Some(1)), Some(2));
        assert_eq!(picked(&s[..2], PickPolicy::BestEffort, 2, Some(1)), Some(1));
        assert_eq!(picked(&s[..2], PickPolicy::BestEffort, 2, Some(0)), Some(0));
    }
}
