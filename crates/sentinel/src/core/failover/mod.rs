//! Carrying out a failover: the steps of a leader between its election and the new primary.
//!
//! ```text
//! Tanist nodes:   Electing → Polling → Fencing → Promoting → (switch) → repointing
//!   planned:      Electing → Polling → Preparing → Pausing → Fencing → Promoting → ...
//! classic nodes:  Electing → Selecting → Promoting → (switch) → repointing
//!   planned:      Electing → Pausing → Promoting → ...
//! ```
//! Every failover has an epoch of its own, and in an epoch at most one node is ever told to take over (rule G3 of the
//! quorum-commit protocol): whatever goes wrong after that, the next attempt opens a new epoch.

mod classic;
mod fence;
mod pick;
mod planned;
mod poll;
mod prepare;
mod promote;
mod repoint;
mod switch;

pub(crate) use repoint::{Repoint, epoch_of_primary};

use super::Sentinel;
use super::detector::Evidence;
use super::events::Who;
use super::group::{Group, NodeIx};
use super::io::{Level, PersistId};
use super::link::Awaiting;
use super::status::NodeStatus;
use super::timing;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tanist_types::{Epoch, Mono};

/// Why there is a failover.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A quorum holds the primary for down.
    Crash,
    /// An operator asked for it: the primary hands over what it has.
    Planned,
    /// An operator asked for it and does not want to wait for the primary.
    Forced,
    /// An operator asked for it, and gives up what only nodes may have had that are gone or have restarted.
    AcceptLoss,
    /// A member is bound to a higher epoch than its primary's: a new epoch brings them together.
    Repair,
}

impl Kind {
    /// Whether an operator ordered it.
    pub(crate) fn is_ordered(self) -> bool {
        matches!(self, Kind::Planned | Kind::Forced | Kind::AcceptLoss)
    }
}

/// An election under way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Electing {
    /// Our own vote counts once this version of our configuration is durable.
    pub(crate) after: PersistId,
    pub(crate) durable: bool,
    pub(crate) until: Mono,
    /// The epoch is one that no other sentinel takes: an operator's word is enough in it.
    pub(crate) alone: bool,
}

/// The state of the coordinated pause of a primary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pause {
    /// Asked for.
    Asked,
    /// Since then the primary takes no writes; this much is to be reached by the target, once known.
    Holding { since: Mono, goal: Option<u64> },
}

/// What a failover waits for.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Phase {
    /// Votes.
    Electing(Electing),
    /// Tanist, a planned switchover: the disks having what the fence and the promotion will ask for. Some nodes have
    /// not answered yet, so many have.
    Preparing { open: BTreeSet<NodeIx>, ready: usize },
    /// A planned switchover: the target having all that the primary produced.
    Pausing(Pause),
    /// Tanist: what the nodes have, asked without changing anything.
    Polling,
    /// Tanist: promises and final positions. Nothing stands for "asked, no answer yet".
    Fencing { answers: BTreeMap<NodeIx, Option<NodeStatus>> },
    /// Classic: fresh INFO of the replicas.
    Selecting,
    /// The chosen node taking over.
    Promoting,
}

/// A failover.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Failover {
    pub(crate) epoch: Epoch,
    pub(crate) kind: Kind,
    pub(crate) phase: Phase,
    /// When the phase began.
    pub(crate) since: Mono,
    /// The phase ends then at the latest.
    until: Mono,
    /// The phase is looked at again then.
    look_at: Option<Mono>,
    /// The one node that may take over in this epoch.
    pub(crate) target: Option<NodeIx>,
    /// Nodes that were asked what they have and did not say: they are not waited for again.
    silent: Vec<NodeIx>,
    /// The nodes were asked to prepare themselves.
    prepared: bool,
    /// The primary was asked to hold its writes.
    paused: bool,
}

impl Failover {
    /// A failover that begins with `phase`.
    pub(crate) fn new(epoch: Epoch, kind: Kind, phase: Phase, now: Mono) -> Failover {
        let until = match &phase {
            Phase::Electing(e) => e.until,
            _ => now,
        };
        Failover {
            epoch,
            kind,
            phase,
            since: now,
            until,
            look_at: None,
            target: None,
            silent: Vec::new(),
            prepared: false,
            paused: false,
        }
    }

    /// The epoch for which votes are asked.
    pub(crate) fn asks_votes(&self) -> Option<Epoch> {
        match &self.phase {
            Phase::Electing(_) => Some(self.epoch),
            _ => None,
        }
    }

    /// When to look at it again.
    pub(crate) fn deadline(&self) -> Option<Mono> {
        Some(self.look_at.map_or(self.until, |at| at.min(self.until)))
    }

    fn enter(&mut self, phase: Phase, now: Mono, limit: Duration, look_every: Option<Duration>) {
        self.phase = phase;
        self.since = now;
        self.until = now + limit;
        self.look_at = look_every.map(|d| now + d);
    }

    /// The word of Redis Sentinel for the phase.
    pub(crate) fn word(&self) -> &'static str {
        match &self.phase {
            Phase::Electing(_) | Phase::Pausing(_) => "wait_start",
            Phase::Polling | Phase::Preparing { .. } | Phase::Fencing { .. } | Phase::Selecting => {
                "select_slave"
            }
            Phase::Promoting => "wait_promotion",
        }
    }
}

