//! A planned switchover: the primary holds its writes, the target takes in the rest, then the roles change. Nothing
//! that was acknowledged is lost, and if the target does not get there in time, the primary simply goes on.

use super::super::Sentinel;
use super::super::events::Who;
use super::super::group::{Group, NodeIx};
use super::super::info::Role;
use super::super::io::Level;
use super::super::link::Awaiting;
use super::super::timing;
use super::{Pause, Phase};
use tanist_resp::Value;
use tanist_types::Epoch;

impl Sentinel {
    /// The replica that a planned switchover goes to: reachable and linked, by priority, then the most advanced.
    pub(crate) fn planned_target(&self, g: &Group) -> Option<NodeIx> {
        g.replicas()
            .filter(|n| n.is_reachable() && n.info.role == Some(Role::Replica) && n.info.priority != 0)
            .filter(|n| n.info.link_up)
            .min_by_key(|n| (n.info.priority, std::cmp::Reverse(n.info.offset()), n.run_id))
            .map(|n| n.ix)
    }

    /// Asks the primary to hold its writes for the target.
    pub(super) fn begin_pause(&mut self, g: &mut Group, target: Option<NodeIx>) {
        let Some(target) = self.name_target(g, target) else { return };
        self.hold_writes(g, target);
    }

    /// Says who is to take over; without anybody the switchover is over.
    pub(super) fn name_target(&mut self, g: &mut Group, target: Option<NodeIx>) -> Option<NodeIx> {
        if target.is_none() {
            self.fail(g, "-failover-abort-no-good-slave", true);
        }
        let target = target?;
        self.event(g, Level::Warning, "+selected-slave", Who::Node(target), "");
        g.failover.as_mut()?.target = Some(target);
        Some(target)
    }

    pub(super) fn hold_writes(&mut self, g: &mut Group, target: NodeIx) {
        let now = self.now.mono;
        let Some(f) = &mut g.failover else { return };
        f.paused = true;
        f.enter(Phase::Pausing(Pause::Asked), now, timing::PAUSE, Some(timing::POLL));
        let epoch = f.epoch;
        let ms = timing::PAUSE.as_millis().to_string();
        let tanist = g.is_tanist();
        let addr = &g.nodes[&target].addr;
        let (host, port, name) = (addr.shown(false), addr.port().to_string(), g.name.clone());
        let client = g.settings.command("CLIENT").to_owned();
        let link = &mut g.primary_mut().cmd;
        let sent = if tanist {
            let args: [&[u8]; 6] =
                [b"TANIST", b"PAUSE", name.as_bytes(), ms.as_bytes(), host.as_bytes(), port.as_bytes()];
            self.send(link, &args, Awaiting::Pause(epoch))
        } else {
            let args: [&[u8]; 4] = [client.as_bytes(), b"PAUSE", ms.as_bytes(), b"WRITE"];
            self.send(link, &args, Awaiting::Pause(epoch))
        };
        if !sent {
            self.fail(g, "-failover-abort-slave-timeout", false);
        }
    }

    /// The primary answered the request to hold its writes.
    pub(crate) fn pause_answered(&mut self, g: &mut Group, ix: NodeIx, epoch: Epoch, value: &Value) {
        let now = self.now.mono;
        let tanist = g.is_tanist();
        let Some(f) = &mut g.failover else { return };
        if f.epoch != epoch || f.phase != Phase::Pausing(Pause::Asked) || ix != g.primary {
            return;
        }
        if let Some(error) = value.as_error() {
            let error = String::from_utf8_lossy(error).into_owned();
            f.paused = false;
            if tanist {
                self.log(Level::Warning, format!("The primary does not hold its writes: {error}"));
                return self.fail(g, "-failover-abort-not-paused", false);
            }
            let line = format!(
                "The primary does not let us pause it ({error}): writes of the last moment may be lost. \
                 Grant +client|pause to avoid this"
            );
            self.log(Level::Warning, line);
            return self.promote_target(g);
        }
        f.phase = Phase::Pausing(Pause::Holding { since: now, goal: None });
        self.poll_pause(g);
    }

    /// Asks both sides how far they are.
    pub(super) fn poll_pause(&mut self, g: &mut Group) {
        let (tanist, primary) = (g.is_tanist(), g.primary);
        let Some(f) = &g.failover else { return };
        let Some(target) = f.target else { return };
        if f.phase == Phase::Pausing(Pause::Asked) {
            return;
        }
        for ix in [primary, target] {
            if tanist { self.ask_status(g, ix) } else { self.ask_info(g, ix) }
        }
    }

    /// The primary says that the target has everything.
    pub(crate) fn caught_up(&mut self, g: &mut Group, ix: NodeIx) {
        let holding =
            matches!(g.failover.as_ref().map(|f| &f.phase), Some(Phase::Pausing(Pause::Holding { .. })));
        if holding && ix == g.primary {
            self.seal(g);
        }
    }

    /// Goes on once the target reached what the primary had when it began to hold its writes.
    pub(super) fn look_at_pause(&mut self, g: &mut Group) {
        let tanist = g.is_tanist();
        let Some(f) = &g.failover else { return };
        let (Phase::Pausing(Pause::Holding { since, goal }), Some(target)) = (&f.phase, f.target) else {
            return;
        };
        let (since, goal) = (*since, *goal);
        // Only what was asked after the pause was in force counts.
        let offset = |ix: NodeIx| {
            let n = g.nodes.get(&ix)?;
            if tanist {
                return n.report_since(since).filter(|_| n.status_asked >= since).map(|s| s.key.offset.0);
            }
            let fresh = n.info_asked >= since && n.info_at.is_some_and(|at| at >= n.info_asked);
            fresh.then(|| n.info.offset())
        };
        let goal = goal.or_else(|| offset(g.primary));
        let reached = matches!((goal, offset(target)), (Some(goal), Some(have)) if have >= goal);
        if let Some(f) = &mut g.failover {
            f.phase = Phase::Pausing(Pause::Holding { since, goal });
        }
        if reached {
            self.seal(g);
        }
    }

    /// The target has everything: make it final.
    fn seal(&mut self, g: &mut Group) {
        if g.is_tanist() { self.begin_fence(g) } else { self.promote_target(g) }
    }

    pub(super) fn pause_timed_out(&mut self, g: &mut Group) {
        self.log(Level::Warning, "The replica did not catch up in time: the primary goes on");
        self.fail(g, "-failover-abort-slave-timeout", false);
    }

    /// Lets the primary take writes again.
    pub(super) fn end_pause(&mut self, g: &mut Group) {
        let tanist = g.is_tanist();
        let (name, client) = (g.name.clone(), g.settings.command("CLIENT").to_owned());
        let link = &mut g.primary_mut().cmd;
        if tanist {
            self.send(link, &[b"TANIST", b"RESUME", name.as_bytes()], Awaiting::Ignored);
        } else {
            self.send(link, &[client.as_bytes(), b"UNPAUSE"], Awaiting::Ignored);
        }
    }
}
