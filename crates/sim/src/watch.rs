//! What must hold in the whole world at all times (`docs/invariants.md`), seen from outside the processes.
//!
//! Every node is looked at after each of its steps. What was seen last is remembered, so a step that changes nothing
//! costs a comparison.

use crate::net::HostId;
use std::collections::BTreeMap;
use tanist_node::Standing;
use tanist_replication::Promise;
use tanist_types::{Epoch, LogPos, ReplId, RunId};

/// What of a node's standing the invariants are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Seen {
    run: RunId,
    leads: bool,
    promised: Promise,
    accepted: Epoch,
    history: ReplId,
    end: LogPos,
}

/// Remembers what has been seen.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// The first invariant that was broken.
    pub(crate) broken: Option<String>,
    /// Each data node as it was after its last step.
    last: BTreeMap<HostId, Seen>,
    /// The primary of each epoch: its run and its history.
    reigns: BTreeMap<Epoch, (RunId, ReplId)>,
    /// How far each history goes, by its primary.
    produced: BTreeMap<ReplId, LogPos>,
    /// Whom each sentinel has voted for in each epoch.
    votes: BTreeMap<(HostId, u64), String>,
}

impl Watch {
    pub(crate) fn fail(&mut self, problem: String) {
        self.broken.get_or_insert(problem);
    }

    /// A data node shows what it is after a step.
    pub(crate) fn see(&mut self, id: HostId, s: &Standing<'_>) {
        let now = Seen {
            run: s.run,
            leads: s.role == "primary",
            promised: s.promised,
            accepted: s.accepted,
            history: s.history,
            end: s.key.pos,
        };
        let before = self.last.insert(id, now);
        if before == Some(now) {
            return;
        }
        self.nobody_is_ahead(id, &now);
        if before.is_some_and(|b| Seen { end: now.end, ..b } == now) {
            return;
        }
        self.one_primary_per_epoch(id, &now);
        self.promises_are_kept(id, &now, before);
    }

    /// W1.
    fn one_primary_per_epoch(&mut self, id: HostId, s: &Seen) {
        if !s.leads || s.accepted == Epoch::ZERO {
            return;
        }
        let reign = (s.run, s.history);
        let first = *self.reigns.entry(s.accepted).or_insert(reign);
        if first != reign {
            self.fail(format!(
                "W1: epoch {} has two primaries: run {} with history {}, and {id} (run {}, history {})",
                s.accepted, first.0, first.1, s.run, s.history
            ));
        }
    }

    /// W2 and W3.
    fn promises_are_kept(&mut self, id: HostId, s: &Seen, before: Option<Seen>) {
        let Promise { epoch, leader } = s.promised;
        if s.accepted > epoch {
            self.fail(format!("W3: {id} has accepted epoch {} and promised only {epoch}", s.accepted));
        }
        let Some(before) = before.filter(|b| b.run == s.run) else { return };
        let (was, whose) = (before.promised.epoch, before.promised.leader);
        if epoch < was || s.accepted < before.accepted {
            self.fail(format!(
                "W2: {id} went back from promise {was} and epoch {} to {epoch} and {}",
                before.accepted, s.accepted
            ));
        } else if epoch == was && whose.is_some() && whose != leader {
            self.fail(format!("W2: {id} has promised epoch {epoch} to {whose:?} and to {leader:?}"));
        }
    }

    /// W4: a sentinel tells whom it has voted for.
    pub(crate) fn voted(&mut self, voter: HostId, epoch: u64, leader: &str) {
        let first = self.votes.entry((voter, epoch)).or_insert_with(|| leader.to_owned());
        if first != leader {
            let first = first.clone();
            self.fail(format!("W4: {voter} has voted in epoch {epoch} for {first} and for {leader}"));
        }
    }

    /// W5: nobody has more of a history than its primary has ever produced.
    fn nobody_is_ahead(&mut self, id: HostId, s: &Seen) {
        if s.leads {
            let end = self.produced.entry(s.history).or_insert(s.end);
            *end = (*end).max(s.end);
        } else if let Some(end) = self.produced.get(&s.history)
            && s.end > *end
        {
            let end = *end;
            self.fail(format!("W5: {id} is at {} of history {}, which ends at {end}", s.end, s.history));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tanist_replication::Key;
    use tanist_types::Rng;

    fn run(name: u64) -> RunId {
        RunId::random(&mut Rng::from_seed(name))
    }

    fn standing(role: &'static str, of: u64, promised: u64, leader: u64, accepted: u64) -> Standing<'static> {
        Standing {
            run: run(of),
            role,
            promised: Promise { epoch: Epoch(promised), leader: Some(run(leader)) },
            accepted: Epoch(accepted),
            key: Key { epoch: Epoch(accepted), pos: LogPos(0) },
            voting: true,
            history: ReplId::random(&mut Rng::from_seed(accepted)),
            link: "none",
            primary: None,
        }
    }

    fn broken(seen: &[Standing<'_>]) -> String {
        let mut watch = Watch::default();
        for s in seen {
            watch.see(HostId::node(0), s);
        }
        watch.broken.unwrap_or_default()
    }

    #[test]
    fn two_primaries_in_an_epoch_are_seen() {
        let first = standing("primary", 1, 1, 9, 1);
        assert_eq!(broken(&[first, standing("primary", 1, 2, 9, 2)]), "");
        assert!(broken(&[first, standing("primary", 2, 1, 9, 1)]).starts_with("W1"));
        let other = Standing { history: ReplId::random(&mut Rng::from_seed(77)), ..first };
        assert!(broken(&[first, other]).starts_with("W1"));
    }

    #[test]
    fn broken_promises_are_seen() {
        let first = standing("idle", 1, 3, 9, 2);
        assert_eq!(broken(&[first, standing("idle", 2, 1, 9, 1)]), "");
        assert!(broken(&[first, standing("idle", 1, 2, 9, 2)]).starts_with("W2"));
        assert!(broken(&[first, standing("idle", 1, 3, 8, 2)]).starts_with("W2"));
        assert!(broken(&[first, standing("idle", 1, 3, 9, 4)]).starts_with("W3"));
    }

    #[test]
    fn a_second_vote_is_seen() {
        let mut watch = Watch::default();
        watch.voted(HostId::sentinel(0), 1, "a");
        watch.voted(HostId::sentinel(0), 1, "a");
        watch.voted(HostId::sentinel(1), 1, "b");
        assert_eq!(watch.broken, None);
        watch.voted(HostId::sentinel(0), 1, "b");
        assert!(watch.broken.unwrap().starts_with("W4"));
    }

    #[test]
    fn a_replica_ahead_of_its_primary_is_seen() {
        let at = |role, of, pos| {
            let s = standing(role, of, 0, 9, 0);
            Standing { key: Key { pos: LogPos(pos), ..s.key }, ..s }
        };
        let found = |primary: &[u64], replica: u64| {
            let mut watch = Watch::default();
            primary.iter().for_each(|end| watch.see(HostId::node(0), &at("primary", 1, *end)));
            watch.see(HostId::node(1), &at("replica", 2, replica));
            watch.broken.unwrap_or_default()
        };
        assert_eq!(found(&[10], 10), "");
        assert!(found(&[10], 11).starts_with("W5"));
        assert_eq!(found(&[], 11), "", "a history of before the world began");
    }
}
