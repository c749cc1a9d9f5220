//! What `COMMAND DOCS` tells of the past of commands: in which version of Redis or Valkey something was added, and what
//! takes the place of a command of old. The versions are facts of Valkey 9.1 (`history-valkey-9.1.txt`); the sentences
//! are ours. Commands that this node does not have yet are here already.

/// A version and what it brought.
pub(crate) type Event = (&'static str, &'static str);

/// What has been added to a command, by its full name.
pub(crate) fn history(full_name: &str) -> &'static [Event] {
    HISTORY.binary_search_by_key(&full_name, |(name, _)| name).map_or(&[], |at| HISTORY[at].1)
}

/// Since when a command is one of old, and which one is to be used instead.
pub(crate) fn replaced(full_name: &str) -> Option<(&'static str, &'static str)> {
    match full_name {
        "cluster|slaves" => Some(("5.0.0", "`CLUSTER REPLICAS`")),
        "slaveof" => Some(("5.0.0", "`REPLICAOF`")),
        _ => None,
    }
}

/// Whether a command is for servers and tests rather than for clients.
pub(crate) fn is_for_servers(full_name: &str) -> bool {
    matches!(
        full_name,
        "cluster|syncslots" | "debug" | "pfdebug" | "pfselftest" | "replconf" | "restore-asking"
    )
}

