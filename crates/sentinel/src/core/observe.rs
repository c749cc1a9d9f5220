//! What the data nodes say: signs of life, INFO, status, pushed changes; and the verdicts drawn from it.

use super::Sentinel;
use super::detector::Evidence;
use super::events::Who;
use super::failover::epoch_of_primary;
use super::foreign::note_place;
use super::group::{DataNode, Group, NodeIx, Report};
use super::hello::CHANNEL;
use super::info::{NodeInfo, Role};
use super::io::Level;
use super::link::Awaiting;
use super::status::{self, NodeRole, NodeStatus, PushKind, STATE_CHANNEL};
use super::timing;
use tanist_resp::Value;
use tanist_types::{ConfigEpoch, Epoch, Mono};

impl Sentinel {
    /// Asks a node for a sign of life.
    pub(crate) fn ping_node(&mut self, g: &mut Group, ix: NodeIx) {
        let now = self.now.mono;
        let ping = g.settings.command("PING").to_owned();
        let every = g.ping_every(Some(ix), self.timing.ping_period);
        if let Some(n) = g.nodes.get_mut(&ix)
            && self.send(&mut n.cmd, &[ping.as_bytes()], Awaiting::Ping)
        {
            n.detector.pinged(now, every);
        }
    }

    /// Asks a node for its INFO.
    pub(crate) fn ask_info(&mut self, g: &mut Group, ix: NodeIx) {
        let now = self.now.mono;
        let info = g.settings.command("INFO").to_owned();
        if let Some(n) = g.nodes.get_mut(&ix)
            && !n.cmd.awaits(Awaiting::Info)
            && self.send(&mut n.cmd, &[info.as_bytes()], Awaiting::Info)
        {
            n.info_asked = now;
            n.info_wanted = false;
        }
    }

    /// When a node's INFO is due.
    pub(crate) fn info_due(&self, g: &Group, n: &DataNode) -> Mono {
        use super::group::Reconf;
        if n.info_wanted {
            return Mono::ZERO;
        }
        let every = match n.reconf {
            Reconf::Sent(_) | Reconf::InProgress => timing::INFO_REPOINT,
            _ if self.is_misplaced(g, n) || is_idle(n) => timing::INFO_MISPLACED,
            _ if g.is_busy() => timing::INFO_BUSY.min(self.timing.info_period),
            _ => self.timing.info_period,
        };
        n.info_asked + every
    }

    /// Asks a Tanist node for its status.
    pub(crate) fn ask_status(&mut self, g: &mut Group, ix: NodeIx) {
        let now = self.now.mono;
        if let Some(n) = g.nodes.get_mut(&ix)
            && !n.cmd.awaits(Awaiting::Status)
            && self.send(&mut n.cmd, &[b"TANIST", b"STATUS"], Awaiting::Status)
        {
            n.status_asked = now;
        }
    }

    /// When a Tanist node's status is due.
    pub(crate) fn status_due(&self, g: &Group, n: &DataNode) -> Mono {
        let every = if g.is_busy() { timing::INFO_BUSY } else { self.timing.info_period };
        n.status_asked + every
    }

    /// A node answered.
    pub(crate) fn node_replied(&mut self, g: &mut Group, ix: NodeIx, what: Awaiting, value: &Value) {
        match what {
            Awaiting::Ignored | Awaiting::Published | Awaiting::Opinion => {}
            Awaiting::Auth => self.refused_by(g, ix, value),
            Awaiting::Ping => self.pong(g, ix, value),
            Awaiting::Info => self.info_arrived(g, ix, value),
            Awaiting::Status => self.status_arrived(g, ix, value),
            Awaiting::Fence(epoch) => self.fence_answered(g, ix, epoch, value),
            Awaiting::Prepare(epoch) => self.prepare_answered(g, ix, epoch, value),
            Awaiting::Promote(epoch) => self.promote_answered(g, ix, epoch, value),
            Awaiting::ClassicPromote(epoch) => self.classic_promote_answered(g, ix, epoch, value),
            Awaiting::Pause(epoch) => self.pause_answered(g, ix, epoch, value),
            Awaiting::Follow => self.follow_answered(g, ix, value),
        }
    }

