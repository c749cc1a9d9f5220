//! What must hold in the whole world at all times (`docs/invariants.md`), seen from outside the processes.

use crate::net::HostId;
use crate::status::NodeStatus;
use std::collections::BTreeMap;

/// Who was seen as the primary of an epoch: its run and its history.
type Reign = (String, String);

/// Remembers what has been seen.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// The first invariant that was broken.
    pub(crate) broken: Option<String>,
    /// The primary of each epoch.
    reigns: BTreeMap<u64, Reign>,
    /// What each run of a data node has promised and accepted last.
    promises: BTreeMap<String, (u64, String, u64)>,
    /// Whom each sentinel has voted for in each epoch.
    votes: BTreeMap<(HostId, u64), String>,
}

impl Watch {
    pub(crate) fn fail(&mut self, problem: String) {
        self.broken.get_or_insert(problem);
    }

    /// A data node shows its state.
    pub(crate) fn see(&mut self, id: HostId, s: &NodeStatus) {
        self.one_primary_per_epoch(id, s);
        self.promises_are_kept(id, s);
    }

    /// W1.
    fn one_primary_per_epoch(&mut self, id: HostId, s: &NodeStatus) {
        if s.role != "primary" || s.accepted == 0 {
            return;
        }
        let reign = (s.run_id.clone(), s.replid.clone());
        let first = self.reigns.entry(s.accepted).or_insert_with(|| reign.clone());
        if *first != reign {
            let (run, history) = first.clone();
            self.fail(format!(
                "W1: epoch {} has two primaries: run {run} with history {history}, and {id} (run {}, history {})",
                s.accepted, s.run_id, s.replid
            ));
        }
    }

    /// W2 and W3.
    fn promises_are_kept(&mut self, id: HostId, s: &NodeStatus) {
        let (epoch, leader) = &s.promised;
        if s.accepted > *epoch {
            self.fail(format!("W3: {id} has accepted epoch {} and promised only {epoch}", s.accepted));
        }
        let now = (*epoch, leader.clone(), s.accepted);
        let Some(before) = self.promises.insert(s.run_id.clone(), now) else { return };
        let (was, whose, accepted) = before;
        if *epoch < was || s.accepted < accepted {
            self.fail(format!(
                "W2: {id} went back from promise {was} and epoch {accepted} to {epoch} and {}",
                s.accepted
            ));
        } else if *epoch == was && !whose.is_empty() && whose != *leader {
            self.fail(format!("W2: {id} has promised epoch {epoch} to {whose} and to {leader}"));
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
}

/// W5: among nodes of one history nobody has more than its primary.
pub(crate) fn nobody_is_ahead(nodes: &[(HostId, NodeStatus)]) -> Result<(), String> {
    for (id, p) in nodes.iter().filter(|(_, s)| s.role == "primary") {
        for (other, s) in nodes.iter().filter(|(_, s)| s.replid == p.replid) {
            if s.offset > p.offset {
                return Err(format!("W5: {other} is at {} and its primary {id} at {}", s.offset, p.offset));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(role: &str, run: &str, promised: u64, leader: &str, accepted: u64) -> NodeStatus {
        NodeStatus {
            role: role.into(),
            run_id: run.into(),
            promised: (promised, leader.into()),
            accepted,
            ..NodeStatus::default()
        }
    }

    fn broken(seen: &[NodeStatus]) -> String {
        let mut watch = Watch::default();
        for s in seen {
            watch.see(HostId::node(0), s);
        }
        watch.broken.unwrap_or_default()
    }

    #[test]
    fn two_primaries_in_an_epoch_are_seen() {
        assert_eq!(broken(&[status("primary", "a", 1, "l", 1), status("primary", "a", 2, "l", 2)]), "");
        assert!(
            broken(&[status("primary", "a", 1, "l", 1), status("primary", "b", 1, "l", 1)]).starts_with("W1")
        );
    }

    #[test]
    fn broken_promises_are_seen() {
        let first = status("idle", "a", 3, "l", 2);
        assert_eq!(broken(&[first.clone(), status("idle", "b", 1, "l", 1)]), "");
        assert!(broken(&[first.clone(), status("idle", "a", 2, "l", 2)]).starts_with("W2"));
        assert!(broken(&[first.clone(), status("idle", "a", 3, "m", 2)]).starts_with("W2"));
        assert!(broken(&[first, status("idle", "a", 3, "l", 4)]).starts_with("W3"));
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
        let at = |role, offset| NodeStatus { offset, ..status(role, "r", 0, "", 0) };
        let good = [(HostId::node(0), at("primary", 10)), (HostId::node(1), at("replica", 10))];
        assert_eq!(nobody_is_ahead(&good), Ok(()));
        let bad = [(HostId::node(0), at("primary", 10)), (HostId::node(1), at("replica", 11))];
        assert!(nobody_is_ahead(&bad).unwrap_err().starts_with("W5"));
    }
}
