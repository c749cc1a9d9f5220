//! Electing the sentinel that carries out a failover: Raft's voting, one vote per group and epoch.
//!
//! Sentinels that see the same failure in the same millisecond would all vote for themselves. So they are ranked by
//! identity, differently in each epoch: the first runs at once, each further one waits a step longer and by then has
//! been asked for its vote. A lost election is repeated after a random time of one to two election timeouts.
//!
//! An operator's order needs no majority, but an epoch that nobody else can be leader of.

use super::Sentinel;
use super::events::Who;
use super::failover::{Electing, Failover, Kind, Phase};
use super::foreign::is_foreign_member;
use super::group::{Group, Vote};
use super::io::{Level, PersistId, SessionId};
use super::timing;
use std::time::Duration;
use tanist_types::{Epoch, Mono, RunId};

impl Sentinel {
    /// Decides when to run for leader, now that the primary is objectively down.
    pub(crate) fn plan_election(&mut self, g: &mut Group) {
        if g.failover.is_some() || g.election_at.is_some() {
            return;
        }
        let rank = self.rank(g);
        let jitter = self.rng.between(Duration::ZERO, timing::RANK_STEP / 5);
        let delay = if rank == 0 { Duration::ZERO } else { timing::RANK_STEP * rank + jitter };
        g.election_at = Some((self.now.mono + delay).max(g.election_not_before));
    }

    /// Our place among the sentinels that seem alive; another one in each epoch.
    fn rank(&self, g: &Group) -> u32 {
        let mut ids: Vec<RunId> =
            g.peers.values().filter(|p| p.link.is_up() && !p.detector.down()).map(|p| p.run_id).collect();
        ids.push(self.me);
        ids.sort_unstable();
        let n = ids.len() as u64;
        let mine = ids.iter().position(|id| *id == self.me).unwrap_or(0) as u64;
        u32::try_from((mine + self.epoch.0) % n).unwrap_or(0)
    }

    /// After a lost election or a failover that came to nothing: tries again after `low` to `high`.
    pub(crate) fn retry_election(&mut self, g: &mut Group, low: Duration, high: Duration) {
        let wait = self.rng.between(low, high);
        g.election_not_before = self.now.mono + wait;
        g.election_at = Some(g.election_not_before);
    }

    /// The time came to run for leader, if there is still a reason.
    pub(crate) fn run_for_leader(&mut self, g: &mut Group) {
        g.election_at = None;
        if g.failover.is_some() {
            return;
        }
        if g.is_odown() {
            self.start_election(g, Kind::Crash);
        } else if g.unfinished || self.is_stranded(g) {
            self.start_election(g, Kind::Repair);
        }
    }

    /// Opens a new epoch and asks for the votes. Our own is not told to anybody and does not count before it is durable,
    /// and nothing is done in an epoch before it counts: so the others need not wait for our disk.
    pub(crate) fn start_election(&mut self, g: &mut Group, kind: Kind) {
        // Beyond what any node is known to have promised: it would refuse.
        let ours = g.nodes.values().filter(|n| !is_foreign_member(g, n, self.me));
        let promised = ours.filter_map(|n| Some(n.report.as_ref()?.status.promised));
        let promised = promised.filter(|p| self.epoch.may_jump_to(*p)).max().unwrap_or(Epoch::ZERO);
        let floor = self.epoch.max(g.vote.epoch).max(Epoch(g.config_epoch.0)).max(promised);
        let Some(epoch) = common_epoch(floor) else { return self.out_of_epochs() };
        g.election_at = None;
        let electing = self.open_epoch(g, epoch, false);
        g.failover = Some(Failover::new(epoch, kind, Phase::Electing(electing), self.now.mono));
        self.event(g, Level::Warning, "+try-failover", Who::Group, "");
        self.cast_own_vote(g, epoch);
    }

    /// An operator's word is enough, as in Redis, though a majority has not agreed. But where we cannot see it, another
    /// leader may be elected in the same epoch: we go on in one that is ours alone.
    fn act_alone(&mut self, g: &mut Group) {
        let Some(f) = &g.failover else { return };
        let Some(epoch) = lone_epoch(f.epoch, self.me) else { return self.out_of_epochs() };
        let electing = self.open_epoch(g, epoch, true);
        if let Some(f) = &mut g.failover {
            f.epoch = epoch;
            f.phase = Phase::Electing(electing);
        }
        self.cast_own_vote(g, epoch);
    }

    fn open_epoch(&mut self, g: &Group, epoch: Epoch, alone: bool) -> Electing {
        self.epoch = epoch;
        self.disk.mark_critical();
        self.event_text(Some(g), Level::Warning, "+new-epoch", &epoch.to_string());
        let timeout = self.timing.election_timeout;
        let until = self.now.mono + self.rng.between(timeout, timeout * 2);
        Electing { after: self.disk.next_version(), durable: false, until, alone }
    }

