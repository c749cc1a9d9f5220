//! Redis and Valkey nodes: choosing a replica by its INFO, and the transaction that changes whom a node follows.
//!
//! The offsets are read after the primary is held for down, and if its process is gone, after each replica has noticed
//! it: only then has a replica taken in all that had been sent to it.

use super::super::Sentinel;
use super::super::addr::Addr;
use super::super::events::Who;
use super::super::group::{DataNode, Group, NodeIx};
use super::super::info::Role;
use super::super::io::Level;
use super::super::link::Awaiting;
use super::super::timing;
use super::{Kind, Phase};
use std::cmp::Reverse;
use std::time::Duration;
use tanist_types::Mono;

impl Sentinel {
    /// Asks the replicas for fresh INFO.
    pub(super) fn begin_selection(&mut self, g: &mut Group) {
        let now = self.now.mono;
        if let Some(f) = &mut g.failover {
            f.enter(Phase::Selecting, now, timing::ANSWERS, Some(timing::POLL));
        }
        self.ask_replicas(g);
    }

    fn ask_replicas(&mut self, g: &mut Group) {
        let replicas: Vec<NodeIx> = g.replicas().map(|n| n.ix).collect();
        for ix in replicas {
            self.ask_info(g, ix);
        }
    }

    pub(super) fn look_at_selection(&mut self, g: &mut Group) {
        self.selection_is_settled(g, false);
    }

    pub(super) fn select_again(&mut self, g: &mut Group, over: bool) {
        if !self.selection_is_settled(g, over) {
            self.ask_replicas(g);
        }
    }

    fn selection_is_settled(&mut self, g: &mut Group, over: bool) -> bool {
        let now = self.now.mono;
        let Some(f) = &g.failover else { return true };
        let since = f.since;
        let all = g.replicas().filter(|n| n.is_reachable()).all(|n| is_fresh(n, since));
        let draining = Self::primary_is_gone(g) && g.replicas().any(|n| n.is_reachable() && n.info.link_up);
        if !over && !(all && (!draining || now.since(since) >= timing::DRAIN)) {
            return false;
        }
        match choose(g, since, now) {
            Some(target) => {
                if let Some(f) = &mut g.failover {
                    f.target = Some(target);
                }
                self.event(g, Level::Warning, "+selected-slave", Who::Node(target), "");
                self.promote_target(g);
            }
            None => self.fail(g, "-failover-abort-no-good-slave", true),
        }
        true
    }

    /// The transaction that makes a node follow `primary`, or nobody, writes its configuration, and closes its
    /// clients' connections so that they look for the primary anew. `what` tells what the EXEC's answer is for.
    pub(crate) fn send_transaction(
        &mut self,
        g: &mut Group,
        ix: NodeIx,
        primary: Option<&Addr>,
        what: Awaiting,
    ) -> bool {
        let name = |c: &str| g.settings.command(c).to_owned();
        let (multi, exec, slaveof) = (name("MULTI"), name("EXEC"), name("SLAVEOF"));
        let (config, client) = (name("CONFIG"), name("CLIENT"));
        let (host, port) = match primary {
            Some(addr) => (addr.shown(self.globals.announce_hostnames), addr.port().to_string()),
            None => ("NO".to_owned(), "ONE".to_owned()),
        };
        let Some(n) = g.nodes.get_mut(&ix) else { return false };
        let queued: [&[&[u8]]; 5] = [
            &[multi.as_bytes()],
            &[slaveof.as_bytes(), host.as_bytes(), port.as_bytes()],
            &[config.as_bytes(), b"REWRITE"],
            &[client.as_bytes(), b"KILL", b"TYPE", b"normal"],
            &[client.as_bytes(), b"KILL", b"TYPE", b"pubsub"],
        ];
        for args in queued {
            if !self.send(&mut n.cmd, args, Awaiting::Ignored) {
                return false;
            }
        }
        self.send(&mut n.cmd, &[exec.as_bytes()], what)
    }
}

/// Whether INFO was asked for and arrived after `since`.
fn is_fresh(n: &DataNode, since: Mono) -> bool {
    n.info_asked >= since && n.info_at.is_some_and(|at| at >= n.info_asked)
}

/// Redis' choice: a replica that answers, was not without its primary for too long, and is not excluded by priority
/// zero; by priority, then the most data, then the smallest identity.
fn choose(g: &Group, since: Mono, now: Mono) -> Option<NodeIx> {
    let down_for = g.primary().detector.down_since().map_or(Duration::ZERO, |at| now.since(at));
    let limit = g.settings.down_after * 10 + down_for + Duration::from_secs(1);
    let forced = g.failover.as_ref().is_some_and(|f| matches!(f.kind, Kind::Forced | Kind::AcceptLoss));
    g.replicas()
        .filter(|n| n.is_reachable() && is_fresh(n, since))
        .filter(|n| n.info.role == Some(Role::Replica) && n.info.priority != 0)
        .filter(|n| forced || n.info.link_down_secs < 0 || n.info.link_down_secs as u64 <= limit.as_secs())
        .min_by_key(|n| (n.info.priority, Reverse(n.info.offset()), n.run_id))
        .map(|n| n.ix)
}