    /// A node does not let us in, or does not know a command that we need: said once.
    fn refused_by(&mut self, g: &mut Group, ix: NodeIx, value: &Value) {
        let Some(error) = value.as_error() else { return };
        let error = String::from_utf8_lossy(error).into_owned();
        let Some(n) = g.nodes.get_mut(&ix) else { return };
        if !std::mem::replace(&mut n.complained, true) {
            let line = format!("{} refuses us: {error}", self.describe(g, Who::Node(ix)));
            self.log(Level::Warning, line);
        }
    }

    fn pong(&mut self, g: &mut Group, ix: NodeIx, value: &Value) {
        let now = self.now.mono;
        let good = is_sign_of_life(value);
        let Some(n) = g.nodes.get_mut(&ix) else { return };
        n.detector.answered(now, good);
        if good {
            n.script_kill_sent = false;
        }
        if value.as_str() == Some("PONG") {
            n.detector.set_loading_until(None);
        }
        let busy = value.as_error().is_some_and(|e| e.starts_with(b"BUSY"));
        if busy && n.detector.down() && ix != g.primary && !std::mem::replace(&mut n.script_kill_sent, true) {
            self.send(&mut n.cmd, &[b"SCRIPT", b"KILL"], Awaiting::Ignored);
        }
        self.judge_node(g, ix);
    }

    /// The host refuses connections to a port that had answered us: the process is gone.
    pub(crate) fn refused(&mut self, g: &mut Group, ix: NodeIx) {
        if !g.settings.fast_crash {
            return;
        }
        if let Some(n) = g.nodes.get_mut(&ix) {
            n.detector.set_evidence(Some(Evidence::Refused));
        }
        self.judge_node(g, ix);
    }

    /// Draws the verdict on one node.
    pub(crate) fn judge_node(&mut self, g: &mut Group, ix: NodeIx) {
        let now = self.now.mono;
        let down_after = g.settings.down_after;
        let is_primary = ix == g.primary;
        let patience = down_after + self.timing.info_period * 2;
        let Some(n) = g.nodes.get_mut(&ix) else { return };
        let deposed = is_primary && n.info.role == Some(Role::Replica) && now.since(n.role_since) > patience;
        let down = deposed || n.detector.is_down(now, down_after);
        if n.detector.set_down(down, now) {
            let name = if down { "+sdown" } else { "-sdown" };
            self.event(g, Level::Warning, name, Who::Node(ix), "");
            if down {
                self.failover_node_down(g, ix);
            }
            if is_primary && down {
                self.say_if_too_few(g);
                self.ask_peers(g);
            } else if !down {
                self.heard_news(g);
            }
        }
        if is_primary {
            self.judge_group(g);
        }
    }

    fn info_arrived(&mut self, g: &mut Group, ix: NodeIx, value: &Value) {
        let Some(text) = value.as_str() else { return };
        let now = self.now.mono;
        let info = NodeInfo::parse(text);
        let is_primary = ix == g.primary;
        let Some(n) = g.nodes.get_mut(&ix) else { return };
        n.info_text = text.to_owned();
        n.info_at = Some(now);
        let before = std::mem::replace(&mut n.info, info);
        let configured = if is_primary { Role::Primary } else { Role::Replica };
        let (old_role, new_role) = (before.role.unwrap_or(configured), n.info.role.unwrap_or(configured));
        let rebooted = matches!((n.run_id, n.info.run_id), (Some(old), Some(new)) if old != new);
        n.run_id = n.info.run_id.or(n.run_id);
        if old_role != new_role {
            n.role_since = now;
            n.changed_at = now;
            n.raised = new_role == Role::Primary && !rebooted && !n.detector.down();
        }
        let moved = match (&before.primary, &n.info.primary) {
            (Some(a), Some(b)) => !a.same(b),
            (None, None) => false,
            _ => true,
        };
        if moved {
            n.changed_at = now;
        }
        let tanist = n.is_tanist();
        let listen = tanist && !std::mem::replace(&mut n.listens_to_state, tanist);
        if listen {
            self.listen(g, ix, STATE_CHANNEL);
            self.ask_status(g, ix);
        }
        if let Some(n) = g.nodes.get_mut(&ix)
            && n.detector.evidence() == Some(Evidence::Refused)
        {
            n.detector.set_evidence(None);
        }
        if rebooted {
            self.event(g, Level::Notice, "+reboot", Who::Node(ix), "");
            self.reboot_noticed(g, ix);
        }
        if old_role != new_role {
            let name = if new_role == configured { "+role-change" } else { "-role-change" };
            let more = format!("new reported role is {}", new_role.word());
            self.event(g, Level::Verbose, name, Who::Node(ix), &more);
        }
        if new_role == Role::Primary && is_primary {
            self.discover_replicas(g);
        }
        note_place(g, ix);
        self.judge_idleness(g, ix);
        self.judge_node(g, ix);
        self.failover_observed(g, ix);
        self.maintain(g, ix);
    }

