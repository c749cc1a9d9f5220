//! What `sentinel.conf` may say beside the sentinel's own statements: directives of the server. Some matter to a
//! sentinel too, most do not, and some would if a sentinel had what they are about. Whoever restricts access must not
//! get an open sentinel, so what says who may do what is obeyed or refused; the rest is named in a warning.

use crate::core::settings::Globals;

/// All that may be there.
pub(super) const KNOWN: &[&str] = &[
    "port",
    "bind",
    "bind-source-addr",
    "dir",
    "logfile",
    "loglevel",
    "log-format",
    "log-timestamp-format",
    "pidfile",
    "daemonize",
    "protected-mode",
    "requirepass",
    "user",
    "aclfile",
    "acllog-max-len",
    "acl-pubsub-default",
    "maxclients",
    "timeout",
    "tcp-backlog",
    "tcp-keepalive",
    "unixsocket",
    "unixsocketperm",
    "supervised",
    "syslog-enabled",
    "syslog-ident",
    "syslog-facility",
    "always-show-logo",
    "set-proc-title",
    "proc-title-template",
    "crash-log-enabled",
    "crash-memcheck-enabled",
    "disable-thp",
    "io-threads",
    "hz",
    "dynamic-hz",
    "latency-tracking",
    "latency-tracking-info-percentiles",
    "client-output-buffer-limit",
    "client-query-buffer-limit",
    "oom-score-adj",
    "oom-score-adj-values",
    "enable-debug-command",
    "tls-port",
    "tls-cert-file",
    "tls-key-file",
    "tls-key-file-pass",
    "tls-ca-cert-file",
    "tls-ca-cert-dir",
    "tls-auth-clients",
    "tls-replication",
    "tls-protocols",
    "tls-ciphers",
    "tls-ciphersuites",
    "tls-prefer-server-ciphers",
    "slowlog-log-slower-than",
    "slowlog-max-len",
    "ignore-warnings",
    "locale-collate",
    "server-cpulist",
    "server_cpulist",
    "rename-command",
    "save",
    "appendonly",
    "masterauth",
    "masteruser",
    "maxmemory",
];

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

/// Takes `maxclients <number>`: from one to what Redis takes.
pub(super) fn max_clients(args: &[String]) -> Result<u32, &'static str> {
    let [number] = args else { return Err("wrong number of arguments") };
    let number: u32 = number.parse().map_err(|_| "argument couldn't be parsed into an integer")?;
    if number > 0 { Ok(number) } else { Err("argument must be between 1 and 4294967295 inclusive") }
}