    fn cast_own_vote(&mut self, g: &mut Group, epoch: Epoch) {
        self.vote_for(g, Vote { epoch, leader: Some(self.me) });
        let text = format!("{} {epoch}", self.me);
        self.event_text(Some(g), Level::Warning, "+vote-for-leader", &text);
        self.ask_peers(g);
    }

    fn out_of_epochs(&mut self) {
        self.log(Level::Warning, "The epoch space is used up");
    }

    /// Our own votes of this version of the configuration file are durable: they count. Without a disk there is no
    /// candidate.
    pub(crate) fn elections_persisted(&mut self, id: PersistId, ok: bool) {
        let groups: Vec<_> = self.groups.keys().copied().collect();
        for group in groups {
            self.with_group(group, |s, g| {
                let Some(f) = &mut g.failover else { return };
                let Phase::Electing(e) = &mut f.phase else { return };
                if e.durable || e.after > id {
                    return;
                }
                if ok {
                    e.durable = true;
                    s.count_votes(g);
                } else {
                    s.give_up_failover(g, "-failover-abort-not-elected");
                    let timeout = s.timing.election_timeout;
                    s.retry_election(g, timeout, timeout * 2);
                }
            });
        }
    }

    /// Counts the votes of the running election.
    pub(crate) fn count_votes(&mut self, g: &mut Group) {
        let Some(f) = &g.failover else { return };
        let (epoch, kind) = (f.epoch, f.kind);
        let Phase::Electing(e) = &f.phase else { return };
        if !e.durable {
            return;
        }
        let ours = |v: &(Epoch, RunId)| v.0 == epoch && v.1 == self.me;
        let in_epoch = |v: &(Epoch, RunId)| v.0 >= epoch;
        let votes = 1 + g.peers.values().filter(|p| p.vote.as_ref().is_some_and(ours)).count();
        let answered = g.peers.values().filter(|p| p.vote.as_ref().is_some_and(in_epoch)).count();
        let reachable = g.reachable_peers();
        let opposed = votes <= answered;
        // An operator's word needs no agreement, as in Redis; but not against another leader of the same epoch.
        let by_word = kind.is_ordered() && !opposed && answered >= reachable;
        if votes >= g.votes_needed() || by_word && e.alone {
            self.elected(g);
        } else if by_word {
            self.act_alone(g);
        } else if answered >= reachable && reachable > 0 && opposed {
            // Everybody has spoken: waiting longer brings nothing.
            self.lose_election(g, timing::RANK_STEP / 2, timing::RANK_STEP * 2);
        }
    }

    fn elected(&mut self, g: &mut Group) {
        self.event(g, Level::Warning, "+elected-leader", Who::Group, "");
        if self.crash_after_election {
            self.log(Level::Warning, "Simulated failure: crash after election");
            return self.out.push(super::Output::Exit { status: 99 });
        }
        self.begin_failover(g);
    }

    /// The election took too long.
    pub(crate) fn election_timed_out(&mut self, g: &mut Group) {
        let ordered = g.failover.as_ref().is_some_and(|f| f.kind.is_ordered());
        let opposed = g.failover.as_ref().is_some_and(|f| {
            g.peers.values().any(|p| p.vote.is_some_and(|(e, l)| e >= f.epoch && l != self.me))
        });
        let Some(Phase::Electing(e)) = g.failover.as_ref().map(|f| &f.phase) else { return };
        if ordered && e.durable && !opposed {
            return if e.alone { self.elected(g) } else { self.act_alone(g) };
        }
        let (timeout, wait) = (self.timing.election_timeout, g.back_off());
        if 1 + g.reachable_peers() < g.votes_needed() {
            // Nobody could have won.
            g.fruitless = g.fruitless.saturating_add(1);
        }
        self.lose_election(g, wait, timeout + wait * 2);
    }

    fn lose_election(&mut self, g: &mut Group, low: Duration, high: Duration) {
        let kind = g.failover.as_ref().map(|f| f.kind);
        self.give_up_failover(g, "-failover-abort-not-elected");
        if g.is_odown() || g.unfinished || kind == Some(Kind::Repair) {
            self.retry_election(g, low, high);
        }
    }

