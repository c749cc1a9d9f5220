//! SENTINEL SET, CONFIG and DEBUG: changing settings while running.

use super::sentinel::NO_SUCH_GROUP;
use super::{Call, Done};
use crate::core::Sentinel;
use crate::core::conf::{canonical, is_tellable, set_option};
use crate::core::events::Who;
use crate::core::group::Group;
use crate::core::io::Level;
use std::time::Duration;
use tanist_resp::Reply;
use tanist_text::glob;

const GLOBAL: &[&str] = &[
    "resolve-hostnames",
    "announce-hostnames",
    "announce-ip",
    "announce-port",
    "sentinel-user",
    "sentinel-pass",
    "loglevel",
];

impl Sentinel {
    /// Options are applied in order up to the first that is wrong, as in Redis.
    pub(crate) fn cmd_set(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let Some(id) = self.group_named(&call.text(2)).map(|g| g.id) else {
            r.error(NO_SUCH_GROUP);
            return Done::Now;
        };
        let mut i = 3;
        while i < call.args.len() {
            let option = call.word(i);
            let takes = if option == "rename-command" { 2 } else { 1 };
            if i + takes >= call.args.len() {
                r.error(&format!(
                    "ERR Unknown option or number of arguments for SENTINEL SET '{}'",
                    call.text(i)
                ));
                return Done::Now;
            }
            let (value, second) = (call.text(i + 1), call.text(i + 2));
            match self.with_group(id, |s, g| s.set_one(g, &option, &value, &second)) {
                Some(Ok(())) => {}
                Some(Err(why)) => {
                    r.error(&why);
                    return Done::Now;
                }
                None => return Done::Now,
            }
            i += 1 + takes;
        }
        self.disk.mark_critical();
        r.ok();
        Done::Now
    }

    fn set_one(&mut self, g: &mut Group, option: &str, value: &str, second: &str) -> Result<(), String> {
        let is_script = matches!(option, "notification-script" | "client-reconfig-script");
        if is_script && self.globals.deny_scripts_reconfig {
            return Err("ERR Reconfiguration of scripts path is denied for security reasons. Check the \
                        deny-scripts-reconfig configuration directive in your Sentinel configuration"
                .into());
        }
        if option == "rename-command" {
            if value.is_empty() || second.is_empty() {
                return Err(format!("ERR Invalid argument '' for SENTINEL SET '{option}'"));
            }
            g.settings.renames.insert(value.to_ascii_uppercase(), second.to_owned());
        } else {
            let name = canonical(option);
            let known = conf_knows(&name);
            if option == "parallel-syncs" && value.bytes().all(|b| b == b'0') {
                // A file may say so, which stops replicas from being repointed for good.
                return Err(format!("ERR Invalid argument '{value}' for SENTINEL SET '{option}'"));
            }
            set_option(&mut g.settings, &name, value).map_err(|_| match known {
                true => format!("ERR Invalid argument '{value}' for SENTINEL SET '{option}'"),
                false => format!("ERR Unknown option or number of arguments for SENTINEL SET '{option}'"),
            })?;
        }
        let shown = match option {
            "auth-pass" => "******".to_owned(),
            "rename-command" => format!("{value} {second}"),
            _ => value.to_owned(),
        };
        self.event(g, Level::Warning, "+set", Who::Group, &format!("{option} {shown}"));
        if matches!(option, "auth-pass" | "auth-user" | "rename-command") {
            self.reconnect_refusing(g);
        }
        self.judge_group(g);
        Ok(())
    }

    pub(crate) fn cmd_config(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        match call.word(2).as_str() {
            "get" => self.config_get(call, r),
            "set" if call.args.len() >= 5 => self.config_set(call, r),
            _ => r.error(
                "ERR Only SENTINEL CONFIG GET <param> [<param> <param> ...] / SET <param> <value> [<param> \
                          <value> ...] are supported.",
            ),
        }
        Done::Now
    }

    fn global(&self, name: &str) -> String {
        let g = &self.globals;
        let yes = |b: bool| if b { "yes" } else { "no" }.to_owned();
        match name {
            "resolve-hostnames" => yes(g.resolve_hostnames),
            "announce-hostnames" => yes(g.announce_hostnames),
            "announce-ip" => g.announce_ip.clone().unwrap_or_default(),
            "announce-port" => g.announce_port.unwrap_or(0).to_string(),
            "sentinel-user" => g.sentinel_user.clone().unwrap_or_default(),
            "sentinel-pass" => g.sentinel_pass.clone().unwrap_or_default(),
            _ => g.loglevel.clone(),
        }
    }

    fn config_get(&self, call: &Call<'_>, r: &mut Reply<'_>) {
        let patterns: Vec<String> = (3..call.args.len()).map(|i| call.word(i)).collect();
        let wanted = |name: &&&str| patterns.iter().any(|p| glob::matches(p.as_bytes(), name.as_bytes()));
        let names: Vec<&&str> = GLOBAL.iter().filter(wanted).collect();
        r.map(names.len());
        for name in names {
            r.bulk_str(name);
            r.bulk_str(&self.global(name));
        }
    }

