//! What must hold in the whole world at all times (`docs/invariants.md`), seen from outside the processes.
//!
//! Every node is looked at after each of its steps. What was seen last is remembered, so a step that changes nothing
//! costs a comparison.

mod claims;

use crate::net::{ConnId, HostId};
use claims::Claims;
use std::collections::BTreeMap;
use std::time::Duration;
use tanist_node::Standing;
use tanist_replication::{Key, Promise};
use tanist_types::{Epoch, LogPos, Mono, ReplId, RunId};

/// What of a node's standing the invariants are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Seen {
    run: RunId,
    leads: bool,
    follows: bool,
    promised: Promise,
    accepted: Epoch,
    history: ReplId,
    end: Key,
    votes: bool,
    /// The epoch that it claims to have been primary of, without interruption.
    claims: Option<Epoch>,
}

impl Seen {
    fn of(s: &Standing<'_>) -> Seen {
        Seen {
            run: s.run,
            leads: s.role == "primary",
            follows: s.link == "up",
            promised: s.promised,
            accepted: s.accepted,
            history: s.history,
            end: s.key,
            votes: s.voting,
            claims: s.ex_primary,
        }
    }
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
    /// An epoch has got its primary since this was last asked.
    pub(crate) news: bool,
    /// What each data node has bound itself to: the epoch that it has promised, and the one that it has served in.
    bound: BTreeMap<HostId, (Epoch, Epoch)>,
    /// How far each history goes, by its primary.
    produced: BTreeMap<ReplId, LogPos>,
    /// Whom each sentinel has voted for in each epoch.
    votes: BTreeMap<(HostId, u64), String>,
    /// How many replicas a primary must have heard of lately to take a write, and what is lately.
    needed: Option<(usize, Duration)>,
    /// When a data node last heard of a replica, by connection.
    heard: BTreeMap<HostId, BTreeMap<ConnId, Mono>>,
    /// When a data node that was stopped went on.
    went_on: BTreeMap<HostId, Mono>,
    /// What everybody says.
    claims: Claims,
    /// The data node that has answered a fence since this was last asked.
    pub(crate) fenced: Option<HostId>,
}

impl Watch {
    /// From now on a write needs so many replicas that were heard of within a time.
    pub(crate) fn demand_replicas(&mut self, needed: usize, within: Duration) {
        self.needed = (needed > 0).then_some((needed, within));
    }

    /// Whether it matters who hears of replicas.
    pub(crate) fn counts_replicas(&self) -> bool {
        self.needed.is_some()
    }

    /// A data node has heard of a replica.
    pub(crate) fn heard_replica(&mut self, id: HostId, conn: ConnId, now: Mono) {
        self.heard.entry(id).or_default().insert(conn, now);
    }

    /// A data node goes on that was stopped: what it counted before is all that it knows for a moment.
    pub(crate) fn goes_on(&mut self, id: HostId, now: Mono) {
        self.went_on.insert(id, now);
    }

    /// W12: a data node has said that a write is done.
    pub(crate) fn took_write(&mut self, id: HostId, now: Mono) {
        let Some((needed, within)) = self.needed else { return };
        if self.went_on.get(&id).is_some_and(|at| now.since(*at) < within) {
            return;
        }
        let lately = self.heard.entry(id).or_default();
        lately.retain(|_, at| now.since(*at) < within);
        if lately.len() < needed {
            let heard = lately.len();
            self.fail(format!("W12: {id} has taken a write and heard of {heard} replicas within {within:?}"));
        }
    }

    pub(crate) fn fail(&mut self, problem: String) {
        self.broken.get_or_insert(problem);
    }

    /// A data node shows what it is after a step.
    pub(crate) fn see(&mut self, id: HostId, s: &Standing<'_>) {
        let now = Seen::of(s);
        let before = match self.last.get_mut(&id) {
            Some(last) if *last == now => return,
            Some(last) => Some(std::mem::replace(last, now)),
            None => self.last.insert(id, now),
        };
        self.nobody_is_ahead(id, &now);
        let said = self.claims.see(id, &now, before.as_ref());
        self.judge(said);
        if before.is_some_and(|b| Seen { end: now.end, votes: now.votes, claims: now.claims, ..b } == now) {
            return;
        }
        self.one_primary_per_epoch(id, &now);
        self.promises_are_kept(id, &now, before);
        self.nobody_serves_an_older_epoch(id, &now);
    }

    /// A data node has answered a fence.
    pub(crate) fn promises(&mut self, id: HostId, s: &Standing<'_>) {
        self.bound.entry(id).or_default().0 = s.promised.epoch;
        self.fenced = Some(id);
    }

    /// A data node acknowledges the log up to a position.
    pub(crate) fn acknowledges(&mut self, id: HostId, s: &Standing<'_>, to: LogPos) {
        self.bound.entry(id).or_default().1 = s.accepted;
        let now = Seen::of(s);
        // It may have been cut off in the very step.
        if !now.follows && !self.last.get(&id).is_some_and(|before| before.run == now.run && before.follows) {
            self.fail(format!("W15: {id} acknowledges {to} outside of a stream: {now:?}"));
        }
        let said = self.claims.acknowledges(id, &now, to);
        self.judge(said);
    }

