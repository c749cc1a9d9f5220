//! The switch: the group has another primary from this moment on, for `SENTINEL MASTER`, for
//! `get-master-addr-by-name` and in `+switch-master` alike.

use super::super::Sentinel;
use super::super::addr::Addr;
use super::super::events::Who;
use super::super::group::{Group, NodeIx, Reconf};
use super::super::io::Level;

impl Sentinel {
    /// Makes the node at `addr` the primary, which may be one that was not known. `leading`: by our own failover.
    pub(crate) fn switch_to(&mut self, g: &mut Group, addr: &Addr, leading: bool) {
        let now = self.now.mono;
        let old = g.primary().addr.clone();
        let Some(ix) = g.node_at(addr).or_else(|| g.add_node(addr.clone(), now)) else { return };
        let names = self.globals.announce_hostnames;
        // As a replica it is announced to be down anew.
        g.primary_mut().detector.set_down(false, now);
        g.primary = ix;
        let text =
            format!("{} {} {} {} {}", g.name, old.shown(names), old.port(), addr.shown(names), addr.port());
        self.settle(g);
        self.disk.mark_switch(g);
        self.event_text(Some(g), Level::Warning, "+switch-master", &text);
        let role = if leading { "leader" } else { "observer" };
        self.run_reconfig_script(g, role, &old, addr);
        let replicas: Vec<NodeIx> = g.replicas().map(|n| n.ix).collect();
        for ix in &replicas {
            self.event(g, Level::Notice, "+slave", Who::Node(*ix), "");
        }
        for ix in replicas {
            self.judge_node(g, ix);
        }
        let primary = g.primary;
        self.judge_node(g, primary);
    }

    /// The old primary is the new one: nothing changes hands, but all claims against it are void.
    pub(super) fn same_primary_again(&mut self, g: &mut Group) {
        self.settle(g);
        let primary = g.primary;
        self.judge_node(g, primary);
    }

    /// Forgets what belonged to the time before: verdicts, opinions, claims, attempts.
    fn settle(&mut self, g: &mut Group) {
        let now = self.now.mono;
        g.odown_since = None;
        g.election_at = None;
        g.fruitless = 0;
        g.repoint = None;
        g.vote_asked_at = None;
        g.idle_since = None;
        g.unfinished = false;
        g.hello_at = now;
        for n in g.nodes.values_mut() {
            n.reconf = Reconf::None;
            n.changed_at = now;
            n.fixed_at = None;
            n.stranded_since = None;
            n.info_wanted = true;
            n.detector.void_claims();
        }
        let primary = g.primary_mut();
        primary.detector.set_down(false, now);
        primary.detector.set_evidence(None);
        primary.info.tanist_role = primary.info.tanist_role.take().map(|_| "primary".to_owned());
        primary.info.role = None;
        primary.role_since = now;
        for p in g.peers.values_mut() {
            p.says_down = None;
        }
    }

    fn run_reconfig_script(&mut self, g: &Group, role: &str, from: &Addr, to: &Addr) {
        let Some(script) = g.settings.reconfig_script.clone() else { return };
        let names = self.globals.announce_hostnames;
        let args = vec![
            g.name.clone(),
            role.to_owned(),
            "start".to_owned(),
            from.shown(names),
            from.port().to_string(),
            to.shown(names),
            to.port().to_string(),
        ];
        self.schedule_script(script, args);
    }
}