    fn config_set(&mut self, call: &Call<'_>, r: &mut Reply<'_>) {
        let mut next = self.globals.clone();
        let mut seen = Vec::new();
        let mut i = 3;
        while i < call.args.len() {
            let (name, value) = (call.word(i), call.text(i + 1));
            if seen.contains(&name) {
                return r.error(&format!("ERR Duplicate argument '{}' to SENTINEL CONFIG SET", call.text(i)));
            }
            if GLOBAL.contains(&name.as_str()) && i + 1 == call.args.len() {
                return r.error(&format!("ERR Missing argument '{}' value", call.text(i)));
            }
            seen.push(name.clone());
            let bad = || format!("ERR Invalid value '{value}' to SENTINEL CONFIG SET '{name}'");
            let yes = match value.to_ascii_lowercase().as_str() {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            };
            let optional = (!value.is_empty()).then(|| value.clone());
            let fine = match name.as_str() {
                "resolve-hostnames" => yes.map(|b| next.resolve_hostnames = b).is_some(),
                "announce-hostnames" => yes.map(|b| next.announce_hostnames = b).is_some(),
                "announce-ip" => {
                    next.announce_ip = optional;
                    value.is_empty() || is_tellable(&value)
                }
                "announce-port" => {
                    value.parse::<u16>().map(|p| next.announce_port = Some(p).filter(|p| *p != 0)).is_ok()
                }
                "sentinel-user" => {
                    next.sentinel_user = optional;
                    true
                }
                "sentinel-pass" => {
                    next.sentinel_pass = optional;
                    true
                }
                "loglevel" => {
                    let level = value.to_ascii_lowercase();
                    let known =
                        matches!(level.as_str(), "debug" | "verbose" | "notice" | "warning" | "nothing");
                    next.loglevel = level;
                    known
                }
                _ => {
                    return r
                        .error(&format!("ERR Invalid argument '{}' to SENTINEL CONFIG SET", call.text(i)));
                }
            };
            if !fine {
                return r.error(&bad());
            }
            i += 2;
        }
        let passwords = next.sentinel_user != self.globals.sentinel_user
            || next.sentinel_pass != self.globals.sentinel_pass;
        self.globals = next;
        if passwords {
            self.reconnect_peers();
        }
        self.disk.mark_critical();
        r.ok();
    }

    /// The links to nodes that refused us are opened anew: what they refused has changed. The others stay, because the
    /// nodes may be told of the change after us.
    fn reconnect_refusing(&mut self, g: &mut Group) {
        let now = self.now.mono;
        for n in g.nodes.values_mut() {
            if !std::mem::take(&mut n.complained) {
                continue;
            }
            for link in [&mut n.cmd, &mut n.sub] {
                let old = link.clone();
                link.retry(now);
                self.abandon(&old);
            }
        }
    }

    /// The links to the other sentinels are opened anew, with the new password.
    fn reconnect_peers(&mut self) {
        let ids: Vec<_> = self.groups.keys().copied().collect();
        let now = self.now.mono;
        for id in ids {
            self.with_group(id, |s, g| {
                for p in g.peers.values_mut() {
                    let old = p.link.clone();
                    p.link.retry(now);
                    s.abandon(&old);
                }
            });
        }
    }

    pub(crate) fn cmd_debug(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        if call.args.len() == 2 {
            let fields = self.timing.fields();
            r.map(fields.len());
            for (name, value) in fields {
                r.bulk_str(&name.to_ascii_uppercase());
                r.bulk_str(&value.as_millis().to_string());
            }
            return Done::Now;
        }
        let mut next = self.timing.clone();
        let mut i = 2;
        while i < call.args.len() {
            let name = call.word(i);
            let known = next.fields().into_iter().find(|(n, _)| *n == name);
            let (Some((_, slot)), true) = (known, i + 1 < call.args.len()) else {
                r.error(&format!(
                    "ERR Unknown option or number of arguments for SENTINEL DEBUG '{}'",
                    call.text(i)
                ));
                return Done::Now;
            };
            match call.number(i + 1).and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0) {
                Some(ms) => *slot = Duration::from_millis(ms),
                None => {
                    r.error(&format!(
                        "ERR Invalid argument '{}' for SENTINEL DEBUG '{name}'",
                        call.text(i + 1)
                    ));
                    return Done::Now;
                }
            }
            i += 2;
        }
        self.timing = next;
        r.ok();
        Done::Now
    }
}

/// Whether `SENTINEL SET` has such an option.
fn conf_knows(option: &str) -> bool {
    crate::core::conf::OPTIONS.contains(&option)
}