    /// A primary is another process than before: what the old one had in memory is gone, so a replica is better.
    fn reboot_noticed(&mut self, g: &mut Group, ix: NodeIx) {
        let until = self.now.mono + timing::REBOOT_MEMORY;
        let has_replicas = g.replicas().any(DataNode::is_reachable);
        if let Some(n) = g.nodes.get_mut(&ix) {
            n.report = None;
        }
        let patience = g.settings.reboot_down_after;
        if ix == g.primary && !patience.is_zero() {
            let until = self.now.mono + patience;
            g.primary_mut().detector.set_loading_until(Some(until));
        }
        if ix == g.primary && has_replicas && g.settings.fast_crash {
            g.primary_mut().detector.set_evidence(Some(Evidence::Rebooted { until }));
        }
        if g.nodes.get(&ix).is_some_and(DataNode::is_tanist) {
            self.ask_status(g, ix);
        }
    }

    /// A Tanist primary that says that it is nobody's primary never takes the role up again by itself.
    fn judge_idleness(&mut self, g: &mut Group, ix: NodeIx) {
        if ix != g.primary {
            return;
        }
        // In the middle of a failover, ours or that of whoever has our vote, the old primary is meant to be idle.
        let now = self.now.mono;
        g.idle_since = if is_idle(g.primary()) { g.idle_since.or(Some(now)) } else { None };
        let lately = |at: Option<Mono>, time| at.is_some_and(|at| now.since(at) < time);
        // A switchover may take its time for disks between the votes and that.
        let theirs = lately(g.idle_since, timing::OTHERS_TURN) && lately(g.vote_asked_at, timing::PREPARED);
        let expected = g.failover.is_some() || theirs;
        let n = g.primary_mut();
        let leads = n.info.role == Some(Role::Primary);
        match (is_idle(n), n.detector.evidence()) {
            (true, _) if expected => {}
            (true, _) => n.detector.set_evidence(Some(Evidence::Idle)),
            // If it follows somebody meanwhile, that is because we have not heard of the switch yet.
            (false, Some(Evidence::Idle)) if leads => n.detector.set_evidence(None),
            _ => {}
        }
    }

    fn discover_replicas(&mut self, g: &mut Group) {
        for addr in g.primary().info.replicas.clone() {
            if g.node_at(&addr).is_some() || (addr.is_name() && !self.globals.resolve_hostnames) {
                continue;
            }
            self.add_replica(g, addr);
        }
    }

    /// Takes a replica in that was not known.
    pub(crate) fn add_replica(&mut self, g: &mut Group, addr: super::addr::Addr) -> Option<NodeIx> {
        let ix = g.add_node(addr, self.now.mono)?;
        self.event(g, Level::Notice, "+slave", Who::Node(ix), "");
        self.disk.mark();
        self.heard_news(g);
        Some(ix)
    }