    /// Another sentinel asks for our vote in `epoch`. Grants it if no other has it; the answer waits for the disk.
    pub(crate) fn vote_asked(
        &mut self,
        g: &mut Group,
        session: SessionId,
        epoch: Epoch,
        candidate: RunId,
        down: bool,
    ) {
        if epoch.0 > g.config_epoch.0 {
            g.vote_asked_at = Some(self.now.mono);
        }
        if epoch > self.epoch && self.epoch.may_jump_to(epoch) {
            self.epoch = epoch;
            self.disk.mark_critical();
            self.event_text(Some(g), Level::Warning, "+new-epoch", &epoch.to_string());
        }
        if g.vote.epoch < epoch && self.epoch <= epoch {
            self.vote_for(g, Vote { epoch, leader: Some(candidate) });
            let text = format!("{candidate} {epoch}");
            self.event_text(Some(g), Level::Warning, "+vote-for-leader", &text);
            if candidate != self.me {
                self.stand_back(g);
            }
        }
        self.reply_vote(session, g, down);
    }

    /// Somebody else has our vote: it gets the time to act.
    fn stand_back(&mut self, g: &mut Group) {
        let electing = matches!(g.failover.as_ref().map(|f| &f.phase), Some(Phase::Electing(_)));
        if electing {
            self.give_up_failover(g, "-failover-abort-not-elected");
        }
        let wait = (self.timing.election_timeout * 2).max(g.back_off());
        self.retry_election(g, wait, wait * 2);
    }

    /// Somebody is there who was not, or may vote who might not: the next attempt need not end like the last.
    pub(crate) fn heard_news(&mut self, g: &mut Group) {
        if std::mem::take(&mut g.fruitless) == 0 || g.failover.is_some() || g.election_at.is_none() {
            return;
        }
        let now = self.now.mono;
        let others_turn = self.timing.election_timeout * 2;
        if g.vote_asked_at.is_none_or(|at| now.since(at) >= others_turn) {
            self.retry_election(g, timing::RANK_STEP / 2, timing::RANK_STEP * 2);
        }
    }

    /// Whether the sentinel thinks of itself as out of touch with the majority of the sentinels for so long that its
    /// view is not to be relied upon.
    pub(crate) fn is_view_stale(&self, g: &Group) -> bool {
        let limit = g.settings.stale_view;
        !limit.is_zero() && self.now.mono.since(g.majority_seen) > limit
    }

    /// Takes note of the moment if a majority of the sentinels is in touch.
    pub(crate) fn note_majority(&self, g: &mut Group) {
        let others = g.voters() / 2;
        let later = g.peers.values().filter(|p| p.detector.last_ok() > g.majority_seen).count();
        if later < others {
            return;
        }
        let recent: Option<Mono> = if others == 0 {
            Some(self.now.mono)
        } else {
            let mut times: Vec<Mono> = g.peers.values().map(|p| p.detector.last_ok()).collect();
            times.sort_unstable_by(|a, b| b.cmp(a));
            times.get(others - 1).copied()
        };
        if let Some(at) = recent {
            g.majority_seen = g.majority_seen.max(at);
        }
    }
}

/// Epochs come in blocks. The lower half of a block is for elections, which take one after the other; the upper half
/// has one epoch for each sentinel, as far as their identifiers differ in the first fifteen bits.
const BLOCK: u64 = 1 << 16;

/// The next epoch that sentinels elect a leader for.
fn common_epoch(after: Epoch) -> Option<Epoch> {
    let next = after.next().ok()?;
    if next.0 % BLOCK < BLOCK / 2 { Some(next) } else { next_block(after) }
}

/// The next epoch that is this sentinel's alone.
fn lone_epoch(after: Epoch, me: RunId) -> Option<Epoch> {
    let id = me.as_bytes();
    let own = u64::from(u16::from_be_bytes([id[0], id[1]])) % (BLOCK / 2);
    Some(Epoch(next_block(after)?.0 + BLOCK / 2 + own))
}

fn next_block(after: Epoch) -> Option<Epoch> {
    (after.0 / BLOCK + 1).checked_mul(BLOCK).filter(|first| first.checked_add(BLOCK).is_some()).map(Epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_election_reaches_an_epoch_that_is_a_sentinels_alone() {
        let [a, b] = [[0xff; 20], [0x01; 20]].map(RunId::from_bytes);
        assert_eq!(common_epoch(Epoch(0)), Some(Epoch(1)));
        assert_eq!(common_epoch(Epoch(0x7ffe)), Some(Epoch(0x7fff)));
        assert_eq!(common_epoch(Epoch(0x7fff)), Some(Epoch(0x1_0000)));
        assert_eq!(lone_epoch(Epoch(1), a), Some(Epoch(0x1_ffff)));
        assert_eq!(lone_epoch(Epoch(1), b), Some(Epoch(0x1_8101)));
        assert_eq!(common_epoch(Epoch(0x1_8101)), Some(Epoch(0x2_0000)));
        assert_eq!(lone_epoch(Epoch(0x1_ffff), a), Some(Epoch(0x2_ffff)), "later than the one before");
        assert_eq!(common_epoch(Epoch(u64::MAX)), None);
        assert_eq!(lone_epoch(Epoch(u64::MAX - 1), a), None);
    }
}