/// By name.
const HISTORY: &[(&str, &[Event])] = &[
    (
        "acl|getuser",
        &[
            ("6.2.0", "Shows patterns of channels."),
            ("7.0.0", "Shows selectors; patterns are shown as rules."),
            ("9.1.0", "Shows rules about databases."),
        ],
    ),
    ("acl|log", &[("7.2.0", "Shows each entry's number and the times at which it was made and last met.")]),
    (
        "acl|setuser",
        &[
            ("6.2.0", "Takes patterns of channels."),
            ("7.0.0", "Takes selectors and rights that depend on keys."),
            ("9.1.0", "Takes rules about databases."),
        ],
    ),
    ("auth", &[("6.0.0", "Takes a user's name.")]),
    ("bgsave", &[("3.2.2", "Takes `SCHEDULE`."), ("8.1.0", "Takes `CANCEL`.")]),
    (
        "bitcount",
        &[("7.0.0", "Takes `BYTE` or `BIT`."), ("8.0.0", "`end` may be left out: up to the last byte.")],
    ),
    ("bitpos", &[("7.0.0", "Takes `BYTE` or `BIT`.")]),
    ("blpop", &[("6.0.0", "A fraction of a second may be given as the timeout.")]),
    ("brpop", &[("6.0.0", "A fraction of a second may be given as the timeout.")]),
    ("brpoplpush", &[("6.0.0", "A fraction of a second may be given as the timeout.")]),
    ("bzpopmax", &[("6.0.0", "A fraction of a second may be given as the timeout.")]),
    ("bzpopmin", &[("6.0.0", "A fraction of a second may be given as the timeout.")]),
    (
        "client|kill",
        &[
            ("2.8.12", "Takes filters."),
            ("2.8.12", "Filters by `ID`."),
            ("3.2.0", "`TYPE` knows `master`."),
            ("5.0.0", "The `TYPE` `slave` is called `replica`; the old word is still understood."),
            ("6.2.0", "Filters by `LADDR`."),
            ("8.0.0", "Filters by `MAXAGE`."),
            ("8.0.0", "The `TYPE` `master` is called `primary`; the old word is still understood."),
            ("8.1.0", "`ID` takes several."),
            (
                "9.0.0",
                "Filters by NAME, IDLE, FLAGS, LIB-NAME, LIB-VER, DB, CAPA and IP; NOT- before ID, TYPE, ADDR, LADDR, USER, FLAGS, NAME, LIB-NAME, LIB-VER, DB, CAPA and IP.",
            ),
        ],
    ),
    (
        "client|list",
        &[
            ("2.8.12", "Shows a number that is never used again, `id`."),
            ("5.0.0", "Filters by `TYPE`."),
            ("6.0.0", "Shows `user`."),
            ("6.2.0", "Shows `argv-mem`, `tot-mem`, `laddr` and `redir`; filters by `ID`."),
            ("7.0.0", "Shows `resp`, `multi-mem`, `rbs` and `rbp`."),
            ("7.0.3", "Shows `ssub`."),
            ("8.0.0", "The `TYPE` `master` is called `primary`; the old word is still understood."),
            ("8.1.0", "Filters by USER, ADDR, LADDR and MAXAGE; takes SKIPME."),
            (
                "9.0.0",
                "Filters by NAME, IDLE, FLAGS, LIB-NAME, LIB-VER, DB, CAPA and IP; NOT- before ID, TYPE, ADDR, LADDR, USER, FLAGS, NAME, LIB-NAME, LIB-VER, DB, CAPA and IP.",
            ),
        ],
    ),
    ("client|pause", &[("6.2.0", "Takes a mode: `WRITE` holds only those that write.")]),
    (
        "cluster|count-failure-reports",
        &[("9.0.0", "Reports about a node that is marked as failed already are passed over.")],
    ),
    ("cluster|meet", &[("4.0.0", "Takes the port of the bus.")]),
    ("cluster|replicate", &[("9.0.0", "`NO ONE` in the place of a node parts a replica from its primary.")]),
    ("cluster|setslot", &[("8.0.0", "Takes `TIMEOUT`.")]),
    (
        "cluster|shards",
        &[("9.1.0", "Shows the `id` of each shard and the `availability-zone` of each node.")],
    ),
    (
        "cluster|slots",
        &[
            ("4.0.0", "Shows the ids of nodes."),
            ("7.0.0", "Shows more about how nodes are reached."),
            ("9.1.0", "Shows the `availability-zone` there."),
        ],
    ),
    ("command|info", &[("7.0.0", "Without a name it tells about all commands.")]),
    ("config|get", &[("7.0.0", "Takes several patterns.")]),
    ("config|set", &[("7.0.0", "Takes several directives.")]),
    ("exists", &[("3.0.3", "Takes several keys.")]),
    ("expire", &[("7.0.0", "Takes `NX`, `XX`, `GT` and `LT`.")]),
    ("expireat", &[("7.0.0", "Takes `NX`, `XX`, `GT` and `LT`.")]),
    ("flushall", &[("4.0.0", "Takes `ASYNC`."), ("6.2.0", "Takes `SYNC`.")]),
    ("flushdb", &[("4.0.0", "Takes `ASYNC`."), ("6.2.0", "Takes `SYNC`.")]),
    ("geoadd", &[("6.2.0", "Takes `CH`, `NX` and `XX`.")]),
    ("georadius", &[("6.2.0", "`COUNT` takes `ANY`."), ("7.0.0", "Units may be written in capitals.")]),
    ("georadius_ro", &[("6.2.0", "`COUNT` takes `ANY`."), ("7.0.0", "Units may be written in capitals.")]),
    (
        "georadiusbymember",
        &[("6.2.0", "`COUNT` takes `ANY`."), ("7.0.0", "Units may be written in capitals.")],
    ),
    (
        "georadiusbymember_ro",
        &[("6.2.0", "`COUNT` takes `ANY`."), ("7.0.0", "Units may be written in capitals.")],
    ),
    ("geosearch", &[("7.0.0", "Units may be written in capitals."), ("9.0.0", "Takes `BYPOLYGON`.")]),
    ("geosearchstore", &[("7.0.0", "Units may be written in capitals."), ("9.0.0", "Takes `BYPOLYGON`.")]),
    ("hdel", &[("2.4.0", "Takes several fields.")]),
    (
        "hello",
        &[
            ("8.1.0", "Tells `availability_zone`, if that is configured."),
            ("6.2.0", "Without a version it tells about the connection as it is."),
        ],
    ),
    ("hset", &[("4.0.0", "Takes several fields with their values.")]),
    ("info", &[("7.0.0", "Takes several sections.")]),
    ("lpop", &[("6.2.0", "Takes a count.")]),
    ("lpush", &[("2.4.0", "Takes several elements.")]),
    ("lpushx", &[("4.0.0", "Takes several elements.")]),
    (
        "migrate",
        &[
            ("3.0.0", "Takes `COPY` and `REPLACE`."),
            ("3.0.6", "Takes `KEYS`."),
            ("4.0.7", "Takes `AUTH`."),
            ("6.0.0", "Takes `AUTH2`."),
        ],
    ),
    ("pexpire", &[("7.0.0", "Takes `NX`, `XX`, `GT` and `LT`.")]),
    ("pexpireat", &[("7.0.0", "Takes `NX`, `XX`, `GT` and `LT`.")]),
    ("pttl", &[("2.8.0", "Answers -2 for a key that is not there.")]),
    ("renamenx", &[("3.2.0", "The same name for both is no error.")]),
    (
        "restore",
        &[
            ("3.0.0", "Takes `REPLACE`."),
            ("5.0.0", "Takes `ABSTTL`."),
            ("5.0.0", "Takes `IDLETIME` and `FREQ`."),
        ],
    ),
    (
        "restore-asking",
        &[
            ("3.0.0", "Takes `REPLACE`."),
            ("5.0.0", "Takes `ABSTTL`."),
            ("5.0.0", "Takes `IDLETIME` and `FREQ`."),
        ],
    ),
    ("rpop", &[("6.2.0", "Takes a count.")]),
    ("rpush", &[("2.4.0", "Takes several elements.")]),
    ("rpushx", &[("4.0.0", "Takes several elements.")]),
    ("sadd", &[("2.4.0", "Takes several members.")]),
    ("scan", &[("6.0.0", "Takes `TYPE`.")]),
    ("script|flush", &[("6.2.0", "Takes `ASYNC` and `SYNC`.")]),
    (
        "set",
        &[
            ("2.6.12", "Takes `EX`, `PX`, `NX` and `XX`."),
            ("6.0.0", "Takes `KEEPTTL`."),
            ("6.2.0", "Takes `GET`, `EXAT` and `PXAT`."),
            ("7.0.0", "`NX` and `GET` may stand together."),
            ("8.1.0", "Takes `IFEQ`."),
        ],
    ),
    (
        "shutdown",
        &[("7.0.0", "Takes `NOW`, `FORCE` and `ABORT`."), ("9.0.0", "Takes `SAFE` and `FAILOVER`.")],
    ),
    ("slowlog|get", &[("4.0.0", "Shows the client's address and name.")]),
    ("spop", &[("3.2.0", "Takes a count.")]),
    ("srandmember", &[("2.6.0", "Takes a count.")]),
    ("srem", &[("2.4.0", "Takes several members.")]),
    ("ttl", &[("2.8.0", "Answers -2 for a key that is not there.")]),
    (
        "xadd",
        &[
            ("6.2.0", "Takes `NOMKSTREAM`, `MINID` and `LIMIT`."),
            ("7.0.0", "Takes an id of the form `<ms>-*`."),
        ],
    ),
    ("xautoclaim", &[("7.0.0", "Shows entries that were found deleted and left the list of pending ones.")]),
    ("xgroup|create", &[("7.0.0", "Takes `ENTRIESREAD`.")]),
    ("xgroup|setid", &[("7.0.0", "Takes `ENTRIESREAD`.")]),
    ("xinfo|consumers", &[("7.2.0", "Shows `inactive`; `idle` counts from the last attempt.")]),
    ("xinfo|groups", &[("7.0.0", "Shows `entries-read` and `lag`.")]),
    (
        "xinfo|stream",
        &[
            ("6.0.0", "Takes `FULL`."),
            (
                "7.0.0",
                "Shows `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` and `lag`.",
            ),
            ("7.2.0", "Shows `active-time`; `seen-time` is that of the last attempt."),
        ],
    ),
    ("xpending", &[("6.2.0", "Takes `IDLE` and intervals without their ends.")]),
    ("xrange", &[("6.2.0", "Takes intervals without their ends.")]),
    ("xrevrange", &[("6.2.0", "Takes intervals without their ends.")]),
    ("xsetid", &[("7.0.0", "Takes `ENTRIESADDED` and `MAXDELETEDID`.")]),
    ("xtrim", &[("6.2.0", "Takes `MINID` and `LIMIT`.")]),
    (
        "zadd",
        &[
            ("2.4.0", "Takes several members."),
            ("3.0.2", "Takes `XX`, `NX`, `CH` and `INCR`."),
            ("6.2.0", "Takes `GT` and `LT`."),
        ],
    ),
    ("zrange", &[("6.2.0", "Takes `REV`, `BYSCORE`, `BYLEX` and `LIMIT`.")]),
    ("zrangebyscore", &[("2.0.0", "Takes `WITHSCORES`.")]),
    ("zrank", &[("7.2.0", "Takes `WITHSCORE`.")]),
    ("zrem", &[("2.4.0", "Takes several members.")]),
    ("zrevrangebyscore", &[("2.1.6", "Either end of the interval may be left out of it.")]),
    ("zrevrank", &[("7.2.0", "Takes `WITHSCORE`.")]),
    ("zscan", &[("8.0.0", "Takes `NOSCORES`.")]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_the_reference_s() {
        let facts = include_str!("history-valkey-9.1.txt");
        let told: Vec<String> = HISTORY
            .iter()
            .map(|(name, events)| {
                let versions: Vec<&str> = events.iter().map(|(version, _)| *version).collect();
                format!("{name}|{}", versions.join(" "))
            })
            .collect();
        assert_eq!(told, facts.lines().filter(|l| !l.starts_with('#')).collect::<Vec<_>>());
        assert!(HISTORY.is_sorted_by_key(|(name, _)| *name));
        assert_eq!(history("migrate").len(), 4);
        assert!(history("get").is_empty());
    }
}
