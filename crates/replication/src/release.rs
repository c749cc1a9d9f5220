//! Rules that hold something back until the log has got somewhere: pure predicates on positions.
//!
//! `WAIT` and `WAITAOF` are such rules, `min-replicas-to-write` is one on the replicas' freshness, and holding replies
//! until a majority has their entry is one on the committed position.

use crate::wire::Ack;
use std::time::Duration;
use tanist_types::{LogPos, Mono};

/// What one replica has acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Acked {
    /// Everything before this has been applied there.
    pub received: LogPos,
    /// Everything before this is on its disk.
    pub fsynced: LogPos,
    /// When it was last heard.
    pub heard: Mono,
}

impl Acked {
    /// Takes in an acknowledgement. Positions never go back: acks may be repeated, not revoked.
    pub fn update(&mut self, ack: Ack, now: Mono) {
        self.received = self.received.max(ack.applied);
        self.fsynced = self.fsynced.max(ack.fsynced.unwrap_or_default());
        self.heard = now;
    }
}

/// How far the node itself has got.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Local {
    /// Its own log is on disk up to here; `None` while no log is kept on disk.
    pub fsynced: Option<LogPos>,
    /// A majority of the group holds the log up to here.
    pub committed: LogPos,
}

/// What must be so before something is released.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// `WAIT`: so many replicas have applied everything before `pos`.
    Received {
        /// The position.
        pos: LogPos,
        /// How many replicas.
        replicas: u32,
    },
    /// `WAITAOF`: the local disk (if asked for) and so many replicas' disks hold everything before `pos`.
    Fsynced {
        /// The position.
        pos: LogPos,
        /// Whether the local disk counts.
        local: bool,
        /// How many replicas.
        replicas: u32,
    },
    /// Quorum commit: a majority of the group holds everything before `pos`.
    Committed {
        /// The position.
        pos: LogPos,
    },
}

/// How far a rule has been met: the numbers in the replies of `WAIT` and `WAITAOF`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Count {
    /// The local disk holds the position.
    pub local: bool,
    /// The number of replicas that do.
    pub replicas: u32,
}

impl Rule {
    /// The position that the rule is about.
    #[must_use]
    pub fn pos(&self) -> LogPos {
        match *self {
            Rule::Received { pos, .. } | Rule::Fsynced { pos, .. } | Rule::Committed { pos } => pos,
        }
    }

    /// How many hold the position.
    pub fn count(&self, local: Local, replicas: impl Iterator<Item = Acked>) -> Count {
        let pos = self.pos();
        let on_disk = matches!(self, Rule::Fsynced { .. });
        let holds = |a: &Acked| if on_disk { a.fsynced >= pos } else { a.received >= pos };
        let replicas = u32::try_from(replicas.filter(holds).count()).unwrap_or(u32::MAX);
        Count { local: local.fsynced.is_some_and(|end| end >= pos), replicas }
    }

    /// Whether the rule is met.
    pub fn met(&self, local: Local, replicas: impl Iterator<Item = Acked>) -> bool {
        let count = self.count(local, replicas);
        match *self {
            Rule::Received { replicas, .. } => count.replicas >= replicas,
            Rule::Fsynced { local, replicas, .. } => (!local || count.local) && count.replicas >= replicas,
            Rule::Committed { pos } => local.committed >= pos,
        }
    }
}

/// `min-replicas-to-write`: whether at least `needed` replicas were heard within `max_lag`. Either being zero
/// switches the rule off.
pub fn enough_replicas(
    needed: u32,
    max_lag: Duration,
    now: Mono,
    replicas: impl Iterator<Item = Acked>,
) -> bool {
    needed == 0 || max_lag.is_zero() || good_replicas(max_lag, now, replicas) >= needed
}

/// The number of replicas heard within `max_lag`.
pub fn good_replicas(max_lag: Duration, now: Mono, replicas: impl Iterator<Item = Acked>) -> u32 {
    // Redis compares whole seconds: a lag of exactly `max_lag` seconds and a fraction is still good.
    let good = |a: &Acked| now.since(a.heard).as_secs() <= max_lag.as_secs();
    u32::try_from(replicas.filter(good).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acked(received: u64, fsynced: u64, heard_s: u64) -> Acked {
        let heard = Mono::from_millis(heard_s * 1000);
        Acked { received: LogPos(received), fsynced: LogPos(fsynced), heard }
    }

    fn met(rule: Rule, fsynced: u64, committed: u64) -> bool {
        let local = Local { fsynced: Some(LogPos(fsynced)), committed: LogPos(committed) };
        rule.met(local, [acked(100, 50, 0), acked(80, 80, 0)].into_iter())
    }

    #[test]
    fn wait_counts_what_was_applied() {
        let rule = |pos, replicas| Rule::Received { pos: LogPos(pos), replicas };
        assert!(met(rule(100, 1), 0, 0) && met(rule(80, 2), 0, 0) && met(rule(500, 0), 0, 0));
        assert!(!met(rule(101, 1), 0, 0) && !met(rule(81, 2), 0, 0));
    }

    #[test]
    fn waitaof_counts_disks_only() {
        let rule = |pos, local, replicas| Rule::Fsynced { pos: LogPos(pos), local, replicas };
        assert!(met(rule(80, false, 1), 0, 0) && met(rule(50, true, 2), 50, 0));
        assert!(!met(rule(81, false, 1), 0, 0) && !met(rule(50, true, 2), 49, 0));
        // Without a log on disk not even the beginning of the log is there.
        let count = rule(0, false, 0).count(Local::default(), std::iter::empty());
        assert_eq!(count, Count { local: false, replicas: 0 });
    }

    #[test]
    fn a_commit_is_no_matter_of_acks() {
        let rule = Rule::Committed { pos: LogPos(60) };
        assert!(met(rule, 0, 60) && !met(rule, 1000, 59));
    }

    #[test]
    fn acks_never_go_back() {
        let mut a = acked(100, 50, 1);
        a.update(Ack { applied: LogPos(90), fsynced: None, epoch: None }, Mono::from_millis(9000));
        assert_eq!(a, acked(100, 50, 9));
    }

    #[test]
    fn fresh_replicas_open_the_gate() {
        let replicas = || [acked(0, 0, 10), acked(0, 0, 19)].into_iter();
        let (lag, now) = (Duration::from_secs(10), Mono::from_millis(20_900));
        assert!(enough_replicas(2, lag, now, replicas()));
        assert!(!enough_replicas(2, lag, Mono::from_millis(21_000), replicas()));
        assert!(enough_replicas(1, lag, Mono::from_millis(21_000), replicas()));
        assert!(enough_replicas(0, lag, now, std::iter::empty()));
        assert!(enough_replicas(3, Duration::ZERO, now, std::iter::empty()));
    }
}