impl Sentinel {
    /// We lead: begin.
    pub(crate) fn begin_failover(&mut self, g: &mut Group) {
        let Some(kind) = g.failover.as_ref().map(|f| f.kind) else { return };
        if kind == Kind::Crash && !g.primary().detector.down() {
            return self.give_up_failover(g, "-failover-abort-primary-is-back");
        }
        self.event(g, Level::Warning, "+failover-state-select-slave", Who::Group, "");
        match kind {
            _ if g.is_tanist() => self.begin_poll(g),
            Kind::Planned => {
                let target = self.planned_target(g);
                self.begin_pause(g, target);
            }
            _ => self.begin_selection(g),
        }
    }

    /// Something was learnt of a node: the failover, or the repointing after it, may go on.
    pub(crate) fn failover_observed(&mut self, g: &mut Group, ix: NodeIx) {
        match g.failover.as_ref().map(|f| &f.phase) {
            Some(Phase::Pausing(_)) => self.look_at_pause(g),
            Some(Phase::Polling) => self.look_at_poll(g),
            Some(Phase::Selecting) => self.look_at_selection(g),
            Some(Phase::Promoting) => self.look_at_promotion(g, ix),
            _ => {}
        }
        if g.repoint.is_some() {
            self.repoint_step(g);
        }
    }

    /// A deadline of the failover passed.
    pub(crate) fn failover_due(&mut self, g: &mut Group) {
        let now = self.now.mono;
        let Some(f) = &mut g.failover else { return };
        f.look_at = f.look_at.map(|_| now + timing::POLL);
        let over = now >= f.until;
        match &f.phase {
            Phase::Electing(_) if over => self.election_timed_out(g),
            Phase::Electing(_) => {}
            Phase::Pausing(_) if over => self.pause_timed_out(g),
            Phase::Pausing(_) => self.poll_pause(g),
            Phase::Polling => self.poll_again(g, over),
            Phase::Preparing { .. } if over => self.prepare_timed_out(g),
            Phase::Preparing { .. } => self.ask_to_prepare(g),
            Phase::Fencing { .. } => self.look_at_fence(g, over),
            Phase::Selecting => self.select_again(g, over),
            Phase::Promoting if over => self.promotion_timed_out(g),
            Phase::Promoting => self.poll_promotion(g),
        }
    }

    /// A link to a node was lost while something was asked of it.
    pub(crate) fn failover_link_lost(&mut self, g: &mut Group, ix: NodeIx, unanswered: &[Awaiting]) {
        let Some(f) = &mut g.failover else { return };
        let epoch = f.epoch;
        if let Phase::Fencing { answers } = &mut f.phase
            && answers.get(&ix) == Some(&None)
        {
            answers.remove(&ix);
            return self.look_at_fence(g, false);
        }
        if unanswered.contains(&Awaiting::Prepare(epoch)) {
            return self.not_prepared(g, ix);
        }
        let promised = unanswered.contains(&Awaiting::Promote(epoch));
        if promised && f.phase == Phase::Promoting {
            // Whether it took over is unknown: only a new epoch can tell.
            self.fail(g, "-failover-abort-slave-timeout", false);
        }
    }

    /// A node is down: what waited for it goes on without, or is over.
    pub(crate) fn failover_node_down(&mut self, g: &mut Group, ix: NodeIx) {
        let Some(f) = &g.failover else { return };
        let (is_primary, is_target) = (ix == g.primary, f.target == Some(ix));
        match &f.phase {
            Phase::Polling => self.look_at_poll(g),
            // Without the primary it is no switchover any more, without the target there is none.
            Phase::Preparing { .. } | Phase::Pausing(_) if is_primary || is_target => {
                self.fail(g, "-failover-abort-slave-timeout", false);
            }
            Phase::Fencing { .. } if is_primary && f.kind == Kind::Planned => {
                self.fail(g, "-failover-abort-slave-timeout", false);
            }
            Phase::Preparing { .. } => self.not_prepared(g, ix),
            Phase::Fencing { .. } => self.look_at_fence(g, false),
            _ => {}
        }
    }

    /// Ends a failover without result; writes flow again.
    pub(crate) fn give_up_failover(&mut self, g: &mut Group, event: &str) {
        let Some(f) = g.failover.take() else { return };
        if f.prepared {
            self.undo_preparation(g);
        } else if f.paused {
            self.end_pause(g);
        }
        self.event(g, Level::Warning, event, Who::Group, "");
    }

    /// Ends a failover without result and plans the next attempt if the reason for it persists.
    fn fail(&mut self, g: &mut Group, event: &str, nobody: bool) {
        let kind = g.failover.as_ref().map(|f| f.kind);
        self.give_up_failover(g, event);
        let persists = g.is_odown() || kind == Some(Kind::Repair) || g.unfinished;
        if !persists {
            return;
        }
        if nobody {
            g.fruitless = g.fruitless.saturating_add(1);
            let wait = g.back_off();
            self.retry_election(g, wait, wait * 2);
            self.wake_for_the_last_resort(g);
        } else {
            self.retry_election(g, timing::RANK_STEP / 2, timing::RANK_STEP * 2);
        }
    }

    /// The moment from which some data are better than none is not slept through.
    fn wake_for_the_last_resort(&mut self, g: &mut Group) {
        let Some(at) = g.odown_since.map(|since| since + timing::LAST_RESORT) else { return };
        if at > self.now.mono && at < g.election_not_before {
            let wait = at.since(self.now.mono);
            self.retry_election(g, wait, wait + timing::RANK_STEP * 2);
        }
    }

    /// Whether the primary's process is known to be gone, so that what it sent to its replicas has an end.
    fn primary_is_gone(g: &Group) -> bool {
        g.primary().detector.evidence() == Some(Evidence::Refused)
    }
}
