//! From the lines of the file to settings and state. First what concerns all groups, then the groups themselves, then
//! their settings: the order of the lines does not matter.

use super::file::{File, Line, canonical};
use super::{BadConfig, Loaded, LoadedGroup, others};
use crate::core::addr::Addr;
use crate::core::settings::{GroupSettings, PickPolicy};
use crate::core::timing::Timing;
use std::time::Duration;
use tanist_config::LoadError;
use tanist_types::{ConfigEpoch, Epoch};

/// Reads the whole file.
pub(crate) fn load(file: &File) -> Result<Loaded, BadConfig> {
    let mut loaded = Loaded::default();
    let mut server = others::server();
    for line in file.lines() {
        if line.own().is_some() || line.words.is_empty() || line.words[0].eq_ignore_ascii_case("include") {
            continue;
        }
        server.take_line(&line.statement()).map_err(|error| match error {
            LoadError::Line(error) => line.bad(error.reason),
            open @ LoadError::Open { .. } => line.bad(open.to_string()),
        })?;
        others::obey(&mut loaded.globals, &server.config);
    }
    for line in file.lines() {
        let Some((name, args)) = line.words.split_first() else { continue };
        let taken = match name.to_ascii_lowercase().as_str() {
            "user" => others::user(&mut loaded.globals, args),
            "aclfile" => others::acl_file(args),
            _ => Ok(()),
        };
        taken.map_err(|why| line.bad(why))?;
    }
    loaded.server = server;
    type Pass = fn(&mut Loaded, &Line, &str, &[String]) -> Result<bool, String>;
    // A group that both the file and an included one name is where the file has it: that is what a rewrite knows.
    let passes: [(Pass, bool, bool); 4] =
        [(global, true, true), (monitor, true, false), (monitor, false, true), (of_group, true, true)];
    for (pass, own, included) in passes {
        for line in file.lines().filter(|l| if l.included { included } else { own }) {
            let Some(own) = line.own() else { continue };
            let (name, args) = own.split_first().ok_or_else(|| line.bad(UNKNOWN))?;
            pass(&mut loaded, line, &canonical(name), args).map_err(|why| line.bad(why))?;
        }
    }
    Ok(loaded)
}

fn global(loaded: &mut Loaded, _: &Line, name: &str, args: &[String]) -> Result<bool, String> {
    let g = &mut loaded.globals;
    match (name, args) {
        ("myid", [id]) => g.id = Some(id.parse().map_err(|_| "Malformed Sentinel id in myid option.")?),
        ("current-epoch", [n]) => loaded.epoch = loaded.epoch.max(Epoch(number(n)?)),
        ("announce-ip", [ip]) => {
            if !ip.is_empty() && !is_tellable(ip) {
                return Err("An address that is announced has no blanks and no commas.".into());
            }
            g.announce_ip = (!ip.is_empty()).then(|| ip.clone());
        }
        ("announce-port", [port]) => {
            let port: u16 = port.parse().map_err(|_| "Invalid port number.")?;
            g.announce_port = (port != 0).then_some(port);
        }
        ("deny-scripts-reconfig", [word]) => {
            g.deny_scripts_reconfig =
                yes(word, "Please specify yes or no for the deny-scripts-reconfig options.")?;
        }
        ("resolve-hostnames", [word]) => {
            g.resolve_hostnames = yes(word, "Please specify yes or no for the resolve-hostnames option.")?;
        }
        ("announce-hostnames", [word]) => {
            g.announce_hostnames = yes(word, "Please specify yes or no for the announce-hostnames option.")?;
        }
        ("sentinel-user", [user]) => g.sentinel_user = (!user.is_empty()).then(|| user.clone()),
        ("sentinel-pass", [pass]) => g.sentinel_pass = (!pass.is_empty()).then(|| pass.clone()),
        _ => return Ok(false),
    }
    Ok(true)
}

fn monitor(loaded: &mut Loaded, line: &Line, name: &str, args: &[String]) -> Result<bool, String> {
    let ("monitor", [group, host, port, quorum]) = (name, args) else { return Ok(false) };
    let quorum: u32 = quorum.parse().map_err(|_| "Quorum must be 1 or greater.")?;
    if quorum == 0 {
        return Err("Quorum must be 1 or greater.".into());
    }
    if let Some(known) = loaded.groups.iter().find(|g| g.name == *group) {
        if line.included && !known.included {
            return Ok(true);
        }
        return Err("Duplicate master name.".into());
    }
    if !is_tellable(group) {
        return Err(
            "A group's name must not be empty nor contain a comma, blanks or other characters that are not \
                    plain ASCII: sentinels tell each other of groups between commas."
                .into(),
        );
    }
    let addr = address(host, port, loaded.globals.resolve_hostnames)?;
    let timing = Timing::default();
    loaded.groups.push(LoadedGroup {
        name: group.clone(),
        included: line.included,
        addr,
        settings: GroupSettings::new(quorum, timing.default_down_after, timing.default_failover_timeout),
        config_epoch: ConfigEpoch(0),
        leader_epoch: Epoch(0),
        replicas: Vec::new(),
        peers: Vec::new(),
    });
    Ok(true)
}

