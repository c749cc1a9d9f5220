//! Making the chosen node the primary. It is told once; if its answer does not come, nobody else is told in this epoch.

use super::super::Sentinel;
use super::super::events::Who;
use super::super::group::{Group, NodeIx};
use super::super::info::Role;
use super::super::io::{Level, Output};
use super::super::link::Awaiting;
use super::super::timing;
use super::Phase;
use super::fence::fenced_by;
use tanist_resp::Value;
use tanist_types::{ConfigEpoch, Epoch};

impl Sentinel {
    /// Tells the target to take over.
    pub(super) fn promote_target(&mut self, g: &mut Group) {
        let now = self.now.mono;
        let tanist = g.is_tanist();
        let Some(f) = &mut g.failover else { return };
        let (Some(target), epoch) = (f.target, f.epoch) else { return };
        let answer = match &f.phase {
            Phase::Fencing { answers } => answers.get(&target).cloned().flatten(),
            _ => None,
        };
        let look = (!tanist).then_some(timing::POLL);
        f.enter(Phase::Promoting, now, timing::PROMOTION, look);
        self.event(g, Level::Notice, "+failover-state-send-slaveof-noone", Who::Node(target), "");
        let sent = match answer {
            Some(answer) => {
                let words = [
                    g.name.clone(),
                    epoch.to_string(),
                    self.me.to_string(),
                    answer.node_id.to_string(),
                    answer.run_id.to_string(),
                    answer.key.epoch.to_string(),
                    answer.key.offset.to_string(),
                ];
                let mut args: Vec<&[u8]> = vec![b"TANIST", b"PROMOTE"];
                args.extend(words.iter().map(String::as_bytes));
                if !answer.voting {
                    // Only chosen where some data are better than none.
                    args.push(b"FORCE");
                }
                let Some(n) = g.nodes.get_mut(&target) else { return };
                self.send(&mut n.cmd, &args, Awaiting::Promote(epoch))
            }
            None => self.send_transaction(g, target, None, Awaiting::ClassicPromote(epoch)),
        };
        if sent {
            self.event(g, Level::Notice, "+failover-state-wait-promotion", Who::Node(target), "");
        } else {
            self.fail(g, "-failover-abort-slave-timeout", false);
        }
    }

    /// A Tanist node answered the order to take over.
    pub(crate) fn promote_answered(&mut self, g: &mut Group, ix: NodeIx, epoch: Epoch, value: &Value) {
        if !self.is_promoting(g, ix, epoch) {
            return;
        }
        if value.is_ok() {
            return self.promoted(g, ix);
        }
        let error = String::from_utf8_lossy(value.as_error().unwrap_or_default()).into_owned();
        let line = format!("{} does not take over: {error}", self.describe(g, Who::Node(ix)));
        self.log(Level::Warning, line);
        if let Some(promised) = fenced_by(error.as_bytes()) {
            return self.nack(g, epoch, promised);
        }
        self.fail(g, "-failover-abort-slave-timeout", false);
    }

    /// A classic node answered the transaction that makes it primary.
    pub(crate) fn classic_promote_answered(
        &mut self,
        g: &mut Group,
        ix: NodeIx,
        epoch: Epoch,
        value: &Value,
    ) {
        if !self.is_promoting(g, ix, epoch) {
            return;
        }
        if value.as_items().and_then(<[Value]>::first).is_some_and(Value::is_ok) {
            return self.promoted(g, ix);
        }
        let line = format!("{} does not take over: {value:?}", self.describe(g, Who::Node(ix)));
        self.log(Level::Warning, line);
        self.fail(g, "-failover-abort-slave-timeout", false);
    }

    fn is_promoting(&self, g: &Group, ix: NodeIx, epoch: Epoch) -> bool {
        g.failover
            .as_ref()
            .is_some_and(|f| f.epoch == epoch && f.target == Some(ix) && f.phase == Phase::Promoting)
    }

    /// A classic target may show its new role before its answer arrives, for instance after a lost link.
    pub(super) fn look_at_promotion(&mut self, g: &mut Group, ix: NodeIx) {
        let Some(f) = &g.failover else { return };
        let (since, epoch) = (f.since, f.epoch);
        if !self.is_promoting(g, ix, epoch) || ix == g.primary {
            return;
        }
        let Some(n) = g.nodes.get(&ix) else { return };
        let fresh = n.info_asked >= since && n.info_at.is_some_and(|at| at >= n.info_asked);
        if !n.is_tanist() && fresh && n.info.role == Some(Role::Primary) {
            self.promoted(g, ix);
        }
    }

    pub(super) fn poll_promotion(&mut self, g: &mut Group) {
        if let Some(target) = g.failover.as_ref().and_then(|f| f.target) {
            self.ask_info(g, target);
        }
    }

    pub(super) fn promotion_timed_out(&mut self, g: &mut Group) {
        self.fail(g, "-failover-abort-slave-timeout", false);
    }

    /// The target leads: everybody hears of it.
    fn promoted(&mut self, g: &mut Group, ix: NodeIx) {
        let Some(f) = g.failover.take() else { return };
        self.event(g, Level::Warning, "+promoted-slave", Who::Node(ix), "");
        if self.crash_after_promotion {
            self.log(Level::Warning, "Simulated failure: crash after promotion");
            return self.out.push(Output::Exit { status: 99 });
        }
        self.event(g, Level::Warning, "+failover-state-reconf-slaves", Who::Group, "");
        g.config_epoch = ConfigEpoch(f.epoch.0);
        self.disk.mark_switch(g);
        let old = g.primary;
        if ix == old {
            self.same_primary_again(g);
        } else if let Some(addr) = g.nodes.get(&ix).map(|n| n.addr.clone()) {
            self.switch_to(g, &addr, true);
        }
        self.begin_repoint(g, old);
        self.ask_status(g, ix);
        if f.paused && ix != old && !g.nodes[&old].is_tanist() {
            // The old primary is a replica now: whoever still talks to it shall hear that at once.
            let client = g.settings.command("CLIENT").to_owned();
            if let Some(n) = g.nodes.get_mut(&old) {
                self.send(&mut n.cmd, &[client.as_bytes(), b"UNPAUSE"], Awaiting::Ignored);
            }
        }
    }
}