    /// The epoch that a data node has promised, and has said so.
    pub(crate) fn promised(&self, id: HostId) -> Epoch {
        self.bound.get(&id).map_or(Epoch::ZERO, |(promised, _)| *promised)
    }

    /// A vote of this epoch is on a sentinel's disk.
    pub(crate) fn keeps_vote(&mut self, id: HostId, epoch: u64) {
        self.claims.keeps_vote(id, epoch);
    }

    /// A sentinel tells of its vote.
    pub(crate) fn tells_vote(&mut self, id: HostId, epoch: u64) {
        let said = self.claims.tells_vote(id, epoch);
        self.judge(said);
    }

    /// Somebody with the right to has given up what was acknowledged.
    pub(crate) fn waive(&mut self) {
        self.claims.waived = true;
    }

    fn judge(&mut self, said: Result<(), String>) {
        if let Err(problem) = said {
            self.fail(problem);
        }
    }

    /// A data node has lost its disk: it is another one from now on.
    pub(crate) fn wiped(&mut self, id: HostId) {
        self.bound.remove(&id);
        self.claims.wiped(id);
    }

    /// The run of the primary of the latest epoch, whether it is still there or not.
    pub(crate) fn latest(&self) -> Option<RunId> {
        self.reigns.last_key_value().map(|(_, (run, _))| *run)
    }

    /// W1.
    fn one_primary_per_epoch(&mut self, id: HostId, s: &Seen) {
        if !s.leads || s.accepted == Epoch::ZERO {
            return;
        }
        self.bound.entry(id).or_default().1 = s.accepted;
        let reign = (s.run, s.history);
        if !self.reigns.contains_key(&s.accepted) {
            self.news = true;
            if let Some((epoch, _)) = self.reigns.iter().find(|(_, (_, history))| *history == s.history) {
                let problem = format!("W1: epochs {epoch} and {} share history {}", s.accepted, s.history);
                self.fail(problem);
            }
        }
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
        let Some(before) = before.filter(|b| b.run == s.run) else { return self.nothing_is_forgotten(id, s) };
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

    /// W13, at the beginning of a run.
    fn nothing_is_forgotten(&mut self, id: HostId, s: &Seen) {
        let (promised, served) = self.bound.get(&id).copied().unwrap_or_default();
        if s.promised.epoch < promised || s.accepted < served {
            self.fail(format!(
                "W13: {id} begins with promise {} and epoch {}, and has promised {promised} and served in {served}",
                s.promised.epoch, s.accepted
            ));
        }
    }

    /// W14.
    fn nobody_serves_an_older_epoch(&mut self, id: HostId, s: &Seen) {
        if (s.leads || s.follows) && s.accepted < s.promised.epoch {
            let what = if s.leads { "leads" } else { "follows" };
            self.fail(format!(
                "W14: {id} {what} in epoch {} and has promised {}",
                s.accepted, s.promised.epoch
            ));
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
            let end = self.produced.entry(s.history).or_insert(s.end.pos);
            *end = (*end).max(s.end.pos);
        } else if let Some(end) = self.produced.get(&s.history)
            && s.end.pos > *end
        {
            let end = *end;
            self.fail(format!("W5: {id} is at {} of history {}, which ends at {end}", s.end.pos, s.history));
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
            ex_primary: None,
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
        let next = Standing { history: first.history, ..standing("primary", 1, 2, 9, 2) };
        assert!(broken(&[first, next]).starts_with("W1"), "a history of two epochs");
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
    fn a_write_without_replicas_is_seen() {
        let (n, second) = (HostId::node(0), Duration::from_secs(1));
        let at = Mono::from_millis;
        let broken = |needed, heard: &[u64], now| {
            let mut watch = Watch::default();
            watch.demand_replicas(needed, second);
            heard.iter().enumerate().for_each(|(i, ms)| watch.heard_replica(n, ConnId(i as u64), at(*ms)));
            watch.took_write(n, at(now));
            watch.broken.unwrap_or_default()
        };
        assert_eq!(broken(2, &[5_000, 5_500], 5_900), "");
        assert!(broken(2, &[4_000, 5_500], 5_900).starts_with("W12"));
        assert_eq!(broken(0, &[], 5_900), "");
        let mut watch = Watch::default();
        watch.demand_replicas(1, second);
        watch.goes_on(n, at(5_500));
        watch.took_write(n, at(5_900));
        assert_eq!(watch.broken, None, "it was stopped and knows no better");
    }

    #[test]
    fn what_was_said_is_not_forgotten() {
        let n = HostId::node(0);
        let (first, second) = (standing("primary", 1, 3, 9, 3), standing("idle", 2, 3, 9, 2));
        assert!(broken(&[first, second]).starts_with("W13"), "it has led in epoch 3");
        let begins = |promises, s: &Standing<'_>| {
            let mut watch = Watch::default();
            let speaker = Standing { link: "up", ..standing("replica", 1, 3, 9, 3) };
            match promises {
                true => watch.promises(n, &speaker),
                false => watch.acknowledges(n, &speaker, LogPos(0)),
            }
            watch.see(n, s);
            watch.broken.unwrap_or_default()
        };
        assert_eq!(begins(true, &standing("idle", 2, 3, 9, 2)), "");
        assert!(begins(true, &standing("idle", 2, 2, 9, 2)).starts_with("W13"));
        let forgets = Standing { voting: false, ..standing("idle", 2, 3, 9, 2) };
        assert!(begins(false, &forgets).starts_with("W13"));
        let mut watch = Watch::default();
        watch.promises(n, &first);
        watch.wiped(n);
        watch.see(n, &standing("idle", 2, 0, 9, 0));
        assert_eq!(watch.broken, None);
    }

    #[test]
    fn nobody_leads_or_follows_below_its_promise() {
        assert_eq!(broken(&[standing("idle", 1, 3, 9, 2)]), "");
        assert!(broken(&[standing("primary", 1, 3, 9, 2)]).starts_with("W14"));
        let follows = Standing { link: "up", ..standing("replica", 1, 3, 9, 2) };
        assert!(broken(&[follows]).starts_with("W14"));
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

    /// A replica of epoch 1 that ends at a position, in the first run.
    fn replica(pos: u64) -> Standing<'static> {
        let s = Standing { link: "up", ..standing("replica", 1, 1, 9, 1) };
        Standing { key: Key { pos: LogPos(pos), ..s.key }, ..s }
    }

    #[test]
    fn an_acknowledgement_of_what_is_not_there_is_seen() {
        let said = |s: &Standing<'_>, to| {
            let mut watch = Watch::default();
            watch.acknowledges(HostId::node(0), s, LogPos(to));
            watch.broken.unwrap_or_default()
        };
        assert_eq!(said(&replica(9), 9), "");
        assert!(said(&replica(9), 10).starts_with("W15"));
        assert!(said(&Standing { link: "down", ..replica(9) }, 9).starts_with("W15"));
    }

    #[test]
    fn a_vote_without_what_was_acknowledged_is_seen() {
        let n = HostId::node(0);
        let later = |s: Standing<'_>, waive| {
            let mut watch = Watch::default();
            watch.acknowledges(n, &replica(9), LogPos(9));
            if waive {
                watch.waive();
            }
            watch.see(n, &s);
            watch.broken.unwrap_or_default()
        };
        assert_eq!(later(replica(9), false), "");
        assert!(later(replica(8), false).starts_with("W15"));
        assert_eq!(later(replica(8), true), "");
        assert_eq!(later(Standing { voting: false, ..replica(8) }, false), "");
        // A primary counts itself once somebody follows it.
        let mut watch = Watch::default();
        let leads = Standing { role: "primary", link: "none", ..replica(9) };
        watch.acknowledges(HostId::node(1), &replica(9), LogPos(9));
        watch.see(n, &leads);
        watch.see(n, &Standing { role: "idle", link: "none", ..replica(8) });
        assert!(watch.broken.is_some_and(|b| b.starts_with("W15")));
    }

