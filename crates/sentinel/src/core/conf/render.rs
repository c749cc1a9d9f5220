//! From settings and state to the statements of the file, in Redis' order and words.

use super::file::Wanted;
use crate::core::Sentinel;
use crate::core::addr::Addr;
use crate::core::group::Group;
use crate::core::settings::{Globals, PickPolicy, STALE_VIEW};
use crate::core::timing::Timing;
use tanist_text::words::quote_if_needed;

/// Statements in the making.
struct Statements(Vec<Wanted>);

impl Statements {
    /// `sentinel <words>`; the first `key` words say what it sets.
    fn add(&mut self, required: bool, key: usize, words: &[&str]) {
        let text = words.iter().fold("sentinel".to_owned(), |mut text, w| {
            text.push(' ');
            text.push_str(&quote_if_needed(w.as_bytes()));
            text
        });
        let key = words.iter().take(key).map(|w| (*w).to_owned()).collect();
        self.0.push(Wanted { key, text, required });
    }
}

impl Sentinel {
    /// The whole configuration file as it should be now.
    pub(crate) fn render_config(&self) -> String {
        let mut out = Statements(Vec::new());
        let g = &self.globals;
        let yes = |b: bool| if b { "yes" } else { "no" };
        out.add(true, 1, &["myid", &self.me.to_string()]);
        out.add(!g.deny_scripts_reconfig, 1, &["deny-scripts-reconfig", yes(g.deny_scripts_reconfig)]);
        out.add(g.resolve_hostnames, 1, &["resolve-hostnames", yes(g.resolve_hostnames)]);
        out.add(g.announce_hostnames, 1, &["announce-hostnames", yes(g.announce_hostnames)]);
        for group in self.groups.values() {
            self.group_statements(group, &mut out);
        }
        out.add(true, 1, &["current-epoch", &self.epoch.to_string()]);
        announcements(g, &mut out);
        self.file.render(out.0)
    }

    fn group_statements(&self, g: &Group, out: &mut Statements) {
        let s = &g.settings;
        let name = g.name.as_str();
        let defaults = Timing::default();
        let ms = |d: std::time::Duration| d.as_millis().to_string();
        let (host, port) = self.written(&g.primary().addr);
        out.add(true, 2, &["monitor", name, &host, &port, &s.quorum.to_string()]);
        let mut setting = |required: bool, key: &str, value: &str| out.add(required, 2, &[key, name, value]);
        setting(s.down_after != defaults.default_down_after, "down-after-milliseconds", &ms(s.down_after));
        setting(
            s.failover_timeout != defaults.default_failover_timeout,
            "failover-timeout",
            &ms(s.failover_timeout),
        );
        setting(s.parallel_syncs != 1, "parallel-syncs", &s.parallel_syncs.to_string());
        for (key, value) in [
            ("notification-script", &s.notification_script),
            ("client-reconfig-script", &s.reconfig_script),
            ("auth-pass", &s.auth_pass),
            ("auth-user", &s.auth_user),
        ] {
            if let Some(value) = value {
                setting(true, key, value);
            }
        }
        let reboot = !s.reboot_down_after.is_zero();
        setting(reboot, "master-reboot-down-after-period", &ms(s.reboot_down_after));
        setting(!s.fast_crash, "fast-crash-detection", if s.fast_crash { "yes" } else { "no" });
        setting(s.pick != PickPolicy::default(), "pick-policy", s.pick.word());
        setting(s.stale_view != STALE_VIEW, "stale-view-timeout", &ms(s.stale_view));
        setting(true, "config-epoch", &g.config_epoch.to_string());
        setting(true, "leader-epoch", &g.vote.epoch.to_string());
        for n in g.replicas() {
            let (host, port) = self.written(&n.addr);
            out.add(true, 4, &["known-replica", name, &host, &port]);
        }
        for p in g.peers.values().filter(|p| p.addr.port() != 0) {
            let (host, port) = self.written(&p.addr);
            let id = p.run_id.to_string();
            out.add(true, 0, &["known-sentinel", name, &host, &port, &id]);
            if let Some(last) = out.0.last_mut() {
                last.key = vec!["known-sentinel".to_owned(), name.to_owned(), id];
            }
        }
        for (from, to) in &s.renames {
            out.add(true, 3, &["rename-command", name, from, to]);
        }
    }

    /// An address as the file has it: the name if there is one, so that it can be resolved anew.
    fn written(&self, addr: &Addr) -> (String, String) {
        (addr.shown(self.globals.resolve_hostnames), addr.port().to_string())
    }
}

fn announcements(g: &Globals, out: &mut Statements) {
    if let Some(ip) = &g.announce_ip {
        out.add(true, 1, &["announce-ip", ip]);
    }
    if let Some(port) = g.announce_port {
        out.add(true, 1, &["announce-port", &port.to_string()]);
    }
    if let Some(user) = &g.sentinel_user {
        out.add(true, 1, &["sentinel-user", user]);
    }
    if let Some(pass) = &g.sentinel_pass {
        out.add(true, 1, &["sentinel-pass", pass]);
    }
}