    fn status_arrived(&mut self, g: &mut Group, ix: NodeIx, value: &Value) {
        let at = self.now.mono;
        let Some(status) = NodeStatus::parse(value) else { return };
        let role = status.role;
        let Some(n) = g.nodes.get_mut(&ix) else { return };
        let votes_now = status.voting && n.report.as_ref().is_some_and(|r| !r.status.voting);
        let stale_info = n.run_id.is_some_and(|r| r != status.run_id)
            || (n.info.tanist_role.is_some() && n.info.tanist_role.as_deref() != Some(word(role)));
        n.report = Some(Report { status, at });
        if stale_info {
            self.ask_info(g, ix);
        }
        if votes_now {
            self.heard_news(g);
        }
        note_place(g, ix);
        if ix == g.primary {
            self.note_epoch_of_primary(g);
        }
        self.failover_observed(g, ix);
        self.maintain(g, ix);
    }

    /// The primary leads in a later epoch than that of the switch that we know of: somebody else's failover made it
    /// primary once more, or an operator did. From now on that is the number of our configuration, lest a switch of an
    /// epoch in between be believed.
    fn note_epoch_of_primary(&mut self, g: &mut Group) {
        let epoch = epoch_of_primary(g);
        let known = Epoch(g.config_epoch.0);
        if g.failover.is_some() || epoch <= known || !known.may_jump_to(epoch) {
            return;
        }
        g.config_epoch = ConfigEpoch(epoch.0);
        self.disk.mark_switch(g);
        if epoch > self.epoch {
            self.epoch = epoch;
            self.disk.mark_critical();
            self.event_text(Some(g), Level::Warning, "+new-epoch", &epoch.to_string());
        }
        g.hello_at = self.now.mono;
    }

    /// Something arrived on the channel link of a node.
    pub(crate) fn channel_message(&mut self, g: &mut Group, ix: NodeIx, value: &Value) {
        let now = self.now.mono;
        let Some(n) = g.nodes.get_mut(&ix) else { return };
        n.sub_heard = now;
        if value.as_error().is_some() {
            return self.refused_by(g, ix, value);
        }
        let Some([kind, channel, payload]) = value.as_items() else { return };
        // From now on it tells what changes. What has changed since it was last asked nobody has told.
        if kind.as_str() == Some("subscribe") && channel.as_str() == Some(STATE_CHANNEL) {
            return self.ask_anew(g, ix);
        }
        if kind.as_str() != Some("message") {
            return;
        }
        let Some(payload) = payload.as_bytes() else { return };
        match channel.as_str() {
            Some(CHANNEL) => self.hello_heard(g, payload),
            Some(STATE_CHANNEL) => {
                if let Some(kind) = status::parse_push(payload) {
                    self.state_pushed(g, ix, kind);
                }
            }
            _ => {}
        }
    }

    fn state_pushed(&mut self, g: &mut Group, ix: NodeIx, kind: PushKind) {
        self.ask_anew(g, ix);
        if kind == PushKind::CaughtUp {
            self.caught_up(g, ix);
        }
    }

    /// Something has changed: asks what, and once more if a question is under way that may be older than the change.
    fn ask_anew(&mut self, g: &mut Group, ix: NodeIx) {
        self.ask_status(g, ix);
        match g.nodes.get_mut(&ix) {
            Some(n) if n.cmd.awaits(Awaiting::Info) => n.info_wanted = true,
            _ => self.ask_info(g, ix),
        }
    }
}

/// Whether a Tanist node waits to be told what it is.
fn is_idle(n: &DataNode) -> bool {
    n.info.tanist_role.as_deref() == Some("idle")
}

fn word(role: NodeRole) -> &'static str {
    match role {
        NodeRole::Primary => "primary",
        NodeRole::Replica => "replica",
        NodeRole::Idle => "idle",
        NodeRole::Loading => "loading",
    }
}

/// A node that is loading, or a replica without its primary, works; one that refuses us or is stuck does not.
pub(crate) fn is_sign_of_life(value: &Value) -> bool {
    match value {
        Value::Error(e) => e.starts_with(b"LOADING") || e.starts_with(b"MASTERDOWN"),
        other => other.as_str() == Some("PONG"),
    }
}
