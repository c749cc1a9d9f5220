//! Directives that may stand many times, are no part of CONFIG GET, and old ones that no longer mean anything.

/// Lines kept as they were given, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lists {
    /// `user <name> <rule> ...`: arguments after `user`.
    pub users: Vec<Vec<String>>,
    /// `rename-command <old> <new>`; an empty new name removes the command.
    pub renames: Vec<(String, String)>,
    /// `loadmodule <path> <arg> ...`: arguments after `loadmodule`.
    pub modules: Vec<Vec<String>>,
}

/// What a name outside the table means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    User,
    Rename,
    Module,
    Include,
    /// The server does not take sentinel directives.
    Sentinel,
    /// Once known, now without meaning: accepted in silence.
    Obsolete,
    /// Known to Redis or one of its modules but not to Valkey 9.1: accepted with a warning.
    Foreign,
}

const OBSOLETE: [&str; 5] = [
    "list-max-ziplist-entries",
    "list-max-ziplist-value",
    "lua-replicate-commands",
    "io-threads-do-reads",
    "dynamic-hz",
];

const FOREIGN: [&str; 5] = [
    "aof-disable-auto-gc",
    "cluster-compatibility-sample-ratio",
    "loadmodule-ex",
    "replica-full-sync-buffer-limit",
    "sanitize-dump-payload",
];

/// Prefixes of the directives of the modules that Redis 8 ships with.
const FOREIGN_PREFIXES: [&str; 4] = ["bf-", "cf-", "search-", "ts-"];

/// What `name` (in lower case) means if it is not a directive of the table.
pub(crate) fn listed(name: &str) -> Option<Listed> {
    Some(match name {
        "user" => Listed::User,
        "rename-command" => Listed::Rename,
        "loadmodule" => Listed::Module,
        "include" => Listed::Include,
        "sentinel" => Listed::Sentinel,
        old if OBSOLETE.contains(&old) => Listed::Obsolete,
        other if FOREIGN.contains(&other) => Listed::Foreign,
        other if FOREIGN_PREFIXES.iter().any(|p| other.starts_with(p)) => Listed::Foreign,
        _ => return None,
    })
}
