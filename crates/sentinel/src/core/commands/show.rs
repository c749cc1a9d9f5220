//! How instances are shown by `SENTINEL MASTERS`, `REPLICAS`, `SENTINELS`: Redis' fields in Redis' order.

use crate::core::Sentinel;
use crate::core::detector::Detector;
use crate::core::group::{DataNode, Group, Peer, Reconf};
use crate::core::info::Role;
use crate::core::link::Link;
use tanist_resp::Reply;
use tanist_types::Mono;

type Fields = Vec<(&'static str, String)>;

/// Writes the fields as one map.
pub(super) fn write(fields: &Fields, r: &mut Reply<'_>) {
    r.map(fields.len());
    for (name, value) in fields {
        r.bulk_str(name);
        r.bulk_str(value);
    }
}

impl Sentinel {
    fn since(&self, at: Mono) -> String {
        self.now.mono.since(at).as_millis().to_string()
    }

    /// What all instances have in common up to the times of their detector.
    fn common(&self, g: &Group, fields: &mut Fields, link: &Link, d: &Detector, is_primary: bool) {
        let asked = d.unanswered_since().map_or_else(|| "0".to_owned(), |at| self.since(at));
        fields.push(("link-pending-commands", link.pending().to_string()));
        fields.push(("link-refcount", "1".to_owned()));
        if let (Some(f), true) = (&g.failover, is_primary) {
            fields.push(("failover-state", f.word().to_owned()));
        }
        fields.push(("last-ping-sent", asked));
        fields.push(("last-ok-ping-reply", self.since(d.last_ok())));
        fields.push(("last-ping-reply", self.since(d.last_reply())));
        if let Some(at) = d.down_since() {
            fields.push(("s-down-time", self.since(at)));
        }
        if let (Some(at), true) = (g.odown_since, is_primary) {
            fields.push(("o-down-time", self.since(at)));
        }
        fields.push(("down-after-milliseconds", g.settings.down_after.as_millis().to_string()));
    }

    fn reported(&self, n: &DataNode, configured: Role, fields: &mut Fields) {
        fields.push(("info-refresh", n.info_at.map_or_else(|| "0".to_owned(), |at| self.since(at))));
        fields.push(("role-reported", n.info.role.unwrap_or(configured).word().to_owned()));
        fields.push(("role-reported-time", self.since(n.role_since)));
    }

    /// The fields of a group's primary.
    pub(super) fn primary_fields(&self, g: &Group) -> Fields {
        let n = g.primary();
        let mut flags = Vec::new();
        if n.detector.down() {
            flags.push("s_down");
        }
        if g.is_odown() {
            flags.push("o_down");
        }
        flags.push("master");
        if !n.cmd.is_up() {
            flags.push("disconnected");
        }
        if g.failover.is_some() {
            flags.push("failover_in_progress");
        }
        if g.failover.as_ref().is_some_and(|f| f.kind.is_ordered()) {
            flags.push("force_failover");
        }
        let names = self.globals.announce_hostnames;
        let mut f: Fields = vec![
            ("name", g.name.clone()),
            ("ip", n.addr.shown(names)),
            ("port", n.addr.port().to_string()),
            ("runid", n.run_id.map_or_else(String::new, |id| id.to_string())),
            ("flags", flags.join(",")),
        ];
        self.common(g, &mut f, &n.cmd, &n.detector, true);
        self.reported(n, Role::Primary, &mut f);
        f.push(("config-epoch", g.config_epoch.to_string()));
        f.push(("num-slaves", (g.nodes.len() - 1).to_string()));
        f.push(("num-other-sentinels", g.peers.len().to_string()));
        f.push(("quorum", g.settings.quorum.to_string()));
        f.push(("failover-timeout", g.settings.failover_timeout.as_millis().to_string()));
        f.push(("parallel-syncs", g.settings.parallel_syncs.to_string()));
        if let Some(script) = &g.settings.notification_script {
            f.push(("notification-script", script.clone()));
        }
        if let Some(script) = &g.settings.reconfig_script {
            f.push(("client-reconfig-script", script.clone()));
        }
        f
    }

    /// The fields of a replica.
    pub(super) fn replica_fields(&self, g: &Group, n: &DataNode) -> Fields {
        let mut flags = Vec::new();
        if n.detector.down() {
            flags.push("s_down");
        }
        flags.push("slave");
        if !n.cmd.is_up() {
            flags.push("disconnected");
        }
        if g.failover.as_ref().is_some_and(|f| f.target == Some(n.ix)) {
            flags.push("promoted");
        }
        match n.reconf {
            Reconf::Sent(_) => flags.push("reconf_sent"),
            Reconf::InProgress => flags.push("reconf_inprog"),
            Reconf::Done => flags.push("reconf_done"),
            Reconf::None => {}
        }
        let names = self.globals.announce_hostnames;
        let mut f: Fields = vec![
            ("name", n.addr.name(names)),
            ("ip", n.addr.shown(names)),
            ("port", n.addr.port().to_string()),
            ("runid", n.run_id.map_or_else(String::new, |id| id.to_string())),
            ("flags", flags.join(",")),
        ];
        self.common(g, &mut f, &n.cmd, &n.detector, false);
        self.reported(n, Role::Replica, &mut f);
        let (host, port) = match &n.info.primary {
            Some(addr) => (addr.host().to_owned(), addr.port().to_string()),
            None => ("?".to_owned(), "0".to_owned()),
        };
        let down_ms = if n.info.link_up { 0 } else { n.info.link_down_secs * 1000 };
        f.push(("master-link-down-time", down_ms.to_string()));
        f.push(("master-link-status", if n.info.link_up { "ok" } else { "err" }.to_owned()));
        f.push(("master-host", host));
        f.push(("master-port", port));
        f.push(("slave-priority", n.info.priority.to_string()));
        f.push(("slave-repl-offset", n.info.replica_offset.to_string()));
        f.push(("replica-announced", u8::from(n.info.announced).to_string()));
        f
    }

    /// The fields of another sentinel.
    pub(super) fn peer_fields(&self, g: &Group, p: &Peer) -> Fields {
        let mut flags = Vec::new();
        if p.detector.down() {
            flags.push("s_down");
        }
        flags.push("sentinel");
        if !p.link.is_up() {
            flags.push("disconnected");
        }
        if p.says_down.is_some() {
            flags.push("master_down");
        }
        let mut f: Fields = vec![
            ("name", p.run_id.to_string()),
            ("ip", p.addr.shown(self.globals.announce_hostnames)),
            ("port", p.addr.port().to_string()),
            ("runid", p.run_id.to_string()),
            ("flags", flags.join(",")),
        ];
        self.common(g, &mut f, &p.link, &p.detector, false);
        f.push(("last-hello-message", self.since(p.last_hello)));
        f.push(("voted-leader", p.vote.map_or_else(|| "?".to_owned(), |(_, id)| id.to_string())));
        f.push(("voted-leader-epoch", p.vote.map_or(0, |(e, _)| e.0).to_string()));
        f
    }
}
