//! What `sentinel.conf` may say beside the sentinel's own statements: every directive of the server, by the server's
//! rules. Some matter to a sentinel too, most do not, and some would if a sentinel had what they are about. Whoever
//! restricts access must not get an open sentinel, so what says who may do what is obeyed or refused; of the rest, what
//! would change a sentinel is named in a warning.

use crate::core::settings::Globals;
use tanist_config::choice::Choice;
use tanist_config::{Loaded, ServerConfig};

/// Redis Sentinel's port.
const PORT: u16 = 26379;

/// The directives of the server where nothing is said.
pub(super) fn server() -> Loaded {
    let config = ServerConfig { port: PORT, protected_mode: false, ..ServerConfig::default() };
    Loaded { config, ..Loaded::default() }
}

/// Takes from the directives of the server what the core itself goes by.
pub(super) fn obey(globals: &mut Globals, server: &ServerConfig) {
    globals.requirepass = Some(&server.requirepass).filter(|pass| !pass.is_empty()).cloned();
    globals.loglevel = server.loglevel.word().to_owned();
    globals.max_clients = server.maxclients;
}

/// What would change how a sentinel behaves but does not here, each with the value that asks for nothing.
pub(super) const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("bind-source-addr", ""),
    ("protected-mode", "no"),
    ("timeout", "0"),
    ("unixsocket", ""),
    ("syslog-enabled", "no"),
    ("oom-score-adj", "no"),
    ("tls-port", "0"),
    ("tls-replication", "no"),
    ("server-cpulist", ""),
    ("server_cpulist", ""),
    ("client-output-buffer-limit", ""),
    ("client-query-buffer-limit", "1gb"),
    ("rename-command", ""),
];

const ONE_USER: &str = "A sentinel has one user, 'default', who may do everything and has one password or none: give \
                        the password with requirepass";

/// Takes `user <name> <rule>...`: the line that Redis writes for a user without restrictions, or with a password. That of
/// `requirepass` is known by then; of another one the hash would not be enough, for the other sentinels want it in clear.
pub(super) fn user(globals: &mut Globals, args: &[String]) -> Result<(), &'static str> {
    let Some(("default", rules)) = args.split_first().map(|(name, rules)| (name.as_str(), rules)) else {
        return Err(ONE_USER);
    };
    let (mut on, mut commands, mut channels) = (false, false, false);
    for rule in rules {
        match (rule.as_str(), &globals.requirepass) {
            ("on", _) => on = true,
            ("+@all" | "allcommands", _) => commands = true,
            ("&*" | "allchannels", _) => channels = true,
            // There are no keys, and a password that requirepass gives is never taken away.
            ("~*" | "allkeys" | "alldbs" | "nopass" | "sanitize-payload" | "skip-sanitize-payload", _) => {}
            (pass, None) if pass.starts_with('>') => globals.requirepass = Some(pass[1..].to_owned()),
            (pass, Some(known)) if pass.strip_prefix('>') == Some(known) => {}
            (hash, Some(_)) if hash.starts_with('#') => {}
            _ => return Err(ONE_USER),
        }
    }
    if on && commands && channels { Ok(()) } else { Err(ONE_USER) }
}

/// A file with users is read by nobody here.
pub(super) fn acl_file(args: &[String]) -> Result<(), &'static str> {
    if args.iter().all(String::is_empty) { Ok(()) } else { Err(ONE_USER) }
}