    #[test]
    fn a_history_without_its_marker_is_seen() {
        let seen = |s: Standing<'_>| {
            let mut watch = Watch::default();
            watch.see(HostId::node(0), &standing("idle", 1, 1, 9, 0));
            watch.see(HostId::node(0), &Standing { role: "primary", link: "none", ..replica(9) });
            watch.see(HostId::node(1), &s);
            watch.broken.unwrap_or_default()
        };
        assert_eq!(seen(replica(9)), "");
        assert!(seen(replica(0)).starts_with("W16"));
        let key = Key { epoch: Epoch(0), pos: LogPos(9) };
        assert!(seen(Standing { key, ..replica(9) }).starts_with("W16"));
    }

    #[test]
    fn a_claim_that_is_over_is_seen() {
        let claims = |s| Standing { ex_primary: Some(Epoch(1)), ..s };
        let leads = claims(standing("primary", 1, 1, 9, 1));
        let idle = claims(standing("idle", 1, 2, 9, 1));
        assert_eq!(broken(&[leads, idle]), "");
        assert!(broken(&[idle]).starts_with("W17"), "it has never led");
        assert!(broken(&[leads, Standing { run: run(2), ..idle }]).starts_with("W17"), "in another run");
        assert!(broken(&[leads, replica(0), idle]).starts_with("W17"), "it has followed since");
    }

    #[test]
    fn a_vote_that_is_told_before_it_is_kept_is_seen() {
        let told = |kept: &[u64], epoch| {
            let mut watch = Watch::default();
            kept.iter().for_each(|epoch| watch.keeps_vote(HostId::sentinel(0), *epoch));
            watch.tells_vote(HostId::sentinel(0), epoch);
            watch.broken.unwrap_or_default()
        };
        assert_eq!(told(&[3, 2], 3), "");
        assert!(told(&[3], 4).starts_with("W4"));
        assert!(told(&[], 1).starts_with("W4"));
    }
}