fn of_group(loaded: &mut Loaded, line: &Line, name: &str, args: &[String]) -> Result<bool, String> {
    if name == "monitor" && args.len() == 4 || global(&mut loaded.clone(), line, name, args)? {
        return Ok(true);
    }
    let names = loaded.globals.resolve_hostnames;
    let Some((group, args)) = args.split_first() else { return Err(UNKNOWN.into()) };
    // The quorum is part of `monitor`.
    if name == "quorum" || !STATE.contains(&name) && !OPTIONS.contains(&name) {
        return Err(UNKNOWN.into());
    }
    let g =
        loaded.groups.iter_mut().find(|g| g.name == *group).ok_or("No such master with specified name.")?;
    match (name, args) {
        ("config-epoch", [n]) => {
            g.config_epoch = g.config_epoch.max(ConfigEpoch(number(n)?));
            loaded.epoch = loaded.epoch.max(Epoch(g.config_epoch.0));
        }
        ("leader-epoch", [n]) => {
            g.leader_epoch = g.leader_epoch.max(Epoch(number(n)?));
            loaded.epoch = loaded.epoch.max(g.leader_epoch);
        }
        ("known-replica", [host, port]) => g.replicas.push(address(host, port, names)?),
        ("known-sentinel", [host, port, id]) => {
            let id = id.parse().map_err(|_| "Malformed Sentinel id.")?;
            g.peers.push((id, address(host, port, names)?));
        }
        // The oldest form has no identity: the sentinel will introduce itself.
        ("known-sentinel", [_, _]) => {}
        ("rename-command", [from, to]) => {
            g.settings.renames.insert(from.to_ascii_uppercase(), to.clone());
        }
        (_, [value]) => set(&mut g.settings, name, value)?,
        _ => return Err(UNKNOWN.into()),
    }
    Ok(true)
}

const UNKNOWN: &str = "Unrecognized sentinel configuration statement.";

/// The statements about one group that have a form of their own.
const STATE: &[&str] = &["config-epoch", "leader-epoch", "known-replica", "known-sentinel", "rename-command"];

/// The settings of one group that have a single value.
pub(crate) const OPTIONS: &[&str] = &[
    "quorum",
    "down-after-milliseconds",
    "failover-timeout",
    "parallel-syncs",
    "master-reboot-down-after-period",
    "notification-script",
    "client-reconfig-script",
    "auth-pass",
    "auth-user",
    "fast-crash-detection",
    "pick-policy",
    "stale-view-timeout",
];

/// Sets one setting of a group that has a single value; also for `SENTINEL SET`.
pub(crate) fn set(s: &mut GroupSettings, name: &str, value: &str) -> Result<(), String> {
    let time = |zero_ok: bool| {
        let n = number(value).ok().filter(|n| (*n > 0 || zero_ok) && *n <= i64::MAX as u64);
        let why = if zero_ok { "negative time parameter." } else { "negative or zero time parameter." };
        n.map(Duration::from_millis).ok_or_else(|| why.to_owned())
    };
    let optional = || (!value.is_empty()).then(|| value.to_owned());
    match name {
        "quorum" => {
            s.quorum =
                number(value).ok().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0).ok_or(UNKNOWN)?;
        }
        "down-after-milliseconds" => s.down_after = time(false)?,
        "failover-timeout" => s.failover_timeout = time(false)?,
        "parallel-syncs" => {
            s.parallel_syncs = number(value).ok().and_then(|n| u32::try_from(n).ok()).ok_or(UNKNOWN)?;
        }
        "master-reboot-down-after-period" => s.reboot_down_after = time(true)?,
        "notification-script" => s.notification_script = optional(),
        "client-reconfig-script" => s.reconfig_script = optional(),
        "auth-pass" => s.auth_pass = optional(),
        "auth-user" => s.auth_user = optional(),
        "fast-crash-detection" => s.fast_crash = yes(value, "Please specify yes or no.")?,
        "pick-policy" => {
            s.pick = PickPolicy::parse(value).ok_or("Please specify best-effort or majority.")?;
        }
        "stale-view-timeout" => s.stale_view = time(true)?,
        _ => return Err(UNKNOWN.into()),
    }
    Ok(())
}

/// Whether it can stand in a hello, between commas, and in a list of fields.
pub(crate) fn is_tellable(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b',')
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "Invalid number.".to_owned())
}

fn yes(word: &str, otherwise: &str) -> Result<bool, String> {
    match word.to_ascii_lowercase().as_str() {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(otherwise.to_owned()),
    }
}

fn address(host: &str, port: &str, names: bool) -> Result<Addr, String> {
    let port = port.parse::<u16>().ok().filter(|p| *p != 0).ok_or("Invalid port number.")?;
    let addr = Addr::new(host, port);
    if addr.is_name() && !names {
        return Err("Can't resolve instance hostname.".into());
    }
    Ok(addr)
}
